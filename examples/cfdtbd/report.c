/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON report of a training run, section by section. */
#include "report.h"

#include "replace_file.h"

#include <stdlib.h>
#include <string.h>

/* ---- history ---- */

bool history_add(history *h, const cfd_progress *p)
{
    if (h->n == h->capacity) {
        size_t capacity = h->capacity ? 2 * h->capacity : 64;
        epoch_record *records = realloc(h->records, capacity * sizeof *records);
        if (!records) {
            return false;
        }
        h->records = records;
        h->capacity = capacity;
    }
    epoch_record record = {.epoch = p->epoch,
                           .improved = p->improved != 0,
                           .seconds = p->seconds,
                           .epoch_seconds = p->epoch_seconds,
                           .evaluation_seconds = p->evaluation_seconds};
    if (p->losses) {
        record.losses = *p->losses;
    }
    if (p->metrics && p->n_metrics > 0) {
        record.metrics = malloc(p->n_metrics * sizeof *record.metrics);
        if (!record.metrics) {
            return false;
        }
        memcpy(record.metrics, p->metrics, p->n_metrics * sizeof *record.metrics);
        record.n_metrics = p->n_metrics;
    }
    h->records[h->n++] = record;
    return true;
}

void history_release(history *h)
{
    for (size_t i = 0; i < h->n; i++) {
        free(h->records[i].metrics);
    }
    free(h->records);
    *h = (history){NULL, 0, 0};
}

const epoch_record *history_find(const history *h, int32_t epoch)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->records[i].epoch == epoch) {
            return &h->records[i];
        }
    }
    return NULL;
}

/* ---- sections ---- */

static void write_branches(json *j, const cfd_model *model, const char *key, double base, double fused,
                           const double *of_modality)
{
    json_open(j, key, '{');
    json_number(j, "base", base);
    json_open(j, "modality", '{');
    for (size_t i = 0; cfd_model_role(model, i); i++) {
        json_number(j, cfd_model_role(model, i), of_modality[i]);
    }
    json_close(j, '}');
    json_number(j, "fused", fused);
    json_close(j, '}');
}

static void write_history(json *j, const training_run *run)
{
    json_open(j, "history", '[');
    for (size_t i = 0; i < run->epochs.n; i++) {
        const epoch_record *r = &run->epochs.records[i];
        const cfd_losses *l = &r->losses;
        json_open(j, NULL, '{');
        json_signed(j, "epoch", r->epoch);
        json_number(j, "seconds", r->seconds);
        json_number(j, "training_seconds", r->epoch_seconds);
        json_number(j, "evaluation_seconds", r->evaluation_seconds);
        json_open(j, "losses", '{');
        json_number(j, "total", l->total);
        json_number(j, "ranking", l->ranking);
        json_number(j, "penalty", l->penalty);
        json_number(j, "common", l->common);
        json_number(j, "differential", l->differential);
        write_branches(j, run->model, "ranking_of", l->ranking_base, l->ranking_fused, l->ranking_modality);
        write_branches(j, run->model, "penalty_of", l->penalty_base, l->penalty_fused, l->penalty_modality);
        json_close(j, '}');
        if (r->metrics) {
            json_bool(j, "improved", r->improved);
            json_open(j, "metrics", '{');
            metrics_json(j, r->metrics, r->n_metrics);
            json_close(j, '}');
        }
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_best(json *j, const training_run *run)
{
    const cfd_train_summary *s = &run->summary;
    const epoch_record *record = s->selected ? history_find(&run->epochs, s->best_epoch) : NULL;
    json_open(j, "best", '{');
    json_signed(j, "epoch", s->best_epoch);
    json_bool(j, "selected", s->selected != 0);
    if (s->selected) {
        json_text(j, "split", run->selected_on);
        json_number(j, "score", s->best_score);
    }
    if (record && record->metrics) {
        metrics_json(j, record->metrics, record->n_metrics);
    }
    json_close(j, '}');
}

static void write_evaluation(json *j, const char *key, const final_evaluation *f, const cfd_metrics *metrics, bool present)
{
    if (!present) {
        json_text(j, key, NULL);
        return;
    }
    json_open(j, key, '{');
    json_text(j, "split", f->on_test ? "test" : "validation");
    json_text(j, "protocol", f->protocol);
    json_signed(j, "n_users", (int64_t)f->n_users);
    metrics_json(j, metrics, f->n);
    json_close(j, '}');
}

static void write_training(json *j, const training_run *run)
{
    const cfd_train_summary *s = &run->summary;
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    (void)cfd_model_get_info(run->model, &info);
    json_open(j, "training", '{');
    json_signed(j, "epochs_done", s->epochs_done);
    json_signed(j, "steps_done", info.steps_done);
    json_signed(j, "steps_per_epoch", info.steps_per_epoch);
    json_signed(j, "n_train", info.n_train);
    json_signed(j, "n_parameters", info.n_parameters);
    json_number(j, "seconds", s->seconds);
    json_text(j, "ended_by", s->stopped_by_caller ? "interrupt" : s->stopped_early ? "patience" : "epochs");
    json_close(j, '}');
}

static void write_data(json *j, const training_run *run)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    (void)cfd_dataset_get_info(run->dataset, &info);
    json_open(j, "data", '{');
    json_text(j, "directory", run->directory);
    json_signed(j, "n_users", info.n_users);
    json_signed(j, "n_items", info.n_items);
    json_signed(j, "n_train", info.n_train);
    json_signed(j, "n_validation", info.n_validation);
    json_signed(j, "n_test", info.n_test);
    json_signed(j, "duplicates", info.duplicates);
    json_signed(j, "cold_test_items", info.cold_test_items);
    json_signed(j, "leaked_test", info.leaked_test);
    json_signed(j, "leaked_users", info.leaked_users);
    json_open(j, "modalities", '[');
    for (int32_t i = 0; i < info.n_modalities; i++) {
        cfd_modality_info m = CFD_MODALITY_INFO_INIT;
        (void)cfd_dataset_get_modality(run->dataset, (size_t)i, &m);
        json_open(j, NULL, '{');
        json_text(j, "name", m.name);
        json_signed(j, "columns", m.columns);
        json_bool(j, "sparse", m.is_sparse != 0);
        json_signed(j, "nonzeros", m.nonzeros);
        json_signed(j, "empty_items", m.empty_items);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

static int write_setting(void *user, const cfd_config_key *key, const char *name, const char *value)
{
    bool number = strcmp(key->type, "integer") == 0 || strcmp(key->type, "number") == 0;
    if (number) {
        json_value(user, name, value);
    } else {
        json_text(user, name, value);
    }
    return EXIT_DONE;
}

static int write_config(json *j, const training_run *run)
{
    const char *roles[CFD_MAX_MODALITIES];
    size_t n = 0;
    while (n < CFD_MAX_MODALITIES && cfd_model_role(run->model, n)) {
        roles[n] = cfd_model_role(run->model, n);
        n++;
    }
    json_open(j, "config", '{');
    int code = config_visit(run->config, roles, n, write_setting, j);
    json_close(j, '}');
    return code;
}

static void write_environment(json *j, const training_run *run)
{
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    (void)cfd_context_get_info(run->context, &info);
    json_open(j, "environment", '{');
    json_text(j, "version", cfd_version());
    json_text(j, "device", info.device);
    json_text(j, "instruction_set", info.instruction_set);
    json_text(j, "gemm", info.gemm);
    json_signed(j, "threads", info.threads);
    json_unsigned(j, "seed", info.seed);
    json_close(j, '}');
}

int report_write(const training_run *run, const char *path)
{
    replacement target;
    int code = replacement_open(&target, path);
    if (code != EXIT_DONE) {
        return code;
    }
    const final_evaluation *f = &run->final;
    json j = json_begin(target.file, true);
    json_open(&j, NULL, '{');
    json_signed(&j, "format", REPORT_FORMAT);
    json_text(&j, "selected_on", run->selected_on);
    json_text(&j, "preset", run->preset);
    json_text(&j, "ablation", run->ablation);
    write_evaluation(&j, "test", f, f->model, f->done && f->on_test);
    write_evaluation(&j, "popularity", f, f->popularity, f->done);
    write_best(&j, run);
    write_training(&j, run);
    write_data(&j, run);
    code = write_config(&j, run);
    write_environment(&j, run);
    look_json(&j, &run->look);
    write_history(&j, run);
    json_close(&j, '}');
    json_end(&j);
    if (code != EXIT_DONE) {
        replacement_discard(&target);
        return code;
    }
    return replacement_commit(&target);
}
