/* SPDX-License-Identifier: Apache-2.0 */
/* The two modalities: words of the one-line descriptions, and debtags. */
#ifndef CONTENT_H
#define CONTENT_H

#include "../common/output.h"
#include "packages.h"

/* A modality of tags: which tags each item has. Zero-initialise; content_release in the end. */
typedef struct content {
    name_table vocabulary;
    int32_t *tags; /* numbers in the vocabulary, item after item; repeated ones and all */
    size_t n, capacity;
    size_t *offsets; /* items + 1, into tags */
    int32_t n_items;
} content;

int content_of_words(content *words, const packages *all, const id_map *items, complaint *problem);
int content_of_debtags(content *debtags, const packages *all, const id_map *items, complaint *problem);

/* Drops tags that fewer than min_items items have and numbers the others afresh, in order of first appearance.
 * Each item's tags are ascending and distinct afterwards. *n_described: items that keep a tag. */
int content_prune(content *of, int32_t min_items, int32_t *n_described, complaint *problem);

/* NAME.tags.txt ("item tag tag ...", items without a tag left out) and NAME.vocabulary.txt (a line for each tag). */
int content_write(const content *of, output *out, const char *tags_file, const char *vocabulary_file, complaint *problem);
void content_release(content *of);

#endif
