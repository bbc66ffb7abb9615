/* SPDX-License-Identifier: Apache-2.0 */
/* How long top-K takes beside the bare float32 product that it cannot do without unless it sorts items out first. A
 * program for people, not a test: build target bench_top_k, then
 *
 *     bench_top_k [THREADS [USERS ITEMS WIDTH K LATENT]]      (2 15576 8678 576 20 32)
 *
 * Embeddings are a mixture of LATENT directions, as training makes them, and half as much noise; with LATENT 0 noise alone,
 * which is the hardest to sort out. Lengths differ by row as popularity makes them differ. Every figure is the median of
 * several rounds, in which the contestants take turns, so that a busy machine slows all of them; besides seconds of the
 * clock the processor's are given, which other programs touch less. */
#define _POSIX_C_SOURCE 200809L
#include "api/handles.h"
#include "api/scorer_new.h"
#include "ops/cpu/gemm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHUNK_USERS = 1024, ROUNDS = 5, ONE_ROUNDS = 301 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double processor(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(cfd_status status, const char *what)
{
    if (status != CFD_OK) {
        fprintf(stderr, "%s: %s\n", what, cfd_last_error());
        exit(1);
    }
}

static void *get(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

static uint64_t state = 1;

static double uniform(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

static float normal(void)
{
    return (float)(sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()));
}

/* `directions` is latent x width; latent 0: noise. */
static float *rows_of(int32_t n, int32_t width, const float *directions, int32_t latent)
{
    enum { MOST = 256 };
    float *rows = get((size_t)n * (size_t)width * sizeof *rows);
    for (int32_t i = 0; i < n; i++) {
        float *row = rows + (size_t)i * (size_t)width;
        float length = (float)exp(0.3 * normal());
        float parts[MOST];
        for (int32_t l = 0; l < latent; l++) {
            parts[l] = normal() / sqrtf((float)latent);
        }
        for (int32_t c = 0; c < width; c++) {
            row[c] = (latent > 0 ? 0.5f : 1.0f) * normal();
        }
        for (int32_t l = 0; l < latent; l++) {
            for (int32_t c = 0; c < width; c++) {
                row[c] += parts[l] * directions[(size_t)l * (size_t)width + (size_t)c];
            }
        }
        for (int32_t c = 0; c < width; c++) {
            row[c] *= length;
        }
    }
    return rows;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times, size_t n)
{
    qsort(times, n, sizeof *times, ascending);
    return times[n / 2];
}

/* ---- the bare product: chunks of users, each on one thread, the chunk's scores forgotten ---- */

typedef struct product {
    const float *queries, *keys;
    int32_t users, items, width;
    float *scores; /* a chunk's for each chunk of a wave: threads take chunks in any order */
} product;

static void product_chunk(void *argument, size_t chunk)
{
    const product *p = argument;
    int32_t first = (int32_t)chunk * CHUNK_USERS;
    int32_t n = p->users - first < CHUNK_USERS ? p->users - first : CHUNK_USERS;
    float *scores = p->scores + chunk % 4 * CHUNK_USERS * (size_t)p->items;
    gemm(false, true, n, p->items, p->width, 1.0f, p->queries + (size_t)first * (size_t)p->width, p->width, p->keys,
         p->width, 0.0f, scores, p->items);
}

static cfd_context *open_context(int32_t threads, const char *scoring)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.threads = threads;
    options.scoring = scoring;
    cfd_context *context;
    check(cfd_context_create(&options, &context), "context");
    return context;
}

static cfd_scorer *open_scorer(cfd_context *context, const product *p)
{
    float *queries;
    float *keys;
    size_t query_bytes = (size_t)p->users * (size_t)p->width * sizeof *queries;
    size_t key_bytes = (size_t)p->items * (size_t)p->width * sizeof *keys;
    check(memory_allocate(&context->memory, query_bytes, 1, "queries", &queries), "queries");
    check(memory_allocate(&context->memory, key_bytes, 1, "keys", &keys), "keys");
    memcpy(queries, p->queries, query_bytes);
    memcpy(keys, p->keys, key_bytes);
    settings values;
    settings_init(&values);
    const char no_role[1][SETTINGS_ROLE_BYTES] = {""};
    cfd_scorer *scorer;
    double begin = now();
    check(scorer_handle_create(context, &values, no_role, 0, 0, p->users, p->items, p->width, queries, keys, &scorer),
          "scorer");
    printf("  a scorer made in %.1f ms\n", 1e3 * (now() - begin));
    return scorer;
}

int main(int argc, char **argv)
{
    int32_t numbers[6] = {2, 15576, 8678, 576, 20, 32};
    for (int i = 1; i < argc && i <= 6; i++) {
        numbers[i - 1] = atoi(argv[i]);
    }
    int32_t threads = numbers[0];
    size_t k = (size_t)numbers[4];
    product p = {.users = numbers[1], .items = numbers[2], .width = numbers[3]};
    int32_t latent = numbers[5] < 0 ? 0 : numbers[5] > 256 ? 256 : numbers[5];
    float *directions = rows_of(latent, p.width, NULL, 0);
    p.queries = rows_of(p.users, p.width, directions, latent);
    p.keys = rows_of(p.items, p.width, directions, latent);
    p.scores = get((size_t)4 * CHUNK_USERS * (size_t)p.items * sizeof(float));
    thread_pool *pool;
    check(threads_create(&memory_default, threads, &pool), "threads");

    static const char *const names[3] = {"float32", "int8", "auto"};
    cfd_scorer *scorers[3];
    for (int s = 0; s < 3; s++) {
        cfd_context *context = open_context(threads, names[s]);
        cfd_context_info info = CFD_CONTEXT_INFO_INIT;
        check(cfd_context_get_info(context, &info), "info");
        printf("%s: %s, %s, %s, %d threads\n", names[s], info.scoring, info.instruction_set, info.gemm, (int)info.threads);
        scorers[s] = open_scorer(context, &p);
        cfd_context_destroy(context);
    }

    size_t users = (size_t)p.users;
    int32_t *ids = get(users * sizeof *ids);
    for (int32_t i = 0; i < p.users; i++) {
        ids[i] = i;
    }
    int32_t *items[2] = {get(users * k * sizeof(int32_t)), get(users * k * sizeof(int32_t))};
    float *scores[2] = {get(users * k * sizeof(float)), get(users * k * sizeof(float))};

    static double clock[3][ROUNDS]; /* of the bare product, and of both kinds of lists */
    static double cpu[3][ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        for (int s = 0; s < 3; s++) {
            double begin = now();
            double cpu_begin = processor();
            if (s == 0) {
                threads_run(pool, blocks_of(users, CHUNK_USERS), product_chunk, &p);
            } else {
                check(cfd_recommend(scorers[s - 1], ids, users, k, NULL, items[s - 1], scores[s - 1], NULL), "recommend");
            }
            clock[s][r] = now() - begin;
            cpu[s][r] = processor() - cpu_begin;
        }
    }
    bool same = memcmp(items[0], items[1], users * k * sizeof(int32_t)) == 0 &&
                memcmp(scores[0], scores[1], users * k * sizeof(float)) == 0;
    double product_seconds = median(clock[0], ROUNDS);
    double product_cpu = median(cpu[0], ROUNDS);
    printf("bare product %.3f s, processor %.3f s\n", product_seconds, product_cpu);
    for (int s = 0; s < 2; s++) {
        double seconds = median(clock[s + 1], ROUNDS);
        double cpu_seconds = median(cpu[s + 1], ROUNDS);
        printf("top-%zu, %s: %.3f s, %.3f of it; processor %.3f s, %.3f of it\n", k, names[s], seconds,
               seconds / product_seconds, cpu_seconds, cpu_seconds / product_cpu);
    }
    printf("lists and scores %s\n", same ? "are the same" : "DIFFER");

    static double one[3][ONE_ROUNDS];
    for (int r = 0; r < ONE_ROUNDS; r++) {
        const float *query = p.queries + (size_t)(r * 37 % p.users) * (size_t)p.width;
        double begin = now();
        gemm(false, true, 1, p.items, p.width, 1.0f, query, p.width, p.keys, p.width, 0.0f, p.scores, p.items);
        one[0][r] = now() - begin;
        for (int s = 0; s < 2; s++) {
            begin = now();
            check(cfd_recommend(scorers[s], &ids[r * 37 % p.users], 1, k, NULL, items[0], scores[0], NULL), "recommend");
            one[s + 1][r] = now() - begin;
        }
    }
    double vector_seconds = median(one[0], ONE_ROUNDS);
    printf("one user: bare matrix-vector product %.0f us\n", 1e6 * vector_seconds);
    for (int s = 0; s < 2; s++) {
        double seconds = median(one[s + 1], ONE_ROUNDS);
        printf("one user, %s: %.0f us, %.3f of it\n", names[s], 1e6 * seconds, seconds / vector_seconds);
    }
    for (int s = 0; s < 3; s++) {
        cfd_scorer_release(scorers[s]);
    }
    threads_destroy(pool);
    return same ? 0 : 1;
}
