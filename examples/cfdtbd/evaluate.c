/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd evaluate: the metrics of a saved model on a split of a data set. */
#include "commands.h"
#include "metrics.h"

#include <stdio.h>
#include <string.h>

typedef struct evaluate_choices {
    const char *model_path, *directory;
    const char *protocol, *split, *k;
    bool json;
    machine on;
    cutoffs cuts;
} evaluate_choices;

static void print_json(const evaluate_choices *c, const char *protocol, const cfd_dataset_info *data,
                       const cfd_evaluate_options *options, const cfd_metrics *metrics, size_t n_users)
{
    json j = json_begin(stdout, false);
    json_open(&j, NULL, '{');
    json_text(&j, "model", c->model_path);
    json_text(&j, "data", c->directory);
    json_text(&j, "split", c->split);
    json_text(&j, "protocol", protocol);
    if (options->protocol == CFD_PROTOCOL_SAMPLED) {
        json_signed(&j, "negatives", options->negatives);
        json_unsigned(&j, "seed", c->on.seed);
    }
    json_signed(&j, "duplicates", data->duplicates);
    json_signed(&j, "leaked_test", data->leaked_test);
    json_signed(&j, "n_users", (int64_t)n_users);
    metrics_json(&j, metrics, c->cuts.n);
    json_close(&j, '}');
    json_end(&j);
}

static int evaluate(const void *choices, const serving *s)
{
    const evaluate_choices *c = choices;
    cfd_config *config = NULL;
    cfd_dataset_info data = CFD_DATASET_INFO_INIT;
    cfd_evaluate_options options = CFD_EVALUATE_OPTIONS_INIT;
    cfd_metrics metrics[MAX_CUTOFF];
    size_t n_users;
    if (cfd_scorer_get_config(s->scorer, &config) != CFD_OK || cfd_dataset_get_info(s->dataset, &data) != CFD_OK) {
        cfd_config_destroy(config);
        return failed_in_library();
    }
    const char *protocol = c->protocol ? c->protocol : config_is(config, "protocol", "sampled") ? "sampled" : "full";
    options.split = strcmp(c->split, "test") == 0 ? CFD_SPLIT_TEST : CFD_SPLIT_VALIDATION;
    options.protocol = protocol_from_name(protocol);
    options.negatives = config_integer(config, "negatives");
    options.ks = c->cuts.ks;
    options.n_ks = c->cuts.n;
    if (options.split == CFD_SPLIT_VALIDATION && config_is(config, "merge_validation", "yes")) {
        warn("the model was trained on the validation split too: its metrics there mean nothing");
    }
    cfd_config_destroy(config);
    if (cfd_evaluate_scorer(s->scorer, s->dataset, &options, metrics, &n_users) != CFD_OK) {
        return failed_in_library();
    }
    if (c->json) {
        print_json(c, protocol, &data, &options, metrics, n_users);
    } else {
        const char *const titles[] = {"model"};
        const cfd_metrics *const rankings[] = {metrics};
        print_data(&data, data.n_train);
        printf("\n");
        evaluation_title(c->split, protocol, options.negatives, n_users);
        metrics_table(titles, rankings, 1, c->cuts.n);
    }
    return EXIT_DONE;
}

int evaluate_command(int argc, char **argv)
{
    evaluate_choices c = {.split = "test", .on = MACHINE_INIT};
    const char *arguments[2];
    static const char *const names[] = {"MODEL", "DIR"};
    const option options[] = {
        {"protocol", "sampled|full", "rank against sampled items, or all (default: as trained)", OPTION_CHOICE, &c.protocol,
         0, 0},
        {"split", "validation|test", "what to evaluate (default: test)", OPTION_CHOICE, &c.split, 0, 0},
        {"k", "K,K,...", "cut-offs of the metrics (default: 5,10,20)", OPTION_TEXT, &c.k, 0, 0},
        {"json", NULL, "print JSON", OPTION_FLAG, &c.json, 0, 0},
        {"seed", "S", "of the sampled items (default: 2024)", OPTION_SEED, &c.on.seed, 0, 0},
        MACHINE_OPTIONS(&c.on),
    };
    const command_line line = {"evaluate",
                               "Ranks the held-out items of a data set with a saved model.",
                               names,
                               2,
                               2,
                               options,
                               sizeof options / sizeof options[0],
                               NULL};
    int code = options_parse(&line, argc, argv, arguments);
    if (code < 0) {
        code = cutoffs_parse("evaluate", c.k, &c.cuts);
    }
    if (code >= 0) {
        return code;
    }
    c.model_path = arguments[0];
    c.directory = arguments[1];
    return with_serving(&c.on, c.model_path, c.directory, evaluate, &c);
}
