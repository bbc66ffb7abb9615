/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd bench step: the time and memory of a training step, then its parts beside what the machine can do. */
#define _POSIX_C_SOURCE 200809L
#include "bench_parts.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STEPS = 100000, ROUNDS = 5, LEAST_IN_ROUND = 3, PRODUCTS_IN_ROUND = 2 };
#define ROUND_SECONDS 0.6

typedef struct measured {
    cfd_model *model;
    cfd_model_info info;
    double peak;     /* bytes */
    bool whole_peak; /* it is the process's since its start: the source of the features is in it */
    double *seconds; /* of each step */
    size_t steps;
    double products[ROUNDS * PRODUCTS_IN_ROUND];
    spread step, product;
} measured;

/* ---- memory ---- */

/* From here on the peak is counted anew. */
static bool reset_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file) {
        return false;
    }
    bool written = fputs("5", file) >= 0;
    return fclose(file) == 0 && written;
}

static double peak_bytes(void)
{
    char line[256];
    long long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && kilobytes == 0 && fgets(line, sizeof line, file)) {
        (void)sscanf(line, "VmHWM: %lld kB", &kilobytes);
    }
    if (file) {
        (void)fclose(file);
    }
    return 1024.0 * (double)kilobytes;
}

/* ---- steps ---- */

static int take_step(measured *m, double *seconds)
{
    double begun = seconds_now();
    if (cfd_train_step(m->model, NULL, NULL) != CFD_OK || cfd_model_synchronise(m->model) != CFD_OK) {
        return failed_in_library();
    }
    *seconds = seconds_now() - begun;
    return EXIT_DONE;
}

/* Makes the model and takes its first steps, one at least: by then all memory of a step is there. */
static int begin(const step_choices *c, cfd_context *context, const cfd_config *config, cfd_dataset *dataset, measured *m)
{
    double ignored;
    int code = EXIT_DONE;
    m->seconds = malloc((c->steps ? (size_t)c->steps : MOST_STEPS) * sizeof *m->seconds);
    if (!m->seconds) {
        return out_of_memory();
    }
    m->whole_peak = !reset_peak();
    if (cfd_model_create(context, config, dataset, &m->model) != CFD_OK ||
        cfd_model_get_info(m->model, &m->info) != CFD_OK) {
        return failed_in_library();
    }
    for (int32_t k = 0; k == 0 || (k < c->warm_up && code == EXIT_DONE); k++) {
        code = take_step(m, &ignored);
    }
    m->peak = peak_bytes();
    return code;
}

/* The parts, by a model of their own; as many steps as will be timed without them, or about. */
static int time_parts(const step_choices *c, const cfd_config *config, cfd_dataset *dataset, parts_run *run)
{
    size_t most = c->steps ? (size_t)c->steps : MOST_STEPS;
    double begun = seconds_now();
    int code = parts_begin(run, &c->on, config, dataset, c->warm_up, most);
    while (code == EXIT_DONE && run->steps < most &&
           (c->steps || run->steps < ROUNDS * LEAST_IN_ROUND || seconds_now() - begun < ROUNDS * ROUND_SECONDS)) {
        code = parts_step(run);
    }
    return code == EXIT_DONE ? parts_finish(run) : code;
}

/* Steps and bare products in turn: a few of these, a few of those. The first step of a round is not counted: the products
 * have taken the cache. */
static int time_rounds(const step_choices *c, const parts_run *run, measured *m)
{
    double ignored;
    int code = EXIT_DONE;
    for (size_t round = 0; round < ROUNDS && code == EXIT_DONE; round++) {
        size_t before = m->steps;
        size_t until = c->steps ? (size_t)c->steps * (round + 1) / ROUNDS : MOST_STEPS * (round + 1) / ROUNDS;
        double begun = seconds_now();
        code = until > before ? take_step(m, &ignored) : code;
        while (code == EXIT_DONE && m->steps < until &&
               (c->steps || m->steps - before < LEAST_IN_ROUND || seconds_now() - begun < ROUND_SECONDS)) {
            code = take_step(m, &m->seconds[m->steps]);
            m->steps++;
        }
        if (code == EXIT_DONE) {
            code = parts_products(run, c->data.items, m->products + round * PRODUCTS_IN_ROUND, PRODUCTS_IN_ROUND);
        }
    }
    if (code == EXIT_DONE) {
        m->step = spread_of(m->seconds, m->steps);
        m->product = spread_of(m->products, ROUNDS * PRODUCTS_IN_ROUND);
    }
    return code;
}

/* ---- results ---- */

static spread in_milliseconds(const spread *s)
{
    return (spread){s->least * 1e3, s->lower * 1e3, s->median * 1e3, s->upper * 1e3, s->most * 1e3};
}

static void print_tables(const step_choices *c, cfd_context *context, const measured *m, const parts_run *run,
                         const ceilings *top)
{
    spread step = in_milliseconds(&m->step);
    spread product = in_milliseconds(&m->product);
    report_machine(context);
    report_synthetic(&c->data);
    report_line("model", "preset %s, %lld parameters, batches of %d, products in %s", c->preset,
                (long long)m->info.n_parameters, (int)m->info.batch_size, parts_precision(run));
    report_spread("step", &step, "ms", 2);
    report_line("", "median of %zu steps", m->steps);
    if (product.median > 0) {
        report_spread("bare products", &product, "ms", 2);
        report_line("", "the step takes %.2f times as long", step.median / product.median);
    }
    report_line("memory", "peak %.0f MB%s; features %.0f MB, parameters %.1f MB", m->peak * 1e-6,
                m->whole_peak ? " with the source of the features" : "", synthetic_feature_bytes(&c->data) * 1e-6,
                4.0 * (double)m->info.n_parameters * 1e-6);
    parts_table(run, top);
}

static void print_json(const step_choices *c, cfd_context *context, const measured *m, const parts_run *run,
                       const ceilings *top)
{
    spread step = in_milliseconds(&m->step);
    spread product = in_milliseconds(&m->product);
    json j = json_begin(stdout, true);
    json_open(&j, NULL, '{');
    spread_json(&j, "step_ms", &step);
    spread_json(&j, "products_ms", &product);
    json_number(&j, "peak_bytes", m->peak);
    json_bool(&j, "peak_includes_source", m->whole_peak);
    json_number(&j, "features_bytes", synthetic_feature_bytes(&c->data));
    json_number(&j, "parameter_bytes", 4.0 * (double)m->info.n_parameters);
    json_signed(&j, "steps", (int64_t)m->steps);
    machine_json(&j, context);
    synthetic_json(&j, &c->data);
    json_text(&j, "preset", c->preset);
    json_text(&j, "precision", parts_precision(run));
    json_signed(&j, "batch_size", m->info.batch_size);
    json_signed(&j, "embedding_dim", m->info.embedding_dim);
    parts_json(&j, run, top);
    json_close(&j, '}');
    json_end(&j);
}

static int64_t at_least(int64_t size, int64_t least)
{
    return size > least ? size : least;
}

/* The shape at which the ceilings of products are measured: that of the widest dense modality, made large enough to fill the
 * machine where the step's own would not. */
static int measure_ceilings(const step_choices *c, cfd_context *context, const measured *m, const parts_run *run,
                            ceilings *top)
{
    int64_t inner = 0;
    for (size_t k = 0; k < c->data.n; k++) {
        const synthetic_modality *of = &c->data.modalities[k];
        inner = !of->per_item && of->columns > inner ? of->columns : inner;
    }
    return ceilings_measure(context, at_least(c->data.items, 4096), at_least(inner, 1024),
                            at_least(2 * (int64_t)m->info.embedding_dim, 128), parts_precision(run), top);
}

static int bench(const step_choices *c, cfd_context *context, const cfd_config *config)
{
    cfd_dataset *dataset = NULL;
    parts_run run = {0};
    ceilings top;
    measured m = {.info = CFD_MODEL_INFO_INIT};
    int code = synthetic_dataset(context, &c->data, &dataset);
    code = code == EXIT_DONE ? begin(c, context, config, dataset, &m) : code;
    code = code == EXIT_DONE ? time_parts(c, config, dataset, &run) : code;
    code = code == EXIT_DONE ? time_rounds(c, &run, &m) : code;
    code = code == EXIT_DONE ? measure_ceilings(c, context, &m, &run, &top) : code;
    if (code == EXIT_DONE && c->json) {
        print_json(c, context, &m, &run, &top);
    } else if (code == EXIT_DONE) {
        print_tables(c, context, &m, &run, &top);
    }
    parts_release(&run);
    cfd_model_destroy(m.model);
    cfd_dataset_destroy(dataset);
    free(m.seconds);
    return code;
}

int bench_step(int argc, char **argv)
{
    step_choices c = STEP_CHOICES_INIT;
    const option options[] = {
        STEP_OPTIONS(&c),
        {"steps", "N", "steps to time (default: about 3 s, 15 at least)", OPTION_INTEGER, &c.steps, 1, MOST_STEPS},
        {"instructions", "auto|baseline|avx2|avx512", "of the library's own loops", OPTION_CHOICE, &c.instructions, 0, 0},
    };
    const command_line line = {"bench step",
                               "Times training steps on synthetic data, and their parts.",
                               NULL,
                               0,
                               0,
                               options,
                               sizeof options / sizeof options[0],
                               "peak_bytes is of the process while the model is made and steps, the data set included."};
    return step_run(&line, argc, argv, &c, bench);
}
