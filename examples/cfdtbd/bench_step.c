/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd bench step: the time and memory of a training step, then its parts beside what the machine can do. */
#define _POSIX_C_SOURCE 200809L
#include "bench_parts.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_STEPS = 15, MOST_STEPS = 100000 };
#define WANTED_SECONDS 3.0

typedef struct measured {
    spread step;      /* seconds */
    size_t steps;
    double peak;      /* bytes; 0: the system does not say */
    bool whole_peak;  /* it is the process's since its start: the source of the features is in it */
    cfd_model_info model;
    const char *precision;
    double products;  /* seconds */
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
        fclose(file);
    }
    return 1024.0 * (double)kilobytes;
}

/* ---- steps ---- */

/* One by one, until there are as many as asked for, or three seconds and enough of them. */
static int time_steps(const step_choices *c, cfd_model *model, double *seconds, size_t *n)
{
    double total = 0;
    size_t most = c->steps ? (size_t)c->steps : MOST_STEPS;
    for (int32_t k = 0; k < c->warm_up; k++) {
        if (cfd_train_step(model, NULL, NULL) != CFD_OK) {
            return failed_in_library();
        }
    }
    for (*n = 0; *n < most && (c->steps || *n < LEAST_STEPS || total < WANTED_SECONDS); ++*n) {
        double begun = seconds_now();
        if (cfd_train_step(model, NULL, NULL) != CFD_OK) {
            return failed_in_library();
        }
        seconds[*n] = seconds_now() - begun;
        total += seconds[*n];
    }
    return EXIT_DONE;
}

static int measure_steps(const step_choices *c, cfd_context *context, const cfd_config *config, cfd_dataset *dataset,
                         measured *out)
{
    double *seconds = malloc((c->steps ? (size_t)c->steps : MOST_STEPS) * sizeof *seconds);
    cfd_model *model = NULL;
    if (!seconds) {
        return out_of_memory();
    }
    out->whole_peak = !reset_peak();
    int code = EXIT_DONE;
    if (cfd_model_create(context, config, dataset, &model) != CFD_OK ||
        cfd_model_get_info(model, &out->model) != CFD_OK) {
        code = failed_in_library();
    }
    if (code == EXIT_DONE) {
        code = time_steps(c, model, seconds, &out->steps);
    }
    if (code == EXIT_DONE) {
        out->peak = peak_bytes();
        out->step = spread_of(seconds, out->steps);
    }
    cfd_model_destroy(model);
    free(seconds);
    return code;
}

/* ---- results ---- */

static void print_tables(const step_choices *c, cfd_context *context, const measured *m, const parts_run *run,
                         const ceilings *top)
{
    spread step = {m->step.least * 1e3, m->step.lower * 1e3, m->step.median * 1e3, m->step.upper * 1e3, m->step.most * 1e3};
    report_machine(context);
    report_synthetic(&c->data);
    report_line("model", "preset %s, %lld parameters, batches of %d, products in %s", c->preset,
                (long long)m->model.n_parameters, (int)m->model.batch_size, m->precision);
    report_spread("step", &step, "ms", 2);
    report_line("", "median of %zu steps", m->steps);
    if (m->products > 0) {
        report_line("bare products", "%.2f ms; the step takes %.2f times as long", m->products * 1e3,
                    m->step.median / m->products);
    }
    report_line("memory", "peak %.0f MB%s; features %.0f MB, parameters %.1f MB", m->peak * 1e-6,
                m->whole_peak ? " with the source of the features" : "", synthetic_feature_bytes(&c->data) * 1e-6,
                4.0 * (double)m->model.n_parameters * 1e-6);
    parts_table(run, top);
}

static void print_json(const step_choices *c, cfd_context *context, const measured *m, const parts_run *run,
                       const ceilings *top)
{
    spread step = {m->step.least * 1e3, m->step.lower * 1e3, m->step.median * 1e3, m->step.upper * 1e3, m->step.most * 1e3};
    json j = json_begin(stdout, true);
    json_open(&j, NULL, '{');
    spread_json(&j, "step_ms", &step);
    json_number(&j, "products_ms", m->products * 1e3);
    json_number(&j, "peak_bytes", m->peak);
    json_boolean(&j, "peak_includes_source", m->whole_peak);
    json_number(&j, "features_bytes", synthetic_feature_bytes(&c->data));
    json_number(&j, "parameter_bytes", 4.0 * (double)m->model.n_parameters);
    json_integer(&j, "steps", (int64_t)m->steps);
    machine_json(&j, context);
    synthetic_json(&j, &c->data);
    json_text(&j, "preset", c->preset);
    json_text(&j, "precision", m->precision);
    json_integer(&j, "batch_size", m->model.batch_size);
    json_integer(&j, "embedding_dim", m->model.embedding_dim);
    parts_json(&j, run, top);
    json_close(&j, '}');
    json_end(&j);
}

/* The shape at which the ceilings of products are measured: that of the widest dense modality, or something large. */
static int measure_ceilings(const step_choices *c, cfd_context *context, const measured *m, ceilings *top)
{
    int64_t inner = 0;
    for (size_t k = 0; k < c->data.n; k++) {
        const synthetic_modality *of = &c->data.modalities[k];
        inner = !of->per_item && of->columns > inner ? of->columns : inner;
    }
    return ceilings_measure(context, c->data.items, inner ? inner : 1024, 2 * (int64_t)m->model.embedding_dim,
                            m->precision, top);
}

static int bench(const step_choices *c, cfd_context *context, const cfd_config *config)
{
    cfd_dataset *dataset = NULL;
    parts_run run = {0};
    ceilings top;
    measured m = {.model = CFD_MODEL_INFO_INIT};
    int code = synthetic_dataset(context, &c->data, &dataset);
    if (code == EXIT_DONE) {
        code = measure_steps(c, context, config, dataset, &m);
    }
    if (code == EXIT_DONE) {
        code = parts_begin(&run, &c->on, config, dataset, c->warm_up, m.steps);
    }
    for (size_t k = 0; k < m.steps && code == EXIT_DONE; k++) {
        code = parts_step(&run);
    }
    if (code == EXIT_DONE) {
        code = parts_finish(&run);
    }
    if (code == EXIT_DONE) {
        code = parts_products(&run, c->data.items, &m.precision, &m.products);
    }
    if (code == EXIT_DONE) {
        code = measure_ceilings(c, context, &m, &top);
    }
    if (code == EXIT_DONE && c->json) {
        print_json(c, context, &m, &run, &top);
    } else if (code == EXIT_DONE) {
        print_tables(c, context, &m, &run, &top);
    }
    parts_release(&run);
    cfd_dataset_destroy(dataset);
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
    const command_line line = {"bench step", "Times training steps on synthetic data, and their parts.", NULL, 0, 0, options,
                               sizeof options / sizeof options[0],
                               "peak_bytes is of the process while the model is made and steps, the data set included."};
    cfd_context *context = NULL;
    cfd_config *config = NULL;
    int code = options_parse(&line, argc, argv, NULL);
    if (code < 0) {
        code = step_prepare(line.command, &c);
    }
    if (code < 0) {
        c.on.instructions = c.instructions;
        code = step_config(line.command, &c, &config);
        code = code == EXIT_DONE ? open_context(&c.on, &context) : code;
        code = code == EXIT_DONE ? bench(&c, context, config) : code;
    }
    cfd_config_destroy(config);
    cfd_context_destroy(context);
    free(c.settings.items);
    return code;
}
