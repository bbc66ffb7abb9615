/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON report of a training run (docs/command-line.md). */
#ifndef REPORT_H
#define REPORT_H

#include "look.h"
#include "metrics.h"
#include "program.h"

/* What the progress callback told at the end of an epoch. */
typedef struct epoch_record {
    int32_t epoch;
    bool improved;
    double seconds, epoch_seconds, evaluation_seconds;
    cfd_losses losses;
    cfd_metrics *metrics; /* NULL where nothing was evaluated */
    size_t n_metrics;
} epoch_record;

typedef struct history {
    epoch_record *records;
    size_t n, capacity;
} history;

/* Returns false if memory is short. */
bool history_add(history *h, const cfd_progress *progress);
void history_release(history *h);
/* The record of an epoch, or NULL. */
const epoch_record *history_find(const history *h, int32_t epoch);

/* The evaluation after training, of the model and of popularity. */
typedef struct final_evaluation {
    bool done;
    bool on_test; /* else on validation, because there is no test split */
    const char *protocol;
    size_t n_users, n;
    cfd_metrics model[MAX_CUTOFF], popularity[MAX_CUTOFF];
} final_evaluation;

typedef struct training_run {
    const char *directory, *selected_on;
    const char *preset, *ablation; /* as asked for; may be NULL */
    cfd_context *context;
    cfd_config *config;
    cfd_dataset *dataset;
    cfd_model *model;
    history epochs;
    cfd_train_summary summary;
    final_evaluation final;
    look look;
} training_run;

/* What stands in the report under "format". 1 had no such key, and neither preset, ablation nor look. */
enum { REPORT_FORMAT = 2 };

/* Returns EXIT_DONE, or EXIT_FAILED after its message. */
int report_write(const training_run *run, const char *path);

#endif
