/* SPDX-License-Identifier: Apache-2.0 */
/* Leading singular vectors by randomised subspace iteration (Halko, Martinsson, Tropp, "Finding structure with randomness",
 * SIAM Review 2011): a random block is multiplied by F and F^T in turn and made orthonormal after each product. Only
 * products with F are needed, so sparse features stay sparse. */
#include "data/transform.h"

#include "base/philox.h"

#include <math.h>
#include <string.h>

#define ITERATIONS 8
/* Moments are squares in float32: singular values below a thousandth of the largest are rounding. */
#define NUMERICAL_RANK 1e-3
#define ROUNDING 1e-7 /* of a moment's trace */

typedef struct workspace {
    const memory_source *memory;
    ops *device;
    ops_features *features;
    int32_t rows, columns, block; /* block: the rank and some more */
    float *left, *left_spare;     /* rows x block */
    float *right, *right_spare;   /* columns x block */
    float *moment, *eigenvectors, *roots, *inverse_root;
    float *host; /* block x block */
} workspace;

static void release(workspace *w)
{
    const ops_table *t = w->device->table;
    float *blocks[] = {w->left,   w->left_spare,   w->right, w->right_spare,
                       w->moment, w->eigenvectors, w->roots, w->inverse_root};
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        t->release(w->device, blocks[i]);
    }
    t->features_destroy(w->device, w->features);
    memory_release(w->memory, w->host);
}

static cfd_status allocate(workspace *w, const ops_feature_source *features)
{
    const ops_table *t = w->device->table;
    size_t block = (size_t)w->block;
    size_t left = (size_t)w->rows * block * sizeof(float);
    size_t right = (size_t)w->columns * block * sizeof(float);
    size_t square = block * block * sizeof(float);
    TRY(t->features_create(w->device, features, NULL, &w->features));
    TRY(t->allocate(w->device, left, "svd: left block", &w->left));
    TRY(t->allocate(w->device, left, "svd: left block", &w->left_spare));
    TRY(t->allocate(w->device, right, "svd: right block", &w->right));
    TRY(t->allocate(w->device, right, "svd: right block", &w->right_spare));
    TRY(t->allocate(w->device, square, "svd: moments", &w->moment));
    TRY(t->allocate(w->device, square, "svd: eigenvectors", &w->eigenvectors));
    TRY(t->allocate(w->device, block * sizeof(float), "svd: eigenvalues", &w->roots));
    TRY(t->allocate(w->device, square, "svd: inverse root", &w->inverse_root));
    return memory_allocate(w->memory, block * block, sizeof(float), "svd: moments", &w->host);
}

static cfd_status draw_start(workspace *w, uint64_t seed)
{
    size_t n = (size_t)w->columns * (size_t)w->block;
    float *start;
    TRY(memory_allocate(w->memory, n, sizeof *start, "svd: start", &start));
    for (int32_t r = 0; r < w->columns; r++) {
        for (int32_t c = 0; c < w->block; c++) {
            philox_block random = philox(seed, PHILOX_SKETCH, (uint64_t)r, (uint32_t)(c / 4));
            start[(size_t)r * (size_t)w->block + (size_t)c] = 2.0f * philox_unit(random.word[c % 4]) - 1.0f;
        }
    }
    cfd_status status = w->device->table->upload(w->device, w->right, start, n * sizeof *start);
    memory_release(w->memory, start);
    return status;
}

static void exchange(float **a, float **b)
{
    float *held = *a;
    *a = *b;
    *b = held;
}

/* moment = X^T X; *trace is its trace. */
static cfd_status gram(workspace *w, const float *x, int32_t rows, double *trace)
{
    const ops_table *t = w->device->table;
    size_t block = (size_t)w->block;
    TRY(t->cross_moment(w->device, x, w->block, x, w->block, rows, w->block, 1, 1.0, w->moment));
    TRY(t->download(w->device, w->host, w->moment, block * block * sizeof(float)));
    *trace = 0.0;
    for (size_t i = 0; i < block; i++) {
        *trace += w->host[i * block + i];
    }
    return isfinite(*trace) ? CFD_OK : fail(CFD_ERROR_NUMERIC, "svd: the features' products leave the range of float32");
}

/* X <- X (X^T X)^(-1/2), the nearest orthonormal block. Directions within rounding are left small: made as long as the
 * others they would lean on them, and singular values come out too large. */
static cfd_status orthonormalise(workspace *w, float **x, float **spare, int32_t rows)
{
    const ops_table *t = w->device->table;
    double trace;
    TRY(gram(w, *x, rows, &trace));
    double tiny = trace > 0.0 ? ROUNDING * trace : 1.0;
    TRY(t->inverse_sqrt(w->device, w->moment, w->block, 1, tiny, w->eigenvectors, w->roots, w->inverse_root));
    TRY(t->multiply_right(w->device, *x, w->block, w->inverse_root, rows, w->block, 1, 1.0f, false, *spare, w->block));
    exchange(x, spare);
    return CFD_OK;
}

static cfd_status iterate(workspace *w)
{
    const ops_table *t = w->device->table;
    for (int i = 0; i < ITERATIONS; i++) {
        TRY(t->project(w->device, w->features, w->right, w->block, w->left, w->block));
        TRY(orthonormalise(w, &w->left, &w->left_spare, w->rows));
        TRY(t->project_gradient(w->device, w->features, w->left, w->block, w->block, w->right));
        if (i + 1 < ITERATIONS) {
            TRY(orthonormalise(w, &w->right, &w->right_spare, w->columns));
        }
    }
    /* Once more is enough for orthonormality to rounding. */
    TRY(orthonormalise(w, &w->left, &w->left_spare, w->rows));
    return t->project_gradient(w->device, w->features, w->left, w->block, w->block, w->right);
}

/* With B = F^T Q = right and B^T B = W diag(s^2) W^T, the right singular vectors are B W diag(1 / s). */
static cfd_status read_basis(workspace *w, int32_t rank, float *basis)
{
    const ops_table *t = w->device->table;
    size_t block = (size_t)w->block;
    double trace;
    TRY(gram(w, w->right, w->columns, &trace));
    TRY(t->inverse_sqrt(w->device, w->moment, w->block, 1, trace > 0.0 ? 1e-30 * trace : 1.0, w->eigenvectors, w->roots,
                        w->inverse_root));
    TRY(t->multiply_right(w->device, w->right, w->block, w->eigenvectors, w->columns, w->block, 1, 1.0f, false,
                          w->right_spare, w->block));
    TRY(t->download(w->device, w->host, w->roots, block * sizeof(float)));
    float *vectors;
    TRY(memory_allocate(w->memory, (size_t)w->columns * block, sizeof *vectors, "svd: vectors", &vectors));
    cfd_status status = t->download(w->device, vectors, w->right_spare, (size_t)w->columns * block * sizeof(float));
    double largest = w->host[block - 1]; /* eigenvalues ascend */
    for (int32_t k = 0; k < rank && status == CFD_OK; k++) {
        size_t from = block - 1 - (size_t)k;
        double s = w->host[from];
        double inverse = s > NUMERICAL_RANK * largest && trace > 0.0 ? 1.0 / s : 0.0;
        double peak = 0.0;
        for (int32_t r = 0; r < w->columns; r++) {
            double value = vectors[(size_t)r * block + from];
            peak = fabs(value) > fabs(peak) ? value : peak;
        }
        /* A singular vector's sign is free: its largest entry is made positive. */
        double factor = peak < 0.0 ? -inverse : inverse;
        for (int32_t r = 0; r < w->columns; r++) {
            basis[(size_t)r * (size_t)rank + (size_t)k] = (float)(factor * vectors[(size_t)r * block + from]);
        }
    }
    memory_release(w->memory, vectors);
    return status;
}

cfd_status svd_basis(const memory_source *memory, ops *device, uint64_t seed, const ops_feature_source *features,
                     int32_t rank, float **basis)
{
    int32_t least = features->rows < features->columns ? features->rows : features->columns;
    int32_t more = rank / 8 > 16 ? rank / 8 : 16;
    workspace w = {.memory = memory, .device = device, .rows = features->rows, .columns = features->columns};
    w.block = least - rank < more ? least : rank + more;
    float *out = NULL;
    cfd_status status;
    TRY_OR(done, allocate(&w, features));
    TRY_OR(done, memory_allocate(memory, (size_t)w.columns * (size_t)rank, sizeof *out, "an svd basis", &out));
    TRY_OR(done, draw_start(&w, seed));
    TRY_OR(done, iterate(&w));
    TRY_OR(done, read_basis(&w, rank, out));
    *basis = out;
    out = NULL;
done:
    memory_release(memory, out);
    release(&w);
    return status;
}

cfd_status svd_apply(ops *device, const ops_feature_source *features, const float *basis, int32_t rank, float *out)
{
    const ops_table *t = device->table;
    size_t basis_bytes = (size_t)features->columns * (size_t)rank * sizeof(float);
    size_t out_bytes = (size_t)features->rows * (size_t)rank * sizeof(float);
    ops_features *handle = NULL;
    float *on_device = NULL;
    float *result = NULL;
    cfd_status status;
    TRY_OR(done, t->features_create(device, features, NULL, &handle));
    TRY_OR(done, t->allocate(device, basis_bytes, "an svd basis", &on_device));
    TRY_OR(done, t->allocate(device, out_bytes, "transformed features", &result));
    TRY_OR(done, t->upload(device, on_device, basis, basis_bytes));
    TRY_OR(done, t->project(device, handle, on_device, rank, result, rank));
    TRY_OR(done, t->download(device, out, result, out_bytes));
done:
    t->release(device, result);
    t->release(device, on_device);
    t->features_destroy(device, handle);
    return status;
}
