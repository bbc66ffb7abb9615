/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd train: a config from the command line, the training loop with Ctrl-C, the evaluation beside popularity. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "progress.h"
#include "replace_file.h"
#include "report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct train_choices {
    const char *preset, *ablation, *select, *protocol, *out, *report, *k, *look;
    text_list modalities, settings;
    int32_t epochs; /* -1: not given */
    bool merge_validation;
    machine on;
    cutoffs cuts;
} train_choices;

/* ---- the config ---- */

/* "ROLE=NAME" of every --modality, joined with commas. */
static int set_modalities(cfd_config *config, const text_list *modalities)
{
    size_t size = 1;
    for (size_t i = 0; i < modalities->n; i++) {
        const char *text = modalities->items[i];
        const char *equals = strchr(text, '=');
        if (!equals || equals == text || equals[1] == '\0' || strchr(equals + 1, '=') || strchr(text, ',')) {
            return usage_error("train: --modality \"%s\": ROLE=NAME wanted", text);
        }
        size += strlen(text) + 1;
    }
    char *joined = malloc(size);
    if (!joined) {
        return out_of_memory();
    }
    char *end = joined;
    for (size_t i = 0; i < modalities->n; i++) {
        size_t length = strlen(modalities->items[i]);
        memcpy(end, modalities->items[i], length);
        end[length] = ',';
        end += length + 1;
    }
    end[modalities->n > 0 ? -1 : 0] = '\0'; /* in the place of the last comma */
    cfd_status status = cfd_config_set(config, "modalities", joined);
    free(joined);
    return status == CFD_OK ? EXIT_DONE : usage_error("train: --modality: %s", cfd_last_error());
}

static int set_key(cfd_config *config, const char *name, const char *key, const char *value)
{
    if (value && cfd_config_set(config, key, value) != CFD_OK) {
        return usage_error("train: --%s: %s", name, cfd_last_error());
    }
    return EXIT_DONE;
}

static bool selects(const train_choices *c)
{
    bool given = c->select != NULL;
    for (size_t i = 0; i < c->settings.n; i++) {
        given = given || strncmp(c->settings.items[i], "select=", strlen("select=")) == 0;
    }
    return given;
}

/* Every how many epochs a look is taken, for the report: each, unless --look says otherwise. */
static int choose_look(const train_choices *c, int32_t *every)
{
    int64_t n = c->report ? 1 : 0;
    if (c->look && !c->report) {
        return usage_error("train: --look is for the report: --report is missing");
    }
    if (c->look && strcmp(c->look, "none") == 0) {
        n = 0;
    } else if (c->look && !integer_from_text(c->look, 1, 1000000, &n)) {
        return usage_error("train: --look \"%.200s\": a number of epochs from 1 to 1000000 wanted, or none", c->look);
    }
    *every = (int32_t)n;
    return EXIT_DONE;
}

/* Later beats earlier: preset, modalities, ablation, --set in order, the options that have a name of their own. */
static int build_config(const train_choices *c, cfd_config *config)
{
    char epochs[16];
    snprintf(epochs, sizeof epochs, "%d", (int)c->epochs);
    if (c->preset && cfd_config_load_preset(config, c->preset) != CFD_OK) {
        return usage_error("train: --preset: %s", cfd_last_error());
    }
    int code = c->modalities.n ? set_modalities(config, &c->modalities) : EXIT_DONE;
    if (code == EXIT_DONE && c->ablation && cfd_config_load_ablation(config, c->ablation) != CFD_OK) {
        code = usage_error("train: --ablation: %s", cfd_last_error());
    }
    for (size_t i = 0; i < c->settings.n && code == EXIT_DONE; i++) {
        code = config_assign("train", config, c->settings.items[i]);
    }
    if (code == EXIT_DONE) {
        code = set_key(config, "epochs", "epochs", c->epochs >= 0 ? epochs : NULL);
    }
    if (code == EXIT_DONE) {
        code = set_key(config, "merge-validation", "merge_validation", c->merge_validation ? "yes" : NULL);
    }
    if (code == EXIT_DONE) {
        code = set_key(config, "select", "select", c->select);
    }
    if (code == EXIT_DONE) {
        code = set_key(config, "protocol", "protocol", c->protocol);
    }
    if (code == EXIT_DONE && selects(c) && config_is(config, "merge_validation", "yes") &&
        config_is(config, "select", "validation")) {
        code = usage_error("train: --select validation excludes --merge-validation: what is trained on cannot select "
                           "(test or none can)");
    }
    return code;
}

/* Without a word on selection: validation where there is one apart from training, else the last epoch. */
static int choose_selection(const train_choices *c, const cfd_dataset *dataset, cfd_config *config, const char **selected_on)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    if (cfd_dataset_get_info(dataset, &info) != CFD_OK) {
        return failed_in_library();
    }
    if (!selects(c)) {
        bool apart = info.n_validation > 0 && !config_is(config, "merge_validation", "yes");
        int code = set_key(config, "select", "select", apart ? "validation" : "none");
        if (code != EXIT_DONE) {
            return code;
        }
    }
    *selected_on = config_is(config, "select", "test")         ? "test"
                   : config_is(config, "select", "validation") ? "validation"
                                                               : "none";
    if (strcmp(*selected_on, "test") == 0) {
        warn("the epoch is selected on the test set, as published results are: its metrics are optimistic");
    }
    return EXIT_DONE;
}

/* ---- training ---- */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

typedef struct callback_state {
    training_run *run;
    bool told, out_of_memory;
    int look; /* EXIT_DONE, or what a look ended with */
} callback_state;

static int on_progress(void *user, const cfd_progress *progress)
{
    callback_state *state = user;
    if (progress->epoch_ended && !history_add(&state->run->epochs, progress)) {
        state->out_of_memory = true;
        return 1;
    }
    if (progress->epoch_ended) {
        state->look = look_epoch(&state->run->look, progress->epoch, progress->n_epochs);
        if (state->look != EXIT_DONE) {
            return 1;
        }
    }
    progress_show(progress, state->run->selected_on);
    if (interrupted && !state->told) {
        say("stopping after this step; another Ctrl-C ends at once");
        state->told = true;
    }
    return interrupted;
}

/* Ctrl-C asks the loop to stop; a second one meets the system's own handling and ends the program. */
static int run_training(training_run *run, const cutoffs *cuts)
{
    callback_state state = {run, false, false, EXIT_DONE};
    cfd_train_options options = CFD_TRAIN_OPTIONS_INIT;
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = interrupt;
    action.sa_flags = SA_RESETHAND | SA_RESTART;
    sigemptyset(&action.sa_mask);
    options.progress = on_progress;
    options.progress_user = &state;
    options.ks = cuts->ks;
    options.n_ks = cuts->n;
    sigaction(SIGINT, &action, &before);
    cfd_status status = cfd_train(run->model, &options, &summary);
    if (!interrupted) {
        sigaction(SIGINT, &before, NULL);
    }
    progress_clear();
    if (status != CFD_OK) {
        return failed_in_library();
    }
    if (state.out_of_memory) {
        return out_of_memory();
    }
    if (state.look != EXIT_DONE) {
        return state.look;
    }
    run->summary = summary;
    if (summary.stopped_by_caller) {
        say("stopped by Ctrl-C after %d whole epochs; kept: %s", (int)summary.epochs_done,
            summary.selected ? "the best model so far" : "the model as it is, none was evaluated yet");
    }
    return EXIT_DONE;
}

/* ---- evaluation ---- */

/* Model and popularity on the test split; where there is none, on the validation split. */
static int run_evaluation(training_run *run, const cutoffs *cuts)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    cfd_evaluate_options options = CFD_EVALUATE_OPTIONS_INIT;
    cfd_scorer *popularity = NULL;
    final_evaluation *f = &run->final;
    bool merged = config_is(run->config, "merge_validation", "yes");
    if (cfd_dataset_get_info(run->dataset, &info) != CFD_OK) {
        return failed_in_library();
    }
    if (info.n_test == 0 && (info.n_validation == 0 || merged)) {
        return EXIT_DONE;
    }
    f->on_test = info.n_test > 0;
    f->protocol = config_is(run->config, "protocol", "sampled") ? "sampled" : "full";
    f->n = cuts->n;
    options.split = f->on_test ? CFD_SPLIT_TEST : CFD_SPLIT_VALIDATION;
    options.protocol = protocol_from_name(f->protocol);
    options.negatives = config_integer(run->config, "negatives");
    options.ks = cuts->ks;
    options.n_ks = cuts->n;
    int code = EXIT_DONE;
    if (cfd_evaluate(run->model, run->dataset, &options, f->model, &f->n_users) != CFD_OK ||
        cfd_scorer_create_popularity(run->context, run->dataset, merged, &popularity) != CFD_OK ||
        cfd_evaluate_scorer(popularity, run->dataset, &options, f->popularity, NULL) != CFD_OK) {
        code = failed_in_library();
    }
    f->done = code == EXIT_DONE;
    cfd_scorer_release(popularity);
    return code;
}

/* ---- results ---- */

static void print_results(const training_run *run)
{
    const cfd_train_summary *s = &run->summary;
    cfd_dataset_info data = CFD_DATASET_INFO_INIT;
    cfd_model_info model = CFD_MODEL_INFO_INIT;
    (void)cfd_dataset_get_info(run->dataset, &data);
    (void)cfd_model_get_info(run->model, &model);
    print_data(&data, model.n_train);
    printf("model: %s", cfd_model_role(run->model, 0) ? "" : "no modality");
    for (size_t i = 0; cfd_model_role(run->model, i); i++) {
        printf("%s%s", i ? ", " : "", cfd_model_role(run->model, i));
    }
    printf("; %lld parameters\n", (long long)model.n_parameters);
    printf("trained: %d epochs, %.1f s", (int)s->epochs_done, s->seconds);
    if (s->selected) {
        printf("; epoch %d was best on %s", (int)s->best_epoch, run->selected_on);
    }
    printf("\n");
    if (run->final.done) {
        const char *const titles[] = {"model", "popularity"};
        const cfd_metrics *const rankings[] = {run->final.model, run->final.popularity};
        printf("\n");
        evaluation_title(run->final.on_test ? "test" : "validation", run->final.protocol,
                         config_integer(run->config, "negatives"), run->final.n_users);
        metrics_table(titles, rankings, 2, run->final.n);
    }
}

/* The model first: what an interrupt or an error of the evaluation costs is the evaluation. A model that cannot be
 * written is an error, but no reason to keep its metrics back. */
static int finish(const train_choices *c, training_run *run)
{
    int saved = c->out && cfd_model_save(run->model, c->out) != CFD_OK ? failed_in_library() : EXIT_DONE;
    int code = run_evaluation(run, &c->cuts);
    if (code == EXIT_DONE) {
        print_results(run);
        code = look_end(&run->look);
    }
    if (code == EXIT_DONE && c->report) {
        code = report_write(run, c->report);
    }
    return code == EXIT_DONE ? saved : code;
}

static int train(const train_choices *c, training_run *run)
{
    if (cfd_config_create(&run->config) != CFD_OK) {
        return failed_in_library();
    }
    run->preset = c->preset;
    run->ablation = c->ablation;
    int code = build_config(c, run->config);
    if (code == EXIT_DONE) {
        code = choose_look(c, &run->look.every);
    }
    if (code == EXIT_DONE && c->out && c->report && replacement_same(c->out, c->report)) {
        code = usage_error("train: --out and --report name the same file");
    }
    if (code == EXIT_DONE && c->out) {
        code = replacement_check(c->out);
    }
    if (code == EXIT_DONE && c->report) {
        code = replacement_check(c->report);
    }
    if (code != EXIT_DONE) {
        return code;
    }
    code = open_context(&c->on, &run->context);
    if (code != EXIT_DONE) {
        return code;
    }
    if (cfd_dataset_open(run->context, run->directory, &run->dataset) != CFD_OK) {
        return failed_in_library();
    }
    code = choose_selection(c, run->dataset, run->config, &run->selected_on);
    if (code != EXIT_DONE) {
        return code;
    }
    if (cfd_model_create(run->context, run->config, run->dataset, &run->model) != CFD_OK) {
        return failed_in_library();
    }
    if (!c->out) {
        warn("without --out the trained model is not kept");
    }
    code = look_begin(&run->look, run->context, run->config, run->dataset, run->model);
    if (code == EXIT_DONE) {
        code = run_training(run, &c->cuts);
    }
    return code == EXIT_DONE ? finish(c, run) : code;
}

int train_command(int argc, char **argv)
{
    train_choices c = {.epochs = -1, .on = MACHINE_INIT};
    training_run run = {.selected_on = "none"};
    static const char *const names[] = {"DIR"};
    const option options[] = {
        {"preset", "NAME", "published numbers: taobao, art or beauty", OPTION_TEXT, &c.preset, 0, 0},
        {"modality", "ROLE=NAME", "use this modality of the data set, under this role, in this order", OPTION_LIST,
         &c.modalities, 0, 0},
        {"ablation", "NAME", "switch a part off: \"base only\", \"no common\", ...", OPTION_TEXT, &c.ablation, 0, 0},
        {"set", "KEY=VALUE", "any key that cfdtbd config lists", OPTION_LIST, &c.settings, 0, 0},
        {"epochs", "N", "at most so many; 0 writes the initial model", OPTION_INTEGER, &c.epochs, 0, 1000000},
        {"merge-validation", NULL, "train on train and validation together", OPTION_FLAG, &c.merge_validation, 0, 0},
        {"select", "validation|test|none", "what decides which epoch is kept", OPTION_CHOICE, &c.select, 0, 0},
        {"protocol", "sampled|full", "how the splits are evaluated (default: full)", OPTION_CHOICE, &c.protocol, 0, 0},
        {"k", "K,K,...", "cut-offs of the metrics (default: 5,10,20)", OPTION_TEXT, &c.k, 0, 0},
        {"out", "MODEL", "write the model there (safetensors)", OPTION_TEXT, &c.out, 0, 0},
        {"report", "FILE.json", "write the report of the run there", OPTION_TEXT, &c.report, 0, 0},
        {"look", "N|none", "look into the model for the report every N epochs (default: 1), or not at all", OPTION_TEXT,
         &c.look, 0, 0},
        {"seed", "S", "of every random number (default: 2024)", OPTION_SEED, &c.on.seed, 0, 0},
        MACHINE_OPTIONS(&c.on),
    };
    const command_line line = {"train",
                               "Trains a model on a data set directory and evaluates it.",
                               names,
                               1,
                               1,
                               options,
                               sizeof options / sizeof options[0],
                               "Ctrl-C stops after the step and keeps the best model so far; a second one ends at once."};
    int code = options_parse(&line, argc, argv, &run.directory);
    if (code < 0) {
        code = cutoffs_parse("train", c.k, &c.cuts);
    }
    if (code < 0) {
        code = train(&c, &run);
    }
    look_release(&run.look);
    cfd_model_destroy(run.model);
    cfd_dataset_destroy(run.dataset);
    cfd_context_destroy(run.context);
    cfd_config_destroy(run.config);
    history_release(&run.epochs);
    free(c.modalities.items);
    free(c.settings.items);
    return code;
}
