/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd-study: what docs/serving.md reports of new users, new items, missing modalities and search, measured on any data
 * set directory whose modalities are tags. */
#include "study.h"

#include "../common/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(const study *s, const world *w);
} studies[] = {
    {"users", study_users},
    {"items", study_items},
    {"missing", study_missing},
    {"search", study_search},
};

#define N_STUDIES (sizeof studies / sizeof studies[0])

int main(int argc, char **argv)
{
    study s = {.epochs = 30, .seed = 2024};
    text_list sets = {NULL, 0};
    const char *arguments[2];
    static const char *const names[] = {"users|items|missing|search", "DIR"};
    const option options[] = {
        {"modalities", "ROLE=NAME,...", "modalities of tags, and the roles that they play (required)", OPTION_TEXT,
         &s.modalities, 0, 0},
        {"epochs", "N", "epochs of every training (default: 30)", OPTION_INTEGER, &s.epochs, 1, 100000},
        {"set", "KEY=VALUE", "a setting; the others are those of the preset beauty", OPTION_LIST, &sets, 0, 0},
        {"seed", "N", "of the split, and of training (default: 2024)", OPTION_INTEGER, &s.seed, 0, INT32_MAX},
        {"threads", "N", "threads that compute; 0: as many as there are processors", OPTION_INTEGER, &s.threads, 0, 1024},
    };
    const command_line line = {NULL,
                               "Measures serving beyond what was trained with, and prints a table.",
                               names,
                               2,
                               2,
                               options,
                               sizeof options / sizeof options[0],
                               NULL};
    messages_begin("cfdtbd-study", NULL);
    int code = options_parse(&line, argc, argv, arguments);
    if (code < 0 && !s.modalities) {
        code = usage_error("--modalities is missing (see cfdtbd-study --help)");
    }
    if (code < 0) {
        world w = {0};
        s.directory = arguments[1];
        s.sets = sets.items;
        s.n_sets = sets.n;
        size_t which = 0;
        while (which < N_STUDIES && strcmp(studies[which].name, arguments[0]) != 0) {
            which++;
        }
        code = which < N_STUDIES ? world_open(&s, &w) : usage_error("there is no study \"%s\"", arguments[0]);
        code = code == EXIT_DONE ? studies[which].run(&s, &w) : code;
        world_close(&w);
    }
    free(sets.items);
    return finish_output(code);
}
