/* SPDX-License-Identifier: Apache-2.0 */
/** @file cfdtbd_serving.h
 * The part of cfdtbd.h that serves: scorers, lists, new users and items, likeness, reasons. Include cfdtbd.h, which includes it; what
 * holds for every function stands there. */
#ifndef CFDTBD_SERVING_H
#define CFDTBD_SERVING_H

#ifndef CFDTBD_H
#error "include cfdtbd.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ================================================================================================
 * Scorer: an immutable snapshot that serves
 * ============================================================================================== */

/** Query and key rows whose inner product is the score (SPEC 4). Immutable: any number of threads, no locks. Where the
 * context sorts out in int8, it holds the keys in that type too, a quarter of their memory. On a CUDA device it holds both
 * matrices there and in host memory, and for each thread that asks at the same time up to about 200 MB of the device's. */
typedef struct cfd_scorer cfd_scorer;

/** Snapshot of a model at its present parameters. Errors: CFD_ERROR_MEMORY, CFD_ERROR_DEVICE, CFD_ERROR_NUMERIC
 * (embeddings that are not finite). Since 1.0. */
CFD_API cfd_status cfd_scorer_create(cfd_model *model, cfd_scorer **scorer);
/** The same in another context: its device, threads and memory serve. So a model that was trained on a GPU serves on the
 * host, or the reverse. Neither context needs to outlive the call, nor does the model.
 * @param context  NULL: the model's. Errors: as cfd_scorer_create. Since 1.0. */
CFD_API cfd_status cfd_scorer_create_in(cfd_context *context, cfd_model *model, cfd_scorer **scorer);
/** The scorer that cfd_model_save wrote; needs no data set. Nothing in the file is trusted. The file is mapped, not read into
 * memory: it may be replaced (as cfd_model_save does) or removed while the scorer lives, but not written into.
 * Errors: CFD_ERROR_FILE, CFD_ERROR_FORMAT, CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_scorer_load(cfd_context *context, const char *path, cfd_scorer **scorer);
/** The yardstick: an item's score is the number of its training interactions, the same for every user.
 * @param with_validation  1: validation interactions count too. Errors: CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_scorer_create_popularity(cfd_context *context, const cfd_dataset *dataset, int with_validation,
                                                cfd_scorer **scorer);
/** Another hold on a scorer; it ends when the last is released. So a service that swaps models retains the scorer for as long as a
 * request runs on it, and releases the old one when a new one has taken its place: each request ends on the model it began on.
 * Thread-safe, while the caller has a hold. NULL gives NULL. Returns the scorer. Since 1.0. */
CFD_API cfd_scorer *cfd_scorer_retain(cfd_scorer *scorer);
/** Drops a hold, the first one being that of who created the scorer. Accepts NULL. Thread-safe. Since 1.0. */
CFD_API void cfd_scorer_release(cfd_scorer *scorer);

/** What a scorer is made of. */
typedef struct cfd_scorer_info {
    size_t struct_size;
    int32_t n_users, n_items;  /**< How many ids it knows of each. */
    int32_t width;             /**< Columns of query and key rows. */
    int32_t n_modalities;      /**< cfd_scorer_role has the role of each. */
    int64_t steps_done;        /**< Training steps behind its parameters. */
} cfd_scorer_info;

#define CFD_SCORER_INFO_INIT {sizeof(cfd_scorer_info), 0, 0, 0, 0, 0}

/** Fills *info, whose struct_size the caller has set. Errors: CFD_ERROR_ARGUMENT. Since 1.0. */
CFD_API cfd_status cfd_scorer_get_info(const cfd_scorer *scorer, cfd_scorer_info *info);
/** The role of modality `index`; NULL beyond the last. Lives as long as the scorer. Since 1.0. */
CFD_API const char *cfd_scorer_role(const cfd_scorer *scorer, size_t index);
/** A copy of the configuration that the model was made with, the caller's. Errors: CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_scorer_get_config(const cfd_scorer *scorer, cfd_config **config);

/** Scores of users for items: the inner product of query and key rows.
 *
 * @param users    n_users ids in [0, users of the scorer). Repeats are allowed.
 * @param items    n_items ids, or NULL for all items in id order (then n_items is ignored).
 * @param n_users  How many. @param n_items  How many, where items is not NULL.
 * @param scores   Out: n_users x n_items. Untouched on failure, but where a CUDA device fails.
 *
 * In host memory a score's bits depend on its two rows alone. A CUDA device sums in an order that may depend on the shape of
 * the request, so that its scores may differ from the host's in their last bits; the same request has the same bits every time.
 * Errors: CFD_ERROR_ARGUMENT (NULL, an id out of range: position and id are named), CFD_ERROR_MEMORY, CFD_ERROR_DEVICE.
 * Thread-safe. Score: SPEC 4. Since 1.0. */
CFD_API cfd_status cfd_score_users(const cfd_scorer *scorer, const int32_t *users, size_t n_users,
                                   const int32_t *items, size_t n_items, float *scores);

/** Scores of n pairs: of users[k] for items[k], with the bits that the host's cfd_score_users has for them, on any device.
 *
 * @param users, items  n ids each. @param n  How many pairs.
 * @param scores  Out: n.
 * Errors: CFD_ERROR_ARGUMENT (NULL, an id out of range: position and id are named), CFD_ERROR_MEMORY (more than 1024 pairs).
 * Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_score_pairs(const cfd_scorer *scorer, const int32_t *users, const int32_t *items, size_t n, float *scores);

/** What a recommendation leaves out, and what it may list at all. All parts work together. */
typedef struct cfd_filter {
    size_t struct_size;
    const int64_t *exclude_offsets; /**< NULL: nothing. n_users + 1 ascending offsets into exclude_items, for the
                                         n-th user of the request, the first 0. */
    const int32_t *exclude_items;   /**< Item ids, any order, repeats allowed. */
    const int32_t *allow_items;     /**< The only items that may be listed, for all users of the request, less those that a
                                         user's exclusions name. Any order, repeats allowed. NULL: all items. */
    size_t n_allow_items;           /**< 0 and allow_items not NULL: nothing may be listed. Ignored where that is NULL. */
    const int32_t *deny_items;      /**< Items that may not be listed for any user, also where they are allowed. Any order,
                                         repeats allowed. NULL: none. */
    size_t n_deny_items;            /**< Ignored where deny_items is NULL. */
    int32_t exclude_seen;           /**< 1: the items of each user that the scorer keeps ("keep.history") are left out. */
    int32_t has_min_score;          /**< 1: what scores less than min_score is left out. */
    float min_score;                /**< Not NaN. */
    float reserved;                 /**< 0. */
} cfd_filter;

#define CFD_FILTER_INIT {sizeof(cfd_filter), NULL, NULL, NULL, 0, NULL, 0, 0, 0, 0, 0}

/** The best k items of each user: descending score, ties by lower item id.
 *
 * @param users   n_users ids in [0, users of the scorer). Repeats are allowed. @param n_users  How many. @param k  At least 1.
 * @param filter  NULL: nothing is left out.
 * @param items   Out: n_users x k ids; -1 where a user has fewer than k.
 * @param scores  Out: n_users x k; -infinity where there is no item. May be NULL.
 * @param counts  Out: n_users counts of the items found. May be NULL.
 * Works in blocks: never a matrix of users x items. Scores and order are those of cfd_score_users, bit by bit, also where
 * items are sorted out in int8 first (cfd_context_options.scoring). One user is served on the calling thread, and without
 * allocation as far as 16 KB of stack go: at width 576 for k up to 100, with the user's exclusions in ascending order and
 * no list of allowed items, and without further lists that are merged with them.
 *
 * On a CUDA device lists are made for k up to 1024, and by the host's processor from the scorer's copy in host memory above
 * that. There the scores may differ in their last bits from those of cfd_score_users, and items whose scores lie so near to
 * each other may change places; the same request has the same answer every time. Where the device fails, lists of the users
 * before may have been written.
 * Errors: as cfd_score_users; k of 0. Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_recommend(const cfd_scorer *scorer, const int32_t *users, size_t n_users, size_t k,
                                 const cfd_filter *filter, int32_t *items, float *scores, int32_t *counts);

/** In which form cfd_scorer_export writes. */
typedef enum cfd_export_format {
    CFD_EXPORT_SAFETENSORS = 0, /**< One file with the tensors `query` and `key`. */
    CFD_EXPORT_NPY = 1          /**< query.npy and key.npy, NumPy's format, in a directory that is there. */
} cfd_export_format;

/** Writes the query rows (users x width) and key rows (items x width), float32, whose inner product is the score: what an
 * index of vectors, or a database of them, takes (docs/file-formats.md). Build it over the keys for the largest inner
 * product and ask it with a user's query row. To load a scorer again, keep the file of cfd_model_save.
 *
 * @param path    The file, or the directory of the two. What is there under these names is replaced.
 * @param format  A cfd_export_format.
 *
 * Files are written beside their places, synchronised, then renamed: on failure both are as they were, unless the second
 * of two finished files cannot be renamed. Errors: CFD_ERROR_ARGUMENT, CFD_ERROR_FILE, CFD_ERROR_MEMORY.
 * Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_scorer_export(const cfd_scorer *scorer, const char *path, int32_t format);

/** A view of the query or key rows where they lie, as cfd_model_dlpack makes one: nothing copied, no gaps between rows, in
 * host memory also where a GPU serves.
 *
 * @param name    "query" (users x width) or "key" (items x width).
 * @param tensor  Out: the view, ended by its deleter, which any thread may call. It keeps the scorer's memory alive, also
 *                after cfd_scorer_release.
 *
 * It is there to be read: a scorer is immutable, whoever writes through a view breaks it.
 * Errors: CFD_ERROR_ARGUMENT, CFD_ERROR_MEMORY. Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_scorer_dlpack(cfd_scorer *scorer, const char *name, struct DLManagedTensor **tensor);

/* ================================================================================================
 * Users and items that the model has not met; likeness; reasons
 *
 * All of this needs a scorer whose model was made with "keep.nodes" (the default), but for cfd_similar_items and the parts of
 * cfd_explain; it is computed on the host, on any device, from SPEC 4 with what is in the graph left as it is.
 * ============================================================================================== */

/** The query row of a user who was not there in training, from the items that the user has: what propagation makes of them, with
 * nothing of the user's own. It can be kept, and scored at any time with this scorer.
 *
 * @param items    n ids, any order, repeats count once.
 * @param n        0: a user without items, for whom every item scores 0.
 * @param query    Out: width numbers (cfd_scorer_info.width).
 * Errors: CFD_ERROR_ARGUMENT (an id out of range: position and id are named), CFD_ERROR_DATA (no nodes were kept),
 * CFD_ERROR_MEMORY, CFD_ERROR_NUMERIC. Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_fold_in_user(const cfd_scorer *scorer, const int32_t *items, size_t n, float *query);

/** As cfd_score_users and cfd_recommend, for n query rows (n x width, contiguous, finite) in place of users. On the host's processor.
 * Errors: as theirs; CFD_ERROR_DATA (a number that is not finite), CFD_ERROR_ARGUMENT (filter.exclude_seen: rows have no
 * history; name the items in exclude_items). Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_score_queries(const cfd_scorer *scorer, const float *queries, size_t n, const int32_t *items,
                                     size_t n_items, float *scores);
CFD_API cfd_status cfd_recommend_queries(const cfd_scorer *scorer, const float *queries, size_t n, size_t k,
                                         const cfd_filter *filter, int32_t *items, float *scores, int32_t *counts);

/** Features of items in one role, as the data set's modality was handed over: before "transform.ROLE", and tags before TF-IDF. Either
 * dense or in CSR form. A row of zeros, or without entries, is an item that lacks this modality. */
typedef struct cfd_item_features {
    size_t struct_size;
    const char *role;           /**< Of the model: cfd_scorer_role. */
    const void *dense;          /**< One row per item; NULL: sparse. */
    size_t stride;              /**< Numbers from one dense row to the next, at least columns. */
    const int64_t *row_offsets; /**< Items + 1 ascending offsets, the first 0; NULL: dense. */
    const int32_t *column_ids;  /**< Of each entry, in [0, columns). A column that repeats within a row is summed. */
    const float *values;        /**< Of each entry. NULL: 1 each, weighted as the model's tags are where its modality was tags. */
    int32_t columns;            /**< Those of the model's modality. */
    int32_t element;            /**< A cfd_element: of dense. */
} cfd_item_features;

#define CFD_ITEM_FEATURES_INIT {sizeof(cfd_item_features), NULL, NULL, 0, NULL, NULL, NULL, 0, 0}

/** Items that were not there in training. */
typedef struct cfd_new_items {
    size_t struct_size;
    size_t n_items;                   /**< At least 1. */
    const cfd_item_features *features; /**< n_features, each of another role. A role without any: these items lack it. */
    size_t n_features;                /**< How many of them. */
    const int64_t *user_offsets;      /**< n_items + 1 ascending offsets into users, the first 0. NULL: nobody has any of them. */
    const int32_t *users;             /**< Who has each of them already: user ids, any order, repeats count once. */
} cfd_new_items;

#define CFD_NEW_ITEMS_INIT {sizeof(cfd_new_items), 0, NULL, 0, NULL, NULL}

/** Key rows of new items: projected and whitened as training left it, then propagated among the users who have them. The inner
 * product with a query row is the score. An item without users has no base part; the others carry its content.
 *
 * @param items    What is known of them.
 * @param keys     Out: n_items x width. May be NULL where a scorer is asked for.
 * @param scorer_with  Out: a new scorer, the caller's, that has these items after its own (their ids go on from n_items of the first
 *                 one), or NULL if none is wanted. Everything else, users' rows too, is as it was. Its memory is its own.
 * Errors: CFD_ERROR_ARGUMENT (a role that there is not or stands twice, columns that do not fit, an id out of range),
 * CFD_ERROR_DATA (a number that is not finite; no nodes were kept), CFD_ERROR_MEMORY, CFD_ERROR_DEVICE, CFD_ERROR_NUMERIC.
 * Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_fold_in_items(const cfd_scorer *scorer, const cfd_new_items *items, float *keys, cfd_scorer **scorer_with);

/** By which part of their key rows items are compared. */
typedef enum cfd_part {
    CFD_PART_BASE = 0,         /**< Who has them. */
    CFD_PART_COMMON = 1,       /**< What the modalities say in common. */
    CFD_PART_DIFFERENTIAL = 2, /**< What one modality says alone. */
    CFD_PART_FUSED = 3         /**< All of their content, and their neighbours'. */
} cfd_part;

/** The k items nearest to each of n items, by the cosine of a part of their key rows: descending, ties by lower id, the item itself
 * left out.
 *
 * @param items   n ids. @param n  How many. @param part  What is compared. @param k  At least 1.
 * @param role    The modality whose common or differential part counts; NULL: those of all modalities side by side. Ignored for the
 *                other parts.
 * @param filter  NULL: nothing is left out. filter->exclude_offsets are of the n items; exclude_seen must be 0.
 * @param items_out, scores, counts  As cfd_recommend's: n x k ids and cosines; scores and counts may be NULL.
 * An item whose part is zero has cosine 0 with all others.
 * Errors: CFD_ERROR_ARGUMENT (no such part or role; as cfd_recommend), CFD_ERROR_MEMORY. Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_similar_items(const cfd_scorer *scorer, const int32_t *items, size_t n, cfd_part part, const char *role,
                                     size_t k, const cfd_filter *filter, int32_t *items_out, float *scores, int32_t *counts);

/** Items by the content of one modality, found through another: the common part of what is handed over is compared with the common
 * parts that the items have in `other_role`, by cosine (times -1 where the model was trained with common_distillation = released,
 * which makes them opposite). Common parts are pulled together, so a title finds pictures, a picture titles.
 *
 * @param features    n rows of one role. @param n  How many. @param k  At least 1.
 * @param other_role  Of the model; may be the same.
 * @param filter, items, scores, counts  As cfd_similar_items'.
 * Errors: as cfd_similar_items and cfd_fold_in_items; CFD_ERROR_ARGUMENT (the model has no common parts). Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_search_items(const cfd_scorer *scorer, const cfd_item_features *features, size_t n, const char *other_role,
                                    size_t k, const cfd_filter *filter, int32_t *items, float *scores, int32_t *counts);

/** A score taken apart (SPEC 4). The parts add up to it, to rounding. */
typedef struct cfd_explanation {
    size_t struct_size;
    double score;                                                        /**< What cfd_score_users gives, to rounding. */
    double base, fused;                                                  /**< The base and the fused part. */
    double common[CFD_MAX_MODALITIES], differential[CFD_MAX_MODALITIES]; /**< In the order of cfd_scorer_role, lambdas included. */
} cfd_explanation;

#define CFD_EXPLANATION_INIT {sizeof(cfd_explanation), 0, 0, 0, {0}, {0}}

/** Why a user has this score for an item: its parts, and which of the user's items contribute most. A user's row is a sum over the
 * user's training items and what was learnt of the user alone, so the score is one, too; contributions may be negative.
 *
 * @param user, item     Ids.
 * @param explanation    Out. May be NULL.
 * @param n_history      How many. Ignored where history is NULL.
 * @param history        n_history ids of the user's training items; NULL: as the scorer keeps them ("keep.history").
 * @param k              How many of those are wanted, the largest contributions first; 0: none, and nodes need not have been kept.
 * @param contributors   Out: k ids, -1 beyond the last. NULL with k of 0.
 * @param contributions  Out: k numbers, in the unit of the score, 0 beyond the last. NULL with k of 0.
 * Errors: CFD_ERROR_ARGUMENT (an id out of range), CFD_ERROR_DATA (neither history nor nodes that were kept), CFD_ERROR_MEMORY.
 * Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_explain(const cfd_scorer *scorer, int32_t user, int32_t item, cfd_explanation *explanation,
                               const int32_t *history, size_t n_history, size_t k, int32_t *contributors, float *contributions);

#ifdef __cplusplus
}
#endif

#endif /* CFDTBD_SERVING_H */
