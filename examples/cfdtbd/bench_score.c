/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd bench score: the best k items of all users, and of one at a time, as the library chooses to find them and in
 * float32 throughout, beside the bare float32 product of all query and key rows. */
#define _POSIX_C_SOURCE 200809L
#include "../common/held_signals.h"
#include "bench.h"
#include "bench_callers.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 2, /* as chosen; float32 */
    DEFAULT_RUNS = 7,
    LEAST_RUNS = 5,
    MOST_RUNS = 1000,
    SINGLE_USERS = 500,   /* asked one at a time, */
    SINGLE_PARTS = 5,     /* in so many parts, after each of which come as many products of one row */
    CALLERS = 2,          /* numbers of callers that ask at once: one, and as many as there are threads */
    PRODUCT_USERS = 1024, /* of a bare product */
    PRODUCTS = 2,         /* bare products in a run */
    TRAINED_STEPS = 5     /* so that the embeddings are not what they were drawn as */
};

typedef struct score_choices {
    const char *model;
    int32_t k, runs;
    bool json;
    synthetic data;
    machine on;
} score_choices;

/* What one user's or all users' lists are written to. */
typedef struct lists {
    int32_t *users, *items;
    float *scores;
} lists;

typedef struct scoring {
    cfd_context *contexts[WAYS];
    cfd_scorer *scorers[WAYS];
    cfd_scorer_info info;
    lists lists[WAYS];
    double *seconds[WAYS], *products, *single[WAYS], vectors[SINGLE_USERS];
    size_t n_single;
    spread all[WAYS], one[WAYS], product, vector;
    int32_t callers[CALLERS], n_callers;
    callers_times asked[CALLERS];
} scoring;

enum { CALL_SECONDS = 2 };

/* ---- the scorer ---- */

/* A little training at the preset's widths: two roles of 2 x 64 columns, base and fused branch make 576. */
static int train_and_save(const score_choices *c, const char *path)
{
    step_choices s = {.preset = "beauty", .data = c->data, .on = c->on};
    cfd_context *context = NULL;
    cfd_config *config = NULL;
    cfd_dataset *dataset = NULL;
    cfd_model *model = NULL;
    s.data.seed = c->on.seed;
    int code = synthetic_modalities("bench score", "32,16", NULL, &s.data);
    code = code < 0 ? step_config("bench score", &s, &config) : code;
    code = code == EXIT_DONE ? open_context(&c->on, &context) : code;
    code = code == EXIT_DONE ? synthetic_dataset(context, &s.data, &dataset) : code;
    if (code == EXIT_DONE && cfd_model_create(context, config, dataset, &model) != CFD_OK) {
        code = failed_in_library();
    }
    for (int k = 0; k < TRAINED_STEPS && code == EXIT_DONE; k++) {
        code = cfd_train_step(model, NULL, NULL) != CFD_OK ? failed_in_library()
               : signals_waiting()                         ? failed("interrupted")
                                                           : EXIT_DONE;
    }
    if (code == EXIT_DONE && cfd_model_save(model, path) != CFD_OK) {
        code = failed_in_library();
    }
    cfd_model_destroy(model);
    cfd_dataset_destroy(dataset);
    cfd_config_destroy(config);
    cfd_context_destroy(context);
    return code;
}

static int load_scorers(const score_choices *c, const char *path, scoring *s)
{
    static const char *const names[WAYS] = {NULL, "float32"};
    int code = EXIT_DONE;
    for (int w = 0; w < WAYS && code == EXIT_DONE; w++) {
        machine on = c->on;
        on.scoring = names[w];
        code = open_context(&on, &s->contexts[w]);
        if (code == EXIT_DONE && cfd_scorer_load(s->contexts[w], path, &s->scorers[w]) != CFD_OK) {
            code = failed_in_library();
        }
    }
    if (code == EXIT_DONE && cfd_scorer_get_info(s->scorers[0], &s->info) != CFD_OK) {
        code = failed_in_library();
    }
    return code;
}

/* By way of a file, for a scorer stays in its context. */
static int make_scorers(const score_choices *c, scoring *s)
{
    char directory[SCRATCH_BYTES] = "";
    char path[SCRATCH_BYTES];
    if (c->model) {
        return load_scorers(c, c->model, s);
    }
    int code = scratch_make(directory);
    if (code == EXIT_DONE) {
        scratch_path(path, directory, "model.safetensors");
        code = train_and_save(c, path);
    }
    if (code == EXIT_DONE) {
        code = load_scorers(c, path, s);
    }
    scratch_remove(directory);
    return code;
}

/* ---- measuring ---- */

static int make_room(const score_choices *c, scoring *s)
{
    size_t users = (size_t)s->info.n_users;
    size_t k = (size_t)c->k;
    bool made = true;
    s->n_single = users < SINGLE_USERS ? users : SINGLE_USERS;
    for (int w = 0; w < WAYS; w++) {
        lists *l = &s->lists[w];
        l->users = malloc(users * sizeof *l->users);
        l->items = users <= SIZE_MAX / sizeof *l->items / k ? malloc(users * k * sizeof *l->items) : NULL;
        l->scores = l->items ? malloc(users * k * sizeof *l->scores) : NULL;
        s->seconds[w] = malloc((size_t)c->runs * sizeof(double));
        s->single[w] = malloc(s->n_single * sizeof(double));
        made = made && l->users && l->items && l->scores && s->seconds[w] && s->single[w];
        for (size_t u = 0; u < users && l->users; u++) {
            l->users[u] = (int32_t)u;
        }
    }
    s->products = malloc((size_t)c->runs * PRODUCTS * sizeof(double));
    return made && s->products ? EXIT_DONE : out_of_memory();
}

static int recommend(const score_choices *c, scoring *s, int way, size_t first, size_t n, double *seconds)
{
    lists *l = &s->lists[way];
    double begun = seconds_now();
    if (cfd_recommend(s->scorers[way], l->users + first, n, (size_t)c->k, NULL, l->items, l->scores, NULL) != CFD_OK) {
        return failed_in_library();
    }
    *seconds = seconds_now() - begun;
    return EXIT_DONE;
}

/* The bare product of all users, by that of some at a time: its matrix of scores need not fit in memory. */
static int multiply(scoring *s, double *seconds)
{
    cfd_probe probe = CFD_PROBE_INIT;
    probe.kind = CFD_PROBE_SCORES;
    probe.rows = s->info.n_users < PRODUCT_USERS ? s->info.n_users : PRODUCT_USERS;
    probe.inner = s->info.width;
    probe.columns = s->info.n_items;
    if (cfd_context_probe(s->contexts[0], &probe, seconds, PRODUCTS) != CFD_OK) {
        return failed_in_library();
    }
    for (int k = 0; k < PRODUCTS; k++) {
        seconds[k] *= (double)s->info.n_users / (double)probe.rows;
    }
    return EXIT_DONE;
}

/* One after the other in every run, so that a busy minute hits all alike. The first run is not counted. */
static int measure_all(const score_choices *c, scoring *s)
{
    size_t users = (size_t)s->info.n_users;
    int code = EXIT_DONE;
    for (int32_t run = -1; run < c->runs && code == EXIT_DONE; run++) {
        double seconds[WAYS], products[PRODUCTS];
        for (int w = 0; w < WAYS && code == EXIT_DONE; w++) {
            code = recommend(c, s, w, 0, users, &seconds[w]);
        }
        code = code == EXIT_DONE ? multiply(s, products) : code;
        if (code == EXIT_DONE && run >= 0) {
            for (int w = 0; w < WAYS; w++) {
                s->seconds[w][run] = seconds[w];
            }
            memcpy(s->products + (size_t)run * PRODUCTS, products, sizeof products);
        }
    }
    return code;
}

/* The bare product of one row with all keys, n times. */
static int multiply_row(scoring *s, double *seconds, size_t n)
{
    cfd_probe probe = CFD_PROBE_INIT;
    probe.kind = CFD_PROBE_SCORES;
    probe.rows = 1;
    probe.inner = s->info.width;
    probe.columns = s->info.n_items;
    return cfd_context_probe(s->contexts[0], &probe, seconds, n) == CFD_OK ? EXIT_DONE : failed_in_library();
}

/* Users one at a time, spread over all of them, and in between the bare product of one row. */
static int measure_single(const score_choices *c, scoring *s)
{
    int code = EXIT_DONE;
    size_t part = (s->n_single + SINGLE_PARTS - 1) / SINGLE_PARTS;
    for (size_t first = 0; first < s->n_single && code == EXIT_DONE; first += part) {
        size_t n = s->n_single - first < part ? s->n_single - first : part;
        for (int w = 0; w < WAYS; w++) { /* a way at a time: its keys are in the cache, as they are in a service */
            for (size_t i = first; i < first + n && code == EXIT_DONE; i++) {
                code = recommend(c, s, w, i * ((size_t)s->info.n_users / s->n_single), 1, &s->single[w][i]);
            }
        }
        code = code == EXIT_DONE ? multiply_row(s, s->vectors + first, n) : code;
    }
    return code;
}

/* Callers that ask at once, each for one user. */
static int measure_callers(const score_choices *c, scoring *s)
{
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    int code = cfd_context_get_info(s->contexts[0], &info) == CFD_OK ? EXIT_DONE : failed_in_library();
    s->callers[0] = 1;
    s->callers[1] = info.threads;
    s->n_callers = info.threads > 1 ? CALLERS : 1;
    for (int i = 0; i < s->n_callers && code == EXIT_DONE; i++) {
        code = bench_callers(s->scorers[0], s->callers[i], c->k, CALL_SECONDS, &s->asked[i]);
    }
    return code;
}

/* Both ways must find the same. */
static int compare_lists(const score_choices *c, const scoring *s)
{
    size_t n = (size_t)s->info.n_users * (size_t)c->k;
    if (memcmp(s->lists[0].items, s->lists[1].items, n * sizeof(int32_t)) != 0 ||
        memcmp(s->lists[0].scores, s->lists[1].scores, n * sizeof(float)) != 0) {
        return failed("the lists are not those that float32 finds");
    }
    return EXIT_DONE;
}

/* ---- results ---- */

static const char *way_chosen(const scoring *s)
{
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    (void)cfd_context_get_info(s->contexts[0], &info);
    return info.scoring;
}

static spread in_milliseconds(const spread *s)
{
    return (spread){s->least * 1e3, s->lower * 1e3, s->median * 1e3, s->upper * 1e3, s->most * 1e3};
}

static void print_results(const score_choices *c, const scoring *s)
{
    spread one[WAYS] = {in_milliseconds(&s->one[0]), in_milliseconds(&s->one[1])};
    spread vector = in_milliseconds(&s->vector);
    double operations = 2.0 * s->info.n_users * (double)s->info.n_items * s->info.width;
    char chosen[32];
    snprintf(chosen, sizeof chosen, "chosen: %s", way_chosen(s));
    if (!c->json) {
        report_machine(s->contexts[0]);
        report_line("scorer", "%d users, %d items, %d columns", (int)s->info.n_users, (int)s->info.n_items,
                    (int)s->info.width);
        printf("\nbest %d items of every user\n", (int)c->k);
        report_spread(chosen, &s->all[0], "s", 4);
        report_spread("float32", &s->all[1], "s", 4);
        report_spread("bare product", &s->product, "s", 4);
        report_line("", "%.2f and %.2f times the bare product, which does %.0f GFLOP/s",
                    s->all[0].median / s->product.median, s->all[1].median / s->product.median,
                    operations / s->product.median * 1e-9);
        printf("\nof one user\n");
        report_spread(chosen, &one[0], "ms", 3);
        report_spread("float32", &one[1], "ms", 3);
        report_spread("bare product", &vector, "ms", 3);
        report_line("", "%.2f and %.2f times the bare product of one row", one[0].median / vector.median,
                    one[1].median / vector.median);
        for (int i = 0; i < s->n_callers; i++) {
            report_line("callers", "%d at once: %.0f lists a second, median %.3f ms, 99th percentile %.3f ms",
                        (int)s->callers[i], s->asked[i].per_second, s->asked[i].median * 1e3, s->asked[i].p99 * 1e3);
        }
        return;
    }
    json j = json_begin(stdout, true);
    json_open(&j, NULL, '{');
    spread_json(&j, "seconds", &s->all[0]);
    spread_json(&j, "float32_seconds", &s->all[1]);
    spread_json(&j, "product_seconds", &s->product);
    json_number(&j, "seconds_by_product", s->all[0].median / s->product.median);
    json_number(&j, "float32_seconds_by_product", s->all[1].median / s->product.median);
    json_number(&j, "product_gflops", operations / s->product.median * 1e-9);
    spread_json(&j, "user_ms", &one[0]);
    spread_json(&j, "float32_user_ms", &one[1]);
    spread_json(&j, "product_user_ms", &vector);
    json_number(&j, "user_by_product", one[0].median / vector.median);
    json_open(&j, "callers", '[');
    for (int i = 0; i < s->n_callers; i++) {
        json_open(&j, NULL, '{');
        json_signed(&j, "callers", s->callers[i]);
        json_number(&j, "per_second", s->asked[i].per_second);
        json_number(&j, "median_ms", s->asked[i].median * 1e3);
        json_number(&j, "p99_ms", s->asked[i].p99 * 1e3);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_text(&j, "scoring", way_chosen(s));
    json_signed(&j, "users", s->info.n_users);
    json_signed(&j, "items", s->info.n_items);
    json_signed(&j, "width", s->info.width);
    json_signed(&j, "k", c->k);
    json_signed(&j, "runs", c->runs);
    json_bool(&j, "lists_equal", true); /* else there were no results */
    machine_json(&j, s->contexts[0]);
    json_close(&j, '}');
    json_end(&j);
}

static int bench(const score_choices *c, scoring *s)
{
    int code = make_scorers(c, s);
    code = code == EXIT_DONE ? make_room(c, s) : code;
    code = code == EXIT_DONE ? measure_all(c, s) : code;
    code = code == EXIT_DONE ? compare_lists(c, s) : code;
    code = code == EXIT_DONE ? measure_single(c, s) : code;
    code = code == EXIT_DONE ? measure_callers(c, s) : code;
    if (code == EXIT_DONE) {
        for (int w = 0; w < WAYS; w++) {
            s->all[w] = spread_of(s->seconds[w], (size_t)c->runs);
            s->one[w] = spread_of(s->single[w], s->n_single);
        }
        s->product = spread_of(s->products, (size_t)c->runs * PRODUCTS);
        s->vector = spread_of(s->vectors, s->n_single);
        print_results(c, s);
    }
    for (int w = 0; w < WAYS; w++) {
        cfd_scorer_release(s->scorers[w]);
        cfd_context_destroy(s->contexts[w]);
        free(s->lists[w].users);
        free(s->lists[w].items);
        free(s->lists[w].scores);
        free(s->seconds[w]);
        free(s->single[w]);
    }
    free(s->products);
    return code;
}

int bench_score(int argc, char **argv)
{
    score_choices c = {.k = 20,
                       .runs = DEFAULT_RUNS,
                       .on = MACHINE_INIT,
                       .data = {.users = 15576, .items = 8678, .interactions = 139318}};
    scoring s = {.info = CFD_SCORER_INFO_INIT};
    const option options[] = {
        DATA_OPTIONS(&c.data),
        {"model", "MODEL", "a saved model instead of one of synthetic data", OPTION_TEXT, &c.model, 0, 0},
        {"k", "N", "how many items of each user (default: 20)", OPTION_INTEGER, &c.k, 1, 100000},
        {"runs", "N", "over all users (default: 7)", OPTION_INTEGER, &c.runs, LEAST_RUNS, MOST_RUNS},
        {"seed", "S", "of data and training (default: 2024)", OPTION_SEED, &c.on.seed, 0, 0},
        {"json", NULL, "print JSON", OPTION_FLAG, &c.json, 0, 0},
        MACHINE_OPTIONS(&c.on),
    };
    const command_line line = {"bench score",
                               "Times the lists of all users, and of one, beside the bare product.",
                               NULL,
                               0,
                               0,
                               options,
                               sizeof options / sizeof options[0],
                               NULL};
    int code = options_parse(&line, argc, argv, NULL);
    if (code < 0) {
        code = c.model ? -1 : synthetic_check(line.command, &c.data);
    }
    return code < 0 ? bench(&c, &s) : code;
}
