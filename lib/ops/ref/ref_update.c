/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: Adam (SPEC 6) and scores (SPEC 4); nothing is sorted out. */
#include "ops/ref/ref.h"

#include <math.h>

cfd_status ref_adam(ops *o, const ops_adam_tensor *tensors, int32_t n, const ops_adam_settings *settings)
{
    double beta1 = settings->beta1;
    double beta2 = settings->beta2;
    double rate = settings->learning_rate * sqrt(1 - pow(beta2, (double)settings->step)) /
                  (1 - pow(beta1, (double)settings->step));
    for (int32_t t = 0; t < n; t++) {
        const ops_adam_tensor *tensor = &tensors[t];
        for (size_t k = 0; k < tensor->size; k++) {
            double gradient = tensor->gradient[k];
            double m = beta1 * tensor->moment1[k] + (1 - beta1) * gradient;
            double v = beta2 * tensor->moment2[k] + (1 - beta2) * gradient * gradient;
            tensor->moment1[k] = (float)m;
            tensor->moment2[k] = (float)v;
            tensor->parameter[k] = (float)(tensor->parameter[k] - rate * m / (sqrt(v) + settings->epsilon));
        }
    }
    return CFD_OK;
}

static float score(const float *x, const float *y, int32_t width)
{
    double sum = 0;
    for (int32_t c = 0; c < width; c++) {
        sum += (double)x[c] * y[c];
    }
    return (float)sum;
}

cfd_status ref_score_block(const ops *o, const float *queries, int64_t n_queries, const float *keys, int64_t n_keys,
                           int32_t width, float *scores, int64_t ld)
{
    for (int64_t u = 0; u < n_queries; u++) {
        for (int64_t i = 0; i < n_keys; i++) {
            scores[u * ld + i] = score(queries + u * width, keys + i * width, width);
        }
    }
    return CFD_OK;
}

cfd_status ref_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n, int32_t width,
                           float *scores)
{
    for (int64_t i = 0; i < n; i++) {
        scores[i] = score(row, rows + (int64_t)ids[i] * width, width);
    }
    return CFD_OK;
}

ops_scoring ref_scoring(const ops *o)
{
    return OPS_SCORING_FLOAT32;
}

cfd_status ref_set_scoring(ops *o, ops_scoring wanted)
{
    return wanted == OPS_SCORING_INT8 ? fail(CFD_ERROR_DEVICE, "the reference does not score in int8") : CFD_OK;
}

cfd_status ref_keys_create(ops *o, const float *keys, int32_t n, int32_t width, ops_keys **out)
{
    *out = NULL;
    return CFD_OK;
}

void ref_keys_destroy(ops *o, ops_keys *keys) {}

size_t ref_sort_out_bytes(const ops_keys *keys, int32_t n_queries, int32_t k, int32_t capacity)
{
    return 0;
}

/* Without keys of its own kind it is never asked. */
cfd_status ref_sort_out(const ops *o, const ops_keys *keys, const ops_sorting *what)
{
    for (int32_t u = 0; u < what->n_queries; u++) {
        what->counts[u] = -1;
    }
    return CFD_OK;
}
