/* SPDX-License-Identifier: Apache-2.0 */
/* A request for lists, and the lists that a device makes in memory of its own. */
#ifndef CFD_SERVE_RECOMMEND_DEVICE_H
#define CFD_SERVE_RECOMMEND_DEVICE_H

#include "serve/filter.h"
#include "serve/scorer.h"

typedef struct recommend_request {
    const scorer *s;
    const int32_t *users; /* n_users ids */
    const float *queries; /* or n_users query rows, contiguous, of users that the scorer does not know; else NULL */
    size_t n_users, k;
    list_filter filter;
    int32_t *items;  /* out: n_users x k */
    float *scores;   /* out: n_users x k; may be NULL */
    int32_t *counts; /* out: n_users; may be NULL */
} recommend_request;

/* Does the scorer's device make lists of this length? */
bool recommend_on_device_fits(const recommend_request *asked);
cfd_status recommend_on_device(const recommend_request *asked);

#endif
