/* SPDX-License-Identifier: Apache-2.0 */
/* What the suites of the operation tables share: instances, random and awkward operands, comparison. */
#ifndef CFD_TESTS_OPS_SUPPORT_H
#define CFD_TESTS_OPS_SUPPORT_H

#include "ops/cpu/cpu.h"
#include "ops/ops.h"
#include "staged.h"
#include "test.h"

/* Loop tests run once for each backend that is compared with the reference, by this index: the cpu's sets of inner loops,
 * then the GPU, simulated or real. */
#define CPU_SETS 3
#define BACKENDS (CPU_SETS + 1)
static const char *const backends[BACKENDS] = {"baseline", "avx2", "avx512", "cuda"};

/* Both backends side by side. */
typedef struct both {
    thread_pool *pool;
    ops *ref, *other;
    bool cuda;
} both;

/* The environment's TEST_BACKEND, if it is there, names the only one that is tested. */
static inline bool backend_wanted(int backend)
{
    const char *only = getenv("TEST_BACKEND");
    return !only || strcmp(only, backends[backend]) == 0;
}

/* False where the processor lacks the set, or there is no GPU backend: then there is nothing to test. */
static inline bool both_open(both *b, int backend, int32_t threads)
{
    memset(b, 0, sizeof *b);
    b->cuda = backend == CPU_SETS;
    if (!backend_wanted(backend) || (b->cuda ? !cuda_plugin_folder() : !cpu_kernels_find(backends[backend]))) {
        return false;
    }
    log_sink silent = {NULL, NULL};
    note_backend("reference");
    note_backend(b->cuda ? "cuda" : "cpu");
    OK(threads_create(&memory_default, threads, &b->pool));
    OK(ops_create_reference(&memory_default, b->pool, silent, &b->ref));
    if (b->cuda) {
        b->other = ops_create_staged(ops_create_cuda_for_test(&memory_default, b->pool));
    } else {
        OK(ops_create_cpu(&memory_default, b->pool, silent, backends[backend], &b->other));
    }
    return true;
}

static inline void both_close(both *b)
{
    b->ref->table->destroy(b->ref);
    b->other->table->destroy(b->other);
    threads_destroy(b->pool);
}

/* ---- operands ---- */

static uint64_t random_state = 1;

static inline uint32_t random_bits(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static inline int32_t random_below(int32_t bound)
{
    return (int32_t)(random_bits() % (uint32_t)bound);
}

/* In [-1, 1]. */
static inline float random_float(void)
{
    return (float)random_bits() / 1073741824.0f - 1.0f;
}

static inline void *get_memory(size_t count, size_t size)
{
    void *memory = malloc(count * size + 1);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static inline float *random_floats(size_t n)
{
    float *x = get_memory(n, sizeof *x);
    for (size_t i = 0; i < n; i++) {
        x[i] = random_float();
    }
    return x;
}

/* Outputs begin as NaN, so that an entry that is not written, or that is read, shows. */
static inline float *unset_floats(size_t n)
{
    float *x = get_memory(n, sizeof *x);
    for (size_t i = 0; i < n; i++) {
        x[i] = NAN;
    }
    return x;
}

static inline float *copy_floats(const float *from, size_t n)
{
    float *x = get_memory(n, sizeof *x);
    memcpy(x, from, n * sizeof *x);
    return x;
}

/* Shapes of sparse matrices. */
enum csr_kind { CSR_RANDOM, CSR_EMPTY, CSR_ONE_ROW, CSR_SKEWED, CSR_KINDS };

/* Owned arrays; free them with csr_free. */
static inline ops_csr csr_make(int32_t rows, int32_t columns, enum csr_kind kind)
{
    int64_t *offsets = get_memory((size_t)rows + 1, sizeof *offsets);
    int32_t *indices = get_memory((size_t)rows * (size_t)columns, sizeof *indices);
    int64_t n = 0;
    for (int32_t r = 0; r < rows; r++) {
        offsets[r] = n;
        for (int32_t c = 0; c < columns; c++) {
            bool present = kind == CSR_RANDOM    ? r % 3 != 1 && random_below(4) == 0 /* every third row is empty */
                           : kind == CSR_ONE_ROW ? r == rows / 2
                           : kind == CSR_SKEWED  ? random_below(r + 2) == 0
                                                 : false;
            if (present) {
                indices[n++] = c;
            }
        }
    }
    offsets[rows] = n;
    return (ops_csr){rows, columns, n, offsets, indices, random_floats((size_t)n)};
}

static inline void free_const(const void *memory)
{
    union {
        const void *from;
        void *to;
    } cast = {memory};
    free(cast.to);
}

static inline void csr_free(ops_csr *csr)
{
    free_const(csr->offsets);
    free_const(csr->indices);
    free_const(csr->values);
}

/* ---- batches ---- */

static inline ops_batch batch_make(int32_t users, int32_t items, int32_t capacity)
{
    int32_t nodes = users + items;
    int32_t most = 3 * capacity < nodes ? 3 * capacity : nodes;
    ops_batch batch = {.capacity = capacity, .nodes = nodes, .users = users};
    batch.user_ids = get_memory((size_t)capacity, sizeof(int32_t));
    batch.positives = get_memory((size_t)capacity, sizeof(int32_t));
    batch.negatives = get_memory((size_t)capacity, sizeof(int32_t));
    batch.count = get_memory(1, sizeof(int32_t));
    batch.rows = get_memory((size_t)most, sizeof(int32_t));
    batch.slots = get_memory((size_t)nodes, sizeof(int32_t));
    batch.offsets = get_memory((size_t)most + 1, sizeof(int32_t));
    batch.occurrences = get_memory(3 * (size_t)capacity, sizeof(int32_t));
    return batch;
}

static inline void batch_free(ops_batch *batch)
{
    free(batch->user_ids);
    free(batch->positives);
    free(batch->negatives);
    free(batch->count);
    free(batch->rows);
    free(batch->slots);
    free(batch->offsets);
    free(batch->occurrences);
}

static inline void batch_set(ops_batch *batch, int32_t position, int32_t user, int32_t positive, int32_t negative)
{
    batch->user_ids[position] = user;
    batch->positives[position] = positive;
    batch->negatives[position] = negative;
    batch->size = position + 1;
}

/* Indexed; users and items repeat, and the first user takes part in every other triple. */
static inline ops_batch batch_random(both *b, int32_t users, int32_t items, int32_t size)
{
    ops_batch batch = batch_make(users, items, size + 2);
    batch.size = 0;
    for (int32_t k = 0; k < size; k++) {
        batch_set(&batch, k, k % 2 ? 0 : random_below(users), random_below(items), random_below(items));
    }
    OK(b->ref->table->batch_index(b->ref, &batch));
    return batch;
}

/* ---- comparison ---- */

/* Every |actual - expected| is at most `tolerance` times the largest |expected|, or times `natural` where that is more: the
 * size of the terms that cancel where a sum is nearly 0. */
static inline void same_sums(const char *what, const float *expected, const float *actual, size_t n, double tolerance,
                             double natural)
{
    double largest = natural;
    for (size_t i = 0; i < n; i++) {
        largest = fabs((double)expected[i]) > largest ? fabs((double)expected[i]) : largest;
    }
    for (size_t i = 0; i < n; i++) {
        double error = fabs((double)actual[i] - expected[i]);
        bool equal = error <= tolerance * largest || (isnan(expected[i]) && isnan(actual[i]));
        if (!equal) { /* Check takes note of every assertion, which is slow */
            ck_abort_msg("%s: entry %zu is %.9g, not %.9g (largest %.3g)", what, i, (double)actual[i], (double)expected[i],
                         largest);
        }
    }
}

static inline void same_floats(const char *what, const float *expected, const float *actual, size_t n, double tolerance)
{
    same_sums(what, expected, actual, n, tolerance, 0);
}

static inline void near(double expected, double actual, double tolerance)
{
    ck_assert_msg(fabs(actual - expected) <= tolerance, "%.12g, not %.12g", actual, expected);
}

#endif
