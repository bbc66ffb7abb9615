/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic data of stated size for measurements: the same for the same sizes and seed, everywhere. Few items are liked by
 * many and few users like many, as in real data; so it is with tags. Dense features are Gaussian. */
#ifndef BENCH_SYNTHETIC_H
#define BENCH_SYNTHETIC_H

#include <cfdtbd.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct synthetic_modality {
    char role[16]; /* "visual", "textual", "m3", ...: the first two as the presets know them */
    int32_t columns;
    int32_t per_item; /* tags of each item; 0: dense */
} synthetic_modality;

typedef struct synthetic {
    int32_t users, items, interactions;
    uint64_t seed;
    synthetic_modality modalities[CFD_MAX_MODALITIES];
    size_t n; /* modalities */
} synthetic;

/* From "4096,300" and "5000:12,..."; NULL: none. Returns -1, or the exit code after its message. */
int synthetic_modalities(const char *command, const char *dense, const char *sparse, synthetic *s);
/* Whether so many interactions can be. Returns -1, or the exit code after its message. */
int synthetic_check(const char *command, const synthetic *s);
/* Bytes of the features as a data set holds them: float32, and rows of ids and values. */
double synthetic_feature_bytes(const synthetic *s);

/* The interactions, by user: those of user u are items[offsets[u] .. offsets[u + 1]), distinct, in no order. Every user has
 * one at least. Both are the caller's to free. Returns EXIT_DONE, or the exit code after its message. */
int synthetic_interactions(const synthetic *s, int64_t **offsets, int32_t **items);
/* The tags of a modality, by item, in the same form. */
int synthetic_tags(const synthetic *s, size_t modality, int64_t **offsets, int32_t **columns);
/* The dense features of an item. */
void synthetic_row(const synthetic *s, size_t modality, int32_t item, float *row);

/* A data set of all of them, every interaction in train. Nothing but the data set remains in memory. */
int synthetic_dataset(cfd_context *context, const synthetic *s, cfd_dataset **dataset);

#endif
