/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd recommend: the best items of one user, without those that the user has. */
#include "commands.h"
#include "json.h"
#include "named.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct recommend_choices {
    const char *model_path, *directory;
    const char *user;
    int32_t k;
    bool json;
    machine on;
} recommend_choices;

/* Train and validation items of the user, one after the other. */
static int seen_items(const cfd_dataset *dataset, int32_t user, int32_t **items, int64_t offsets[2])
{
    const int32_t *train, *validation;
    size_t n_train, n_validation;
    if (cfd_dataset_user_items(dataset, CFD_SPLIT_TRAIN, user, &train, &n_train) != CFD_OK ||
        cfd_dataset_user_items(dataset, CFD_SPLIT_VALIDATION, user, &validation, &n_validation) != CFD_OK) {
        return failed_in_library();
    }
    int32_t *seen = malloc((n_train + n_validation + 1) * sizeof *seen);
    if (!seen) {
        return out_of_memory();
    }
    for (size_t i = 0; i < n_train; i++) {
        seen[i] = train[i];
    }
    for (size_t i = 0; i < n_validation; i++) {
        seen[n_train + i] = validation[i];
    }
    *items = seen;
    offsets[0] = 0;
    offsets[1] = (int64_t)(n_train + n_validation);
    return EXIT_DONE;
}

static void print_items(const cfd_dataset *dataset, bool as_json, int32_t user, const int32_t *items, const float *scores,
                        int32_t n)
{
    char number[JSON_NUMBER_BYTES];
    if (!as_json) {
        for (int32_t i = 0; i < n; i++) {
            printf("%3d  %-12s  ", (int)i + 1, json_shortest(scores[i], true, number));
            print_named(cfd_dataset_item_name(dataset, items[i]), items[i]);
            printf("\n");
        }
        return;
    }
    json j = json_begin(stdout, false);
    json_open(&j, NULL, '{');
    json_named(&j, "user", cfd_dataset_user_name(dataset, user), user);
    json_open(&j, "items", '[');
    for (int32_t i = 0; i < n; i++) {
        json_open(&j, NULL, '{');
        json_named(&j, "item", cfd_dataset_item_name(dataset, items[i]), items[i]);
        json_float(&j, "score", scores[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

static int recommend(const void *choices, const serving *s)
{
    const recommend_choices *c = choices;
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    cfd_filter filter = CFD_FILTER_INIT;
    int64_t offsets[2];
    int32_t user, count, *seen = NULL;
    if (cfd_dataset_get_info(s->dataset, &info) != CFD_OK) {
        return failed_in_library();
    }
    int code = find_user(s->dataset, c->directory, c->user, &user);
    if (code == EXIT_DONE) {
        code = seen_items(s->dataset, user, &seen, offsets);
    }
    if (code != EXIT_DONE) {
        return code;
    }
    size_t k = (size_t)(c->k < info.n_items ? c->k : info.n_items);
    int32_t *items = malloc(k * sizeof *items);
    float *scores = malloc(k * sizeof *scores);
    filter.exclude_offsets = offsets;
    filter.exclude_items = seen;
    if (!items || !scores) {
        code = out_of_memory();
    } else if (cfd_recommend(s->scorer, &user, 1, k, &filter, items, scores, &count) != CFD_OK) {
        code = failed_in_library();
    } else {
        print_items(s->dataset, c->json, user, items, scores, count);
    }
    free(scores);
    free(items);
    free(seen);
    return code;
}

int recommend_command(int argc, char **argv)
{
    recommend_choices c = {.k = 10, .on = MACHINE_INIT};
    const char *arguments[2];
    static const char *const names[] = {"MODEL", "DIR"};
    const option options[] = {
        {"user", "ID", "name or number of the user (required); a name wins", OPTION_TEXT, &c.user, 0, 0},
        {"k", "N", "how many items (default: 10)", OPTION_INTEGER, &c.k, 1, INT32_MAX},
        {"json", NULL, "print JSON", OPTION_FLAG, &c.json, 0, 0},
        MACHINE_OPTIONS(&c.on),
    };
    const command_line line = {"recommend",
                               "Lists the best items of a user, without those that the user has.",
                               names,
                               2,
                               2,
                               options,
                               sizeof options / sizeof options[0],
                               NULL};
    int code = options_parse(&line, argc, argv, arguments);
    if (code < 0 && !c.user) {
        code = usage_error("recommend: --user is missing (see cfdtbd recommend --help)");
    }
    if (code >= 0) {
        return code;
    }
    c.model_path = arguments[0];
    c.directory = arguments[1];
    return with_serving(&c.on, c.model_path, c.directory, recommend, &c);
}
