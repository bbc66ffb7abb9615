/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd bench: finds the subcommand; and the choices that the training ones share. */
#include "bench.h"
#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct subcommand {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} subcommand;

static const subcommand subcommands[] = {
    {"step", "a training step: time, memory, and its parts beside the machine's ceilings", bench_step},
    {"score", "top-K of all users, and of one, beside the bare product", bench_score},
    {"load", "opening a data set directory", bench_load},
    {"ops", "the parts of a step for each instruction set of the processor", bench_ops},
};

#define N_SUBCOMMANDS (sizeof subcommands / sizeof subcommands[0])

static int print_help(void)
{
    printf("usage: cfdtbd bench step|score|load|ops [OPTION]...\n\n"
           "Measures on synthetic data of a stated size, on this machine.\n\nwhat is measured:\n");
    for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
        printf("  %-10s  %s\n", subcommands[i].name, subcommands[i].summary);
    }
    printf("\noptions:\n  --help      print this and exit; cfdtbd bench NAME --help explains one of them\n");
    return EXIT_DONE;
}

int bench_command(int argc, char **argv)
{
    const char *words[N_SUBCOMMANDS];
    if (argc < 2) {
        return usage_error("bench: step, score, load or ops is missing (see cfdtbd bench --help)");
    }
    for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            return subcommands[i].run(argc - 1, argv + 1);
        }
        words[i] = subcommands[i].name;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return print_help();
    }
    const char *nearest = nearest_word(argv[1], words, N_SUBCOMMANDS);
    if (nearest) {
        return usage_error("bench: there is no \"%s\"; the nearest is %s", argv[1], nearest);
    }
    return usage_error("bench: there is no \"%s\" (see cfdtbd bench --help)", argv[1]);
}

/* ---- choices of step and ops ---- */

static int step_prepare(const char *command, step_choices *c)
{
    bool none = !c->dense && !c->sparse;
    c->data.seed = c->on.seed;
    int code = synthetic_modalities(command, none ? "4096,300" : c->dense, c->sparse, &c->data);
    return code < 0 ? synthetic_check(command, &c->data) : code;
}

static int set_key(const char *command, cfd_config *config, const char *option_name, const char *key, const char *value)
{
    if (cfd_config_set(config, key, value) == CFD_OK) {
        return EXIT_DONE;
    }
    return usage_error("%s: --%s: %s", command, option_name, cfd_last_error());
}

/* Every modality under its own name, in order. */
static int set_modalities(const char *command, const synthetic *s, cfd_config *config)
{
    char text[CFD_MAX_MODALITIES * 40] = "";
    size_t length = 0;
    for (size_t k = 0; k < s->n; k++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s=%s", k ? "," : "", s->modalities[k].role,
                                   s->modalities[k].role);
    }
    return set_key(command, config, s->n && s->modalities[0].per_item ? "sparse" : "dense", "modalities", text);
}

int step_config(const char *command, const step_choices *c, cfd_config **config)
{
    char batch[16];
    cfd_config *made;
    if (cfd_config_create(&made) != CFD_OK) {
        return failed_in_library();
    }
    int code = EXIT_DONE;
    if (cfd_config_load_preset(made, c->preset) != CFD_OK) {
        code = usage_error("%s: --preset: %s", command, cfd_last_error());
    }
    if (code == EXIT_DONE) {
        code = set_modalities(command, &c->data, made);
    }
    for (size_t i = 0; i < c->settings.n && code == EXIT_DONE; i++) {
        code = config_assign(command, made, c->settings.items[i]);
    }
    if (code == EXIT_DONE && c->precision) {
        code = set_key(command, made, "precision", "precision", c->precision);
    }
    if (code == EXIT_DONE && c->batch) {
        snprintf(batch, sizeof batch, "%d", (int)c->batch);
        code = set_key(command, made, "batch", "batch_size", batch);
    }
    if (code != EXIT_DONE) {
        cfd_config_destroy(made);
        return code;
    }
    *config = made;
    return EXIT_DONE;
}

int step_run(const command_line *line, int argc, char **argv, step_choices *c, step_work work)
{
    cfd_context *context = NULL;
    cfd_config *config = NULL;
    int code = options_parse(line, argc, argv, NULL);
    if (code < 0) {
        code = step_prepare(line->command, c);
    }
    if (code < 0) {
        c->on.instructions = c->instructions;
        code = step_config(line->command, c, &config);
        code = code == EXIT_DONE ? open_context(&c->on, &context) : code;
        code = code == EXIT_DONE ? work(c, context, config) : code;
    }
    cfd_config_destroy(config);
    cfd_context_destroy(context);
    free(c->settings.items);
    return code;
}
