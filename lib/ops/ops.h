/* SPDX-License-Identifier: Apache-2.0 */
/* The table of primitive operations that a backend provides. Backends know nothing of models: they get pointers, sizes and
 * leading dimensions. Model code is written once, in terms of these.
 *
 * Pointers are device pointers unless a comment says "host": only upload and download may look behind them (on the CPU they
 * are ordinary memory). Matrices are row-major float with a leading dimension ("ld", elements from row to row).
 *
 * Every operation is deterministic: the same inputs give the same bits, whatever the number of threads. Sums run in an
 * order that the operands alone fix. Operations enqueue; download and synchronise wait.
 *
 * An instance (struct ops) holds a backend's scratch memory and is used by one thread at a time. */
#ifndef CFD_OPS_OPS_H
#define CFD_OPS_OPS_H

#include "base/log.h"
#include "base/memory.h"
#include "base/threads.h"

#ifdef __cplusplus /* the CUDA backend is C++ */
extern "C" {
#endif

typedef struct ops ops;

/* A sparse matrix in CSR form; columns ascend within a row. */
typedef struct ops_csr {
    int32_t rows, columns;
    int64_t nonzeros;
    const int64_t *offsets; /* rows + 1 */
    const int32_t *indices;
    const float *values;
} ops_csr;

/* The rows that a batch touches, and who touches them. Made by batch_index from users, positives, negatives.
 *
 * `rows` are the distinct nodes of the batch, ascending; the k-th of them has "slot" k. A matrix with one row per slot is
 * called compact. occurrences[offsets[k] .. offsets[k + 1]) lists the k-th row's appearances, ascending, each
 * 3 * position + role, role 0 as user, 1 as positive, 2 as negative. */
typedef struct ops_batch {
    int32_t size, capacity;                    /* triples in use; allocated */
    int32_t nodes, users;                      /* nodes of the graph; an item i is node users + i */
    int32_t *user_ids, *positives, *negatives; /* capacity; item ids, not nodes */
    int32_t *count;                            /* 1: how many distinct rows */
    int32_t *rows;                             /* min(3 * capacity, nodes) */
    int32_t *slots;                            /* nodes: slot of a node, -1 where the batch does not touch it */
    int32_t *offsets;                          /* min(3 * capacity, nodes) + 1 */
    int32_t *occurrences;                      /* 3 * capacity */
} ops_batch;

/* A list of rows: which rows of a matrix an operation is for. */
typedef struct ops_rows {
    const int32_t *rows;  /* NULL: all */
    const int32_t *count; /* 1; NULL with rows NULL */
    int32_t capacity;     /* *count is at most this */
} ops_rows;

/* A view of embedding rows that batch operations read. The row of slot k is data + ld * (by_node ? rows[k] : k). */
typedef struct ops_view {
    float *data;
    int64_t ld;
    int32_t width;
    bool by_node;
} ops_view;

/* Rows that spmm adds to its result as it writes it: to the row of the node of slot k, columns of group g,
 * weights[g] * times * (row k of `rows`), where times is 1, or the node's appearances in the batch. If losses:
 * *losses[g] += 1/2 sum of times * |row|^2 over the group's columns. A group of weight 0 is left alone. */
typedef struct ops_addend {
    const ops_batch *batch; /* indexed */
    ops_view rows;          /* width: the product's columns */
    bool by_appearance;
    int32_t group;         /* columns of a group; divides the width, into CFD_MAX_MODALITIES groups at most */
    const float *weights;  /* host: one for each group */
    double *const *losses; /* host: where each group's sum is; NULL: none */
} ops_addend;

/* One branch of the ranking loss: its rows, where its (compact or by-node) gradient goes, and its weight. */
typedef struct ops_branch {
    ops_view embedding;
    ops_view gradient;
    float weight; /* of the gradient; the loss is unweighted */
    double *loss; /* += mean softplus */
} ops_branch;

/* Which function of the cosine c of two rows is minimised. */
typedef enum ops_cosine {
    OPS_COSINE_ALIGN = 0,     /* 1 - c */
    OPS_COSINE_RELEASED = 1,  /* c */
    OPS_COSINE_ORTHOGONAL = 2 /* sqrt(c^2 + 1e-8) */
} ops_cosine;

/* A dense tensor of Adam: contiguous. */
typedef struct ops_adam_tensor {
    float *parameter;
    const float *gradient;
    float *moment1, *moment2;
    size_t size;
} ops_adam_tensor;

typedef struct ops_adam_settings {
    double learning_rate, beta1, beta2, epsilon;
    int64_t step; /* from 1 */
} ops_adam_settings;

/* What draw_batch draws from. The pool is a list of candidates; a user with every item is not in it. */
typedef struct ops_sampler {
    int32_t users, items;
    const int64_t *offsets; /* users + 1: the users' items, ascending */
    const int32_t *item_ids;
    const int32_t *pool_users; /* pool_size */
    const int32_t *pool_items; /* pool_size: interactions are drawn; NULL: distinct users are, with any of their items */
    int64_t pool_size;
    uint64_t seed;
} ops_sampler;

/* How numbers of dense features are stored. */
typedef enum ops_element { OPS_FLOAT32 = 0, OPS_FLOAT16 = 1, OPS_BFLOAT16 = 2 } ops_element;

static inline size_t ops_element_bytes(ops_element element)
{
    return element == OPS_FLOAT32 ? sizeof(float) : sizeof(uint16_t);
}

/* Host description of constant features, I x columns. Dense: numbers with ld. Sparse: CSR in host memory. What it points to
 * must outlive the ops_features made from it. */
typedef struct ops_feature_source {
    int32_t rows, columns;
    const void *dense;   /* host; NULL if sparse */
    ops_element element; /* of dense */
    int64_t ld;          /* numbers from row to row */
    ops_csr sparse;      /* host; values in float32 */
} ops_feature_source;

/* In which type products with dense features are formed; sums are float32 in any case. BF16X3 splits features and weights
 * each into a high and a low bfloat16 and leaves out low times low. TF32 rounds both to 10 bits after the point. */
typedef enum ops_precision {
    OPS_PRECISION_FLOAT32 = 0,
    OPS_PRECISION_BF16X3 = 1,
    OPS_PRECISION_BF16 = 2,
    OPS_PRECISION_TF32 = 3
} ops_precision;

static inline const char *ops_precision_name(ops_precision precision)
{
    static const char *const names[] = {"float32", "bf16x3", "bf16", "tf32"}; /* in the order of ops_precision */
    return names[precision];
}

/* How a backend multiplies bfloat16, in comparison with float32. */
typedef enum ops_bfloat16 {
    OPS_BFLOAT16_NONE = 0,   /* not at all: precisions but float32 are refused */
    OPS_BFLOAT16_NATIVE = 1, /* about twice as fast */
    OPS_BFLOAT16_MATRIX = 2  /* so fast that three products cost less than one in float32 */
} ops_bfloat16;

/* What a backend is to make of dense features; NULL in its place: float32, stored as the source is. */
typedef struct ops_feature_options {
    ops_precision precision;
    ops_element storage; /* FLOAT32: as the source is. Else the backend keeps them in this type only */
} ops_feature_options;

/* What a probe times: one bare operation of a backend's means, with nothing of a model around it. */
typedef enum ops_probe_kind {
    OPS_PROBE_COPY = 0,     /* `rows` bytes from memory to memory */
    OPS_PROBE_PROJECT = 1,  /* Y = F W: rows x inner by inner x columns */
    OPS_PROBE_GRADIENT = 2, /* dW = F^T G: of rows x inner and rows x columns */
    OPS_PROBE_SCORES = 3    /* Q K^T: rows x inner by (columns x inner)^T */
} ops_probe_kind;

typedef struct ops_probe {
    ops_probe_kind kind;
    ops_precision precision; /* of products. BF16X3: the bare products that it takes: two, or three on a GPU */
    int64_t rows, inner, columns;
} ops_probe;

typedef struct ops_features ops_features; /* a backend's own storage of features */

/* In which type keys are sorted out before the rest is scored in float32. FLOAT32: they are not. */
typedef enum ops_scoring { OPS_SCORING_AUTO = 0, OPS_SCORING_FLOAT32 = 1, OPS_SCORING_INT8 = 2 } ops_scoring;

typedef struct ops_keys ops_keys; /* a backend's own storage of keys in a short type */

typedef struct ops_ids {
    const int32_t *begin, *end; /* ascending, repeats allowed */
} ops_ids;

/* What sort_out is asked, and where its answer goes. */
typedef struct ops_sorting {
    const float *keys;    /* those of keys_create */
    const float *queries; /* n_queries rows, contiguous */
    int32_t n_queries;
    int32_t k;               /* at least 1 */
    const ops_ids *excluded; /* n_queries: keys that are not to be listed and do not count among the k */
    int32_t capacity;        /* of a query's list; at least k */
    int32_t *candidates;     /* out: n_queries x capacity, in any order */
    float *scores;           /* out: theirs, with the bits of score_block */
    int32_t *counts;         /* out: n_queries; -1 where the list does not fit, or the query defies the method */
    void *scratch;           /* sort_out_bytes, aligned to 64 */
} ops_sorting;

/* ---- serving where the backend's memory is not the host's ---- */

typedef struct ops_ranker ops_ranker; /* query and key rows in the backend's memory */

/* Lists that are asked for. All pointers are the host's. */
typedef struct ops_lists {
    const int32_t *users; /* n_users: rows of the queries */
    int32_t n_users;
    const int32_t *allowed; /* n_allowed keys, ascending, each once; NULL: all of them */
    int32_t n_allowed;
    const ops_ids *excluded; /* n_users; NULL: none */
    int32_t k;               /* 1 to ranker_most_k */
    int32_t *items;          /* out: n_users x k, best first, ties by the lower id, as top_k.h orders; -1 beyond the last */
    float *scores;           /* out: n_users x k, -infinity beyond the last */
    int32_t *counts;         /* out: n_users: how many there are */
} ops_lists;

/* ---- recorded work ---- */

typedef struct ops_recording ops_recording; /* operations that can be run again, at another moment of training */

/* What differs from step to step: the arguments of draw_batch, and ops_adam_settings.step. */
typedef struct ops_moment {
    int64_t step, epoch, position, update;
} ops_moment;

typedef struct ops_mailbox ops_mailbox; /* a copy of device memory on its way to the host */

typedef struct ops_table {
    const char *name; /* "reference", "cpu", "cuda:0" */
    bool host_memory; /* pointers to the backend's memory are the host's own: it may look behind them */

    /* ---- the instance ---- */
    /* Another instance of the same backend, with the same options. */
    cfd_status (*create)(const ops *like, ops **out);
    void (*destroy)(ops *o);
    const char *(*instruction_set)(const ops *o);
    const char *(*gemm)(const ops *o);
    ops_bfloat16 (*bfloat16)(const ops *o);
    bool (*tf32)(const ops *o);            /* may OPS_PRECISION_TF32 be asked for? */
    size_t (*scratch_bytes)(const ops *o); /* grows while operations meet larger operands */

    /* ---- memory ---- */
    /* Uninitialised. Alignment at least 64 bytes. *out untouched on failure. */
    cfd_status (*allocate)(ops *o, size_t bytes, const char *what, void *out);
    void (*release)(ops *o, void *memory); /* accepts NULL */
    cfd_status (*upload)(ops *o, void *to, const void *from_host, size_t bytes);
    cfd_status (*download)(ops *o, void *to_host, const void *from, size_t bytes); /* waits */
    cfd_status (*copy)(ops *o, void *to, const void *from, size_t bytes);
    cfd_status (*zero)(ops *o, void *to, size_t bytes);
    cfd_status (*synchronise)(ops *o); /* waits; reports what went wrong since, as download does */
    /* Reading without waiting. Posting replaces what was posted before. */
    cfd_status (*mailbox_create)(ops *o, size_t bytes, ops_mailbox **out);
    void (*mailbox_destroy)(ops *o, ops_mailbox *mailbox); /* accepts NULL */
    cfd_status (*mailbox_post)(ops *o, ops_mailbox *mailbox, const void *from);
    /* *ready: whether the copy has arrived in `to`, which is else left alone. `wait`: until it has. */
    cfd_status (*mailbox_read)(ops *o, ops_mailbox *mailbox, void *to, bool wait, bool *ready);
    /* to[r][c] = scale * from[r][c], rows x columns. */
    cfd_status (*copy_matrix)(ops *o, const float *from, int64_t ld_from, float *to, int64_t ld_to, int64_t rows,
                              int32_t columns, float scale);

    /* ---- graph ---- */
    /* Y = G X for `columns` columns. output.rows: only these rows of G; row k of the list goes to row k of y (compact).
     * input_slots: X is compact, row j of X is x[input_slots[j]], and zero where that is negative; NULL: X is whole.
     * add: what is added to the result, where all rows are wanted; NULL: nothing. */
    cfd_status (*spmm)(ops *o, const ops_csr *g, ops_rows output, const int32_t *input_slots, const float *x, int64_t ldx,
                       float *y, int64_t ldy, int32_t columns, const ops_addend *add);

    /* ---- features ---- */
    /* CFD_ERROR_DATA: a number is infinite in the type that the options ask for. */
    cfd_status (*features_create)(ops *o, const ops_feature_source *source, const ops_feature_options *options,
                                  ops_features **out);
    void (*features_destroy)(ops *o, ops_features *features); /* accepts NULL */
    /* Memory of the backend's own that they take: none where they are used where they are. */
    size_t (*features_bytes)(const ops *o, const ops_features *features);
    /* Y = F W; w is columns(F) x n, contiguous; y is rows(F) x n. */
    cfd_status (*project)(ops *o, const ops_features *f, const float *w, int32_t n, float *y, int64_t ldy);
    /* dW = F^T G; dw is columns(F) x n, contiguous. */
    cfd_status (*project_gradient)(ops *o, const ops_features *f, const float *g, int64_t ldg, int32_t n, float *dw);

    /* ---- whitening; also the small dense algebra of the svd transform ---- */
    /* C[k] = scale * A_k^T B_k for k < heads, where A_k is columns [k * d, (k + 1) * d) of A; c is heads x d x d. */
    cfd_status (*cross_moment)(ops *o, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows, int32_t d,
                               int32_t heads, double scale, float *c);
    /* Of each symmetric C[k]: eigenvectors q (columns of d x d), roots r_i = sqrt(max(s_i, 0) + epsilon), and
     * z = Q diag(1 / r) Q^T. */
    cfd_status (*inverse_sqrt)(ops *o, const float *c, int32_t d, int32_t heads, double epsilon, float *q, float *roots,
                               float *z);
    /* Exact gradient of inverse_sqrt (SPEC 4.3): dc = Q (K o (Q^T sym(dz) Q)) Q^T, K_ij = -1 / (r_i r_j (r_i + r_j)). */
    cfd_status (*inverse_sqrt_gradient)(ops *o, const float *q, const float *roots, const float *dz, int32_t d,
                                        int32_t heads, float *dc);
    /* Y_k (+)= scale * A_k M[k] for k < heads, m is heads x d x d; `add` adds to Y. A and Y must not overlap. */
    cfd_status (*multiply_right)(ops *o, const float *a, int64_t lda, const float *m, int64_t rows, int32_t d, int32_t heads,
                                 float scale, bool add, float *y, int64_t ldy);

    /* ---- the batch ---- */
    /* Fills user_ids, positives, negatives, size by SPEC 6. Distinct users: min(capacity, pool_size) of the pool, by
     * `step` alone. Interactions: the slice [position, position + capacity) of the epoch's shuffle. */
    cfd_status (*draw_batch)(ops *o, const ops_sampler *sampler, int64_t step, int64_t epoch, int64_t position,
                             ops_batch *batch);
    cfd_status (*batch_index)(ops *o, ops_batch *batch);

    /* ---- losses; `batch` is indexed. Gradients are with respect to weight * loss. ---- */
    /* All branches: loss += mean softplus(-(x_u.x_i - x_u.x_j)); the gradient rows of all slots are set, not added to. */
    cfd_status (*bpr)(ops *o, const ops_batch *batch, const ops_branch *branches, int32_t n);
    /* loss += sum over the batch's users and positives (each appearance counts) of f(cos(x, y)) / batch size; gradients are
     * added. A row of zeros: neither loss nor gradient. Neither has an item for which x_present or y_present is 0: a byte
     * for each item (not node), NULL where all are present. */
    cfd_status (*pair_cosine)(ops *o, const ops_batch *batch, ops_cosine kind, ops_view x, ops_view y,
                              const uint8_t *x_present, const uint8_t *y_present, float weight, ops_view x_gradient,
                              ops_view y_gradient, double *loss);
    /* loss += 1/2 sum |x|^2 over all appearances; gradient += weight * appearances * x. */
    cfd_status (*penalty)(ops *o, const ops_batch *batch, ops_view x, float weight, ops_view gradient, double *loss);

    /* ---- the update ---- */
    /* Adam in the form of SPEC 6, all tensors in one pass. */
    cfd_status (*adam)(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings);

    /* ---- serving ---- */
    /* scores (n_queries x n_keys, ld) = Q K^T for rows of width `width`, contiguous. Unlike the others it may be called by
     * several threads at once: it computes on the calling thread, uses no scratch of the instance and cannot allocate. A
     * score's bits depend on its two rows alone, not on the block it is computed in. */
    cfd_status (*score_block)(const ops *o, const float *queries, int64_t n_queries, const float *keys, int64_t n_keys,
                              int32_t width, float *scores, int64_t ld);
    /* scores[i] = row . rows[ids[i]] for i < n: one query with listed keys, or one key with listed queries. Called as
     * score_block is, and of the same two rows it makes the same bits. */
    cfd_status (*score_pairs)(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n,
                              int32_t width, float *scores);

    /* ---- serving: sorting out, so that scores of few keys can take the place of score_block on all ---- */
    /* Never AUTO: what is done. */
    ops_scoring (*scoring)(const ops *o);
    /* Chooses what is done; instances made alike take it over. AUTO, at first: INT8 where it is faster. CFD_ERROR_DEVICE
     * where the backend cannot. */
    cfd_status (*set_scoring)(ops *o, ops_scoring wanted);
    /* Prepares keys (n x width, contiguous, finite or not; not kept). *out is NULL where nothing is to be gained. */
    cfd_status (*keys_create)(ops *o, const float *keys, int32_t n, int32_t width, ops_keys **out);
    void (*keys_destroy)(ops *o, ops_keys *keys); /* accepts NULL */
    /* How much scratch sort_out needs for so many queries, k and capacity; SIZE_MAX where the size overflows. */
    size_t (*sort_out_bytes)(const ops_keys *keys, int32_t n_queries, int32_t k, int32_t capacity);
    /* Lists for each query all keys that are among its k best by the scores of score_block, whatever becomes of equal
     * scores, and as few others as can be. Called as score_block is; what->scratch is the caller's. */
    cfd_status (*sort_out)(const ops *o, const ops_keys *keys, const ops_sorting *what);

    /* ---- measuring ---- */
    /* Times `n` repetitions, after one that is not counted, on operands of its own; of the orders in which the operands can
     * be handed to the library for dense products, the one whose median is the least. seconds: host. CFD_ERROR_DEVICE: not
     * in this precision. */
    cfd_status (*probe)(ops *o, const ops_probe *probe, double *seconds, size_t n);

    /* ---- serving where the backend's memory is not the host's ---- */
    /* Copies host matrices, contiguous. *out is NULL where the backend computes in the host's memory, by the operations
     * above; then the others of this group are never called, and may be NULL. */
    cfd_status (*ranker_create)(ops *o, const float *queries, int32_t users, const float *keys, int32_t items, int32_t width,
                                ops_ranker **out);
    void (*ranker_destroy)(ops *o, ops_ranker *ranker); /* accepts NULL */
    int32_t (*ranker_most_k)(const ops *o);
    /* By any number of threads at once. scores[u][i] = query users[u] . key items[i] (NULL: all keys), n_users x n_items, in
     * host memory. */
    cfd_status (*ranker_scores)(const ops *o, ops_ranker *ranker, const int32_t *users, size_t n_users, const int32_t *items,
                                size_t n_items, float *scores);
    cfd_status (*ranker_lists)(const ops *o, ops_ranker *ranker, const ops_lists *what);

    /* ---- recorded work. All NULL where a backend gains nothing by it. ---- */
    /* From here to record_end operations are written down, not done; those that wait or allocate fail. What they need beyond
     * their operands must have been met before: run them once first. */
    cfd_status (*record_begin)(ops *o);
    /* CFD_ERROR_DEVICE: something that was called cannot be recorded. *out is set only on success. */
    cfd_status (*record_end)(ops *o, ops_recording **out);
    void (*recording_destroy)(ops *o, ops_recording *recording); /* accepts NULL */
    /* False once memory that it uses has been given up, because an operation met larger operands since. */
    bool (*recording_valid)(const ops *o, const ops_recording *recording);
    /* Does what was recorded, as of `at`. */
    cfd_status (*replay)(ops *o, ops_recording *recording, const ops_moment *at);
} ops_table;

/* What every backend's instance begins with. */
struct ops {
    const ops_table *table;
    const memory_source *memory;
    thread_pool *pool; /* shared by the instances of a context */
    log_sink log;
};

/* Instances. The source, pool and sink outlive them. */
cfd_status ops_create_reference(const memory_source *memory, thread_pool *pool, log_sink log, ops **out);
/* `instructions` names a set of inner loops; NULL or "auto": the best. CFD_ERROR_DEVICE where the processor lacks it. */
cfd_status ops_create_cpu(const memory_source *memory, thread_pool *pool, log_sink log, const char *instructions, ops **out);

static const ops_rows ops_all_rows = {NULL, NULL, 0};

/* The rows of an indexed batch, as a list. */
static inline ops_rows ops_batch_rows(const ops_batch *batch)
{
    int64_t most = 3 * (int64_t)batch->capacity;
    ops_rows rows = {batch->rows, batch->count, (int32_t)(most < batch->nodes ? most : batch->nodes)};
    return rows;
}

/* How many triples draw_batch gives. */
static inline int32_t ops_draw_size(const ops_sampler *sampler, int64_t position, int32_t capacity)
{
    int64_t left = sampler->pool_items ? sampler->pool_size - position : sampler->pool_size;
    return left <= 0 ? 0 : left < capacity ? (int32_t)left : capacity;
}

#ifdef __cplusplus
}
#endif

#endif
