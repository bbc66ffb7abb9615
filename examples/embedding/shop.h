/* SPDX-License-Identifier: Apache-2.0 */
/* A shop as a program might have it in memory already: products with an embedding each, keywords, purchases. */
#ifndef EMBEDDING_SHOP_H
#define EMBEDDING_SHOP_H

#include <stdint.h>

enum {
    N_CUSTOMERS = 60,
    N_PRODUCTS = 30,
    N_KINDS = 3, /* product i is of kind i % N_KINDS, and so are its picture, its keywords and its buyers */
    N_KEYWORDS = 12,
    KEYWORDS_EACH = 2,
    BOUGHT_EACH = 5,
    N_PURCHASES = N_CUSTOMERS * BOUGHT_EACH,
    EMBEDDING = 8
};

typedef struct product {
    int32_t number;
    float price;
    float embedding[EMBEDDING]; /* of its picture */
} product;

typedef struct shop {
    product products[N_PRODUCTS];
    int64_t keyword_offsets[N_PRODUCTS + 1]; /* CSR: where the keywords of each product begin */
    int32_t keywords[N_PRODUCTS * KEYWORDS_EACH];
    int32_t buyers[N_PURCHASES], bought[N_PURCHASES]; /* who bought what */
} shop;

void shop_open(shop *s);

#endif
