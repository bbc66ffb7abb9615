/* SPDX-License-Identifier: Apache-2.0 */
/* Reference: Adam (SPEC 6) and scores (SPEC 4). */
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

cfd_status ref_score_pairs(const ops *o, const float *row, const float *rows, const int32_t *ids, int64_t n,
                           int32_t width, float *scores)
{
    for (int64_t i = 0; i < n; i++) {
        scores[i] = score(row, rows + (int64_t)ids[i] * width, width);
    }
    return CFD_OK;
}
