/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd bench ops: the parts of a training step by the loops of every instruction set that the processor has. */
#include "bench_parts.h"

#include <stdlib.h>
#include <string.h>

enum { SETS = 3, DEFAULT_STEPS = 15 };

static const char *const sets[SETS] = {"baseline", "avx2", "avx512"};

/* The sets that there are, side by side. */
typedef struct comparison {
    parts_run runs[SETS];
    bool there[SETS];
} comparison;

/* A processor without a set is no failure; a device without sets has none of them. */
static bool has_set(const step_choices *c, const char *set)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    cfd_context *context = NULL;
    options.device = c->on.device;
    options.instructions = set;
    bool there = cfd_context_create(&options, &context) == CFD_OK && cfd_context_get_info(context, &info) == CFD_OK &&
                 strcmp(info.instruction_set, set) == 0;
    cfd_context_destroy(context);
    return there;
}

static const part *find_part(const parts_run *run, const part *like)
{
    for (size_t i = 0; i < run->n; i++) {
        if (strcmp(run->parts[i].operation, like->operation) == 0 && strcmp(run->parts[i].detail, like->detail) == 0) {
            return &run->parts[i];
        }
    }
    return NULL;
}

/* ---- results ---- */

static const parts_run *first_run(const comparison *all)
{
    int s = 0;
    while (s < SETS - 1 && !all->there[s]) {
        s++;
    }
    return &all->runs[s];
}

static void print_rows(const comparison *all)
{
    const parts_run *first = first_run(all);
    printf("\nms in a step                shape                         ");
    for (int s = 0; s < SETS; s++) {
        if (all->there[s]) {
            printf("  %9s", sets[s]);
        }
    }
    printf("   GFLOP/s     GB/s of the last\n");
    for (size_t i = 0; i < first->n; i++) {
        const part *row = &first->parts[i];
        const part *last = row;
        printf("%-26s  %-30s", row->operation, row->detail);
        for (int s = 0; s < SETS; s++) {
            const part *p = all->there[s] ? find_part(&all->runs[s], row) : NULL;
            if (p) {
                printf("  %9.3f", p->seconds * 1e3);
                last = p;
            }
        }
        printf("  %8.1f  %7.1f\n", last->operations / last->seconds * 1e-9, last->bytes / last->seconds * 1e-9);
    }
    printf("%-26s  %-30s", "whole step", "");
    for (int s = 0; s < SETS; s++) {
        if (all->there[s]) {
            printf("  %9.3f", all->runs[s].step.median * 1e3);
        }
    }
    printf("\n");
}

static void print_json(const step_choices *c, const comparison *all)
{
    json j = json_begin(stdout, true);
    json_open(&j, NULL, '{');
    synthetic_json(&j, &c->data);
    json_text(&j, "preset", c->preset);
    json_signed(&j, "steps", (int64_t)first_run(all)->steps);
    json_open(&j, "instruction_sets", '[');
    for (int s = 0; s < SETS; s++) {
        const parts_run *run = &all->runs[s];
        if (!all->there[s]) {
            continue;
        }
        json_open(&j, NULL, '{');
        machine_json(&j, run->context);
        json_number(&j, "step_ms", run->step.median * 1e3);
        json_number(&j, "other_ms", run->other.median * 1e3);
        json_open(&j, "parts", '[');
        for (size_t i = 0; i < run->n; i++) {
            const part *p = &run->parts[i];
            json_open(&j, NULL, '{');
            json_text(&j, "operation", p->operation);
            json_text(&j, "detail", p->detail);
            json_number(&j, "calls", p->calls);
            json_number(&j, "ms", p->seconds * 1e3);
            json_number(&j, "gflops", p->operations / p->seconds * 1e-9);
            json_number(&j, "gb_per_second", p->bytes / p->seconds * 1e-9);
            json_close(&j, '}');
        }
        json_close(&j, ']');
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

/* ---- measuring ---- */

/* A step of each in turn, so that a busy minute hits all alike. */
static int measure(const step_choices *c, const cfd_config *config, cfd_dataset *dataset, comparison *all)
{
    size_t steps = c->steps ? (size_t)c->steps : DEFAULT_STEPS;
    int code = EXIT_DONE;
    for (int s = 0; s < SETS && code == EXIT_DONE; s++) {
        machine on = c->on;
        on.instructions = sets[s];
        all->there[s] = has_set(c, sets[s]);
        if (all->there[s]) {
            code = parts_begin(&all->runs[s], &on, config, dataset, c->warm_up, steps);
        }
    }
    if (code == EXIT_DONE && !all->there[0] && !all->there[1] && !all->there[2]) {
        code = usage_error("bench ops: --device %s: it has no sets of instructions", c->on.device);
    }
    for (size_t k = 0; k < steps && code == EXIT_DONE; k++) {
        for (int s = 0; s < SETS && code == EXIT_DONE; s++) {
            code = all->there[s] ? parts_step(&all->runs[s]) : code;
        }
    }
    for (int s = 0; s < SETS && code == EXIT_DONE; s++) {
        code = all->there[s] ? parts_finish(&all->runs[s]) : code;
    }
    return code;
}

static int bench(const step_choices *c, cfd_context *context, const cfd_config *config)
{
    cfd_dataset *dataset = NULL;
    comparison all = {0};
    int code = synthetic_dataset(context, &c->data, &dataset);
    if (code == EXIT_DONE) {
        code = measure(c, config, dataset, &all);
    }
    if (code == EXIT_DONE && c->json) {
        print_json(c, &all);
    } else if (code == EXIT_DONE) {
        report_machine(context);
        report_synthetic(&c->data);
        print_rows(&all);
    }
    for (int s = 0; s < SETS; s++) {
        parts_release(&all.runs[s]);
    }
    cfd_dataset_destroy(dataset);
    return code;
}

int bench_ops(int argc, char **argv)
{
    step_choices c = STEP_CHOICES_INIT;
    const option options[] = {
        STEP_OPTIONS(&c),
        {"steps", "N", "steps to time with each set (default: 15)", OPTION_INTEGER, &c.steps, 1, 100000},
    };
    const command_line line = {"bench ops",
                               "Times the parts of a training step with every instruction set.",
                               NULL,
                               0,
                               0,
                               options,
                               sizeof options / sizeof options[0],
                               NULL};
    return step_run(&line, argc, argv, &c, bench);
}
