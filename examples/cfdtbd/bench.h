/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd bench: what its subcommands share. Each is a file of its own, bench_NAME.c. */
#ifndef BENCH_H
#define BENCH_H

#include "bench_synthetic.h"
#include "json.h"
#include "measured.h"
#include "program.h"

/* argv[0] is the subcommand's name; each returns the program's exit code. */
int bench_step(int argc, char **argv);
int bench_score(int argc, char **argv);
int bench_load(int argc, char **argv);
int bench_ops(int argc, char **argv);

/* ---- numbers ---- */

/* How measured values lie. */
typedef struct spread {
    double least, lower, median, upper, most; /* lower and upper quartile */
} spread;

/* Sorts the values, of which there is at least one. */
spread spread_of(double *values, size_t n);
/* "KEY": median, and "KEY_spread" with the rest. */
void spread_json(json *j, const char *key, const spread *s);

/* ---- tables ---- */

/* "users  15576": a line of what a table is about. */
void report_line(const char *name, const char *format, ...) MESSAGE_FORMAT(2, 3);
/* "  12.3 ms (11.9 to 14.0)", with so many digits behind the point. */
void report_spread(const char *name, const spread *s, const char *unit, int digits);
/* Device, loops, library for dense products and threads of a context, as lines or as keys of an open object. */
void report_machine(cfd_context *context);
void machine_json(json *j, cfd_context *context);
/* The data's sizes, likewise. */
void report_synthetic(const synthetic *s);
void synthetic_json(json *j, const synthetic *s);

/* ---- choices ---- */

/* Options of the subcommands that train on synthetic data. */
typedef struct step_choices {
    const char *dense, *sparse, *preset, *precision, *instructions;
    int32_t batch, steps, warm_up; /* 0: not given */
    text_list settings;
    bool json;
    synthetic data;
    machine on;
} step_choices;

#define STEP_CHOICES_INIT                                                                                  \
    {                                                                                                      \
        .preset = "beauty", .data = {.users = 15576, .items = 8678, .interactions = 139318}, .warm_up = 3, \
        .on = MACHINE_INIT                                                                                 \
    }

#define DATA_OPTIONS(d)                                                                                                     \
    {"users", "N", "of the synthetic data", OPTION_INTEGER, &(d)->users, 1, INT32_MAX - 1},                                 \
        {"items", "N", "of the synthetic data", OPTION_INTEGER, &(d)->items, 1, INT32_MAX - 1},                             \
    {                                                                                                                       \
        "interactions", "N", "of the synthetic data, at least one a user", OPTION_INTEGER, &(d)->interactions, 1, INT32_MAX \
    }

#define STEP_OPTIONS(c)                                                                                                       \
    DATA_OPTIONS(&(c)->data),                                                                                                 \
        {"dense", "A,B,...", "modalities of dense features, so many columns each", OPTION_TEXT, &(c)->dense, 0, 0},           \
        {"sparse", "COLUMNS:NONZEROS,...", "modalities of tags, so many of each item", OPTION_TEXT, &(c)->sparse, 0, 0},      \
        {"preset", "NAME", "published numbers (default: beauty)", OPTION_TEXT, &(c)->preset, 0, 0},                           \
        {"precision", "float32|bf16x3|bf16|tf32|auto", "products with dense features", OPTION_CHOICE, &(c)->precision, 0, 0}, \
        {"batch", "N", "triples of a step (default: the preset's)", OPTION_INTEGER, &(c)->batch, 1, 10000000},                \
        {"set", "KEY=VALUE", "any key that cfdtbd config lists", OPTION_LIST, &(c)->settings, 0, 0},                          \
        {"warm-up", "N", "steps that are not counted (default: 3)", OPTION_INTEGER, &(c)->warm_up, 0, 1000000},               \
        {"seed", "S", "of data and training (default: 2024)", OPTION_SEED, &(c)->on.seed, 0, 0},                              \
        {"json", NULL, "print JSON", OPTION_FLAG, &(c)->json, 0, 0}, MACHINE_OPTIONS(&(c)->on)

/* The config that the choices make. Returns EXIT_DONE, or the exit code after its message. */
int step_config(const char *command, const step_choices *c, cfd_config **config);
/* Reads the command line into *c, the modalities with it (4096,300 dense ones without any), and has `work` done with a
 * context and a config of these choices. Returns the exit code. */
typedef int (*step_work)(const step_choices *c, cfd_context *context, const cfd_config *config);
int step_run(const command_line *line, int argc, char **argv, step_choices *c, step_work work);

#endif
