/* SPDX-License-Identifier: Apache-2.0 */
/* The data of every consumer here: a shop of which it is known who likes what. Customers buy mostly products of two kinds,
 * photos and tags say which kind a product is, not too plainly. What a consumer recommends is printed with the bits of its
 * scores, so that the outputs of two consumers can be compared, and judged by the kinds it lists. C89 and C++17 both compile
 * it without warnings. */
#ifndef SHOP_H
#define SHOP_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    SHOP_CUSTOMERS = 900,
    SHOP_PRODUCTS = 480,
    SHOP_KINDS = 8,
    SHOP_EACH = 12,   /* purchases of a customer, repeats included */
    SHOP_PIXELS = 48, /* columns of the photos */
    SHOP_TAGS = 40,   /* columns of the tags; the first SHOP_KINDS are the kinds */
    SHOP_LISTED = 10, /* products of a list */
    SHOP_PURCHASES = SHOP_CUSTOMERS * SHOP_EACH
};

typedef struct shop {
    int32_t everyone[SHOP_CUSTOMERS];          /* 0, 1, 2, ... */
    int32_t customers[SHOP_PURCHASES];         /* who bought */
    int32_t products[SHOP_PURCHASES];          /* what */
    float photos[SHOP_PRODUCTS * SHOP_PIXELS]; /* a row per product */
    int64_t tag_offsets[SHOP_PRODUCTS + 1];    /* CSR, two tags a product */
    int32_t tags[2 * SHOP_PRODUCTS];
} shop;

/* Recommendations: SHOP_LISTED products for each customer, best first. */
typedef struct shop_lists {
    int32_t products[SHOP_CUSTOMERS * SHOP_LISTED];
    float scores[SHOP_CUSTOMERS * SHOP_LISTED];
} shop_lists;

/* The next number of a linear congruential sequence, from 0 to n - 1. */
static int32_t shop_draw(uint32_t *state, int32_t n)
{
    *state = *state * 1664525u + 1013904223u;
    return (int32_t)((*state >> 8) % (uint32_t)n);
}

static int shop_likes(int32_t customer, int32_t product)
{
    int32_t kind = product % SHOP_KINDS;
    return kind == customer % SHOP_KINDS || kind == (customer + 3) % SHOP_KINDS;
}

static void shop_fill(shop *s)
{
    uint32_t state = 7;
    int32_t n, p, c;
    for (n = 0; n < SHOP_CUSTOMERS; n++) {
        s->everyone[n] = n;
    }
    for (n = 0; n < SHOP_PURCHASES; n++) {
        int by_mistake = shop_draw(&state, 3) == 0;
        s->customers[n] = n / SHOP_EACH;
        do {
            s->products[n] = shop_draw(&state, SHOP_PRODUCTS);
        } while (!by_mistake && !shop_likes(s->customers[n], s->products[n]));
    }
    for (p = 0; p < SHOP_PRODUCTS; p++) {
        s->tag_offsets[p] = 2 * p;
        s->tags[2 * p] = shop_draw(&state, 2) == 0 ? p % SHOP_KINDS : shop_draw(&state, SHOP_KINDS);
        s->tags[2 * p + 1] = SHOP_KINDS + shop_draw(&state, SHOP_TAGS - SHOP_KINDS);
        for (c = 0; c < SHOP_PIXELS; c++) {
            float noise = (float)(shop_draw(&state, 6145) - 3072) / 1024.0f;
            s->photos[p * SHOP_PIXELS + c] = noise + (c % SHOP_KINDS == p % SHOP_KINDS ? 1.0f : 0.0f);
        }
    }
    s->tag_offsets[SHOP_PRODUCTS] = 2 * SHOP_PRODUCTS;
}

static unsigned long shop_bits(float score)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return (unsigned long)bits;
}

/* A number that two sets of lists share only if they are the same, bit by bit. FNV-1a over products and bits of scores. */
static unsigned long shop_digest(const shop_lists *lists)
{
    uint32_t digest = 2166136261u;
    int i;
    for (i = 0; i < SHOP_CUSTOMERS * SHOP_LISTED; i++) {
        digest = (digest ^ (uint32_t)lists->products[i]) * 16777619u;
        digest = (digest ^ (uint32_t)shop_bits(lists->scores[i])) * 16777619u;
    }
    return (unsigned long)digest;
}

/* 0 if the lists are those of a model that has learnt. Two kinds of eight are liked, a quarter of blind lists. Measured:
 * 0.95 of the products are liked, 0.42 before training. */
static int shop_judge(const shop_lists *lists)
{
    int i, liked = 0;
    for (i = 0; i < SHOP_CUSTOMERS * SHOP_LISTED; i++) {
        int32_t product = lists->products[i];
        if (product < 0 || product >= SHOP_PRODUCTS) {
            fprintf(stderr, "shop: place %d of the lists has no product, but %ld\n", i, (long)product);
            return 1;
        }
        liked += shop_likes(i / SHOP_LISTED, product);
    }
    if (liked < SHOP_CUSTOMERS * SHOP_LISTED * 4 / 5) {
        fprintf(stderr, "shop: only %d of %d listed products are liked\n", liked, SHOP_CUSTOMERS * SHOP_LISTED);
        return 1;
    }
    return 0;
}

/* Prints the list of customer 0 and the digest of all; returns what shop_judge returns. */
static int shop_print(const shop_lists *lists)
{
    int k;
    for (k = 0; k < SHOP_LISTED; k++) {
        printf("product %ld, score %08lx\n", (long)lists->products[k], shop_bits(lists->scores[k]));
    }
    printf("all lists: %08lx\n", shop_digest(lists));
    return shop_judge(lists);
}

#endif
