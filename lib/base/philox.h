/* SPDX-License-Identifier: Apache-2.0 */
/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a random number is a
 * function of a key and a counter, so every draw has an address and none depends on the order of computation. */
#ifndef CFD_BASE_PHILOX_H
#define CFD_BASE_PHILOX_H

#include "base/device_code.h"

#include <stdint.h>

/* What the numbers are for: streams never overlap. */
enum philox_stream {
    PHILOX_INIT = 1,      /* major = tensor, minor = index / 4 */
    PHILOX_USERS = 2,     /* major = step, minor = Feistel half and round */
    PHILOX_PAIRS = 3,     /* major = step, minor = position in the batch */
    PHILOX_EPOCH = 4,     /* major = epoch, minor = Feistel half and round */
    PHILOX_NEGATIVES = 5, /* major = user, minor = draw */
    PHILOX_SKETCH = 6,    /* major = row, minor = column / 4 */
    PHILOX_MISSING = 7    /* major = modality, minor = item */
};

typedef struct philox_block {
    uint32_t word[4];
} philox_block;

HOST_DEVICE static inline philox_block philox(uint64_t seed, enum philox_stream stream, uint64_t major, uint32_t minor)
{
    philox_block c = {{minor, (uint32_t)stream, (uint32_t)major, (uint32_t)(major >> 32)}};
    uint32_t k0 = (uint32_t)seed;
    uint32_t k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c.word[0];
        uint64_t p1 = (uint64_t)0xCD9E8D57u * c.word[2];
        philox_block next = {
            {(uint32_t)(p1 >> 32) ^ c.word[1] ^ k0, (uint32_t)p1, (uint32_t)(p0 >> 32) ^ c.word[3] ^ k1, (uint32_t)p0}};
        c = next;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

/* Uniform in [0, bound) from 64 random bits; the bias is below bound / 2^64. bound below 2^32. */
HOST_DEVICE static inline uint32_t philox_below(uint32_t high, uint32_t low, uint32_t bound)
{
    uint64_t top = (uint64_t)high * bound;
    uint64_t bottom = (uint64_t)low * bound;
    return (uint32_t)((top + (bottom >> 32)) >> 32);
}

/* Uniform in [0, 1), 24 bits: exact in float. */
HOST_DEVICE static inline float philox_unit(uint32_t word)
{
    return (float)(word >> 8) * (1.0f / 16777216.0f);
}

/* A random permutation of [0, n), addressed: where does `index` go? A Feistel network of eight Philox rounds over the
 * next even number of bits, walked until it falls inside [0, n) (fewer than four walks on average). */
HOST_DEVICE static inline uint64_t philox_permute(uint64_t seed, enum philox_stream stream, uint64_t major, uint64_t n,
                                                  uint64_t index)
{
    uint32_t half = 1;
    while (half < 31 && (n - 1) >> (2 * half) != 0) {
        half++;
    }
    uint64_t mask = ((uint64_t)1 << half) - 1;
    do {
        uint64_t left = index >> half;
        uint64_t right = index & mask;
        for (uint32_t round = 0; round < 8; round++) {
            /* The half fits in 31 bits; the round stands in the counter through the key's place in major. */
            philox_block mixed = philox(seed ^ ((uint64_t)(round + 1) << 56), stream, major, (uint32_t)right);
            uint64_t next = left ^ (mixed.word[0] & mask);
            left = right;
            right = next;
        }
        index = left << half | right;
    } while (index >= n);
    return index;
}

#endif
