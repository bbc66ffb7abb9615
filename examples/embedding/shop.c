/* SPDX-License-Identifier: Apache-2.0 */
/* The shop's numbers, made up: see shop.h. */
#include "shop.h"

static float noise(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return (float)(*state >> 16) / 65536.0F - 0.5F;
}

void shop_open(shop *s)
{
    uint32_t state = 1;
    for (int32_t i = 0; i < N_PRODUCTS; i++) {
        product *p = &s->products[i];
        p->number = 1000 + i;
        p->price = 10.0F + noise(&state);
        for (int32_t column = 0; column < EMBEDDING; column++) {
            p->embedding[column] = (column % N_KINDS == i % N_KINDS ? 1.0F : 0.0F) + 0.2F * noise(&state);
        }
        s->keyword_offsets[i] = (int64_t)i * KEYWORDS_EACH;
        for (int32_t k = 0; k < KEYWORDS_EACH; k++) { /* four keywords of each kind */
            s->keywords[i * KEYWORDS_EACH + k] = i % N_KINDS + N_KINDS * ((i + k) % (N_KEYWORDS / N_KINDS));
        }
    }
    s->keyword_offsets[N_PRODUCTS] = (int64_t)N_PRODUCTS * KEYWORDS_EACH;
    for (int32_t n = 0; n < N_PURCHASES; n++) {
        int32_t customer = n / BOUGHT_EACH;
        s->buyers[n] = customer;
        s->bought[n] = (customer % N_KINDS + N_KINDS * (customer / N_KINDS * 3 + n % BOUGHT_EACH)) % N_PRODUCTS;
    }
}
