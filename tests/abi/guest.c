/* SPDX-License-Identifier: Apache-2.0 */
/* A program trains, saves, loads, scores, and makes mistakes. Afterwards nothing was printed, and the process is as it was:
 * locale, floating-point modes, signals, umask, directory, environment, limits, open files, the calling thread's OpenMP
 * team. Called with a folder to write in. */
#define _GNU_SOURCE
#include "host_state.h"

#include <cfdtbd.h>
#include <stdio.h>
#include <unistd.h>

enum { USERS = 300, ITEMS = 200, COLUMNS = 16 };

#define WANT(condition)                                                                   \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            host_say("%s:%d: %s (%s)", __FILE__, __LINE__, #condition, cfd_last_error()); \
            return 1;                                                                     \
        }                                                                                 \
    } while (0)
#define OK(call) WANT((call) == CFD_OK)

static int on_progress(void *user, const cfd_progress *progress)
{
    (void)user;
    return progress->struct_size != sizeof *progress ||
           (progress->losses && progress->losses->struct_size != sizeof(cfd_losses));
}

static int fill(cfd_dataset *data)
{
    static float photo[ITEMS * COLUMNS];
    static int32_t users[USERS * 10], items[USERS * 10];
    for (int32_t i = 0; i < ITEMS * COLUMNS; i++) {
        photo[i] = (float)((i * 7919) % 101) / 101.0f;
    }
    for (int32_t k = 0; k < USERS * 10; k++) {
        users[k] = k / 10;
        items[k] = (k * 31 + k / 10) % ITEMS;
    }
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, USERS * 10));
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TEST, users, items + 1, USERS));
    OK(cfd_dataset_add_dense_modality(data, "photo", photo, CFD_FLOAT32, COLUMNS, COLUMNS));
    return 0;
}

static int serve(cfd_context *context, const char *file)
{
    cfd_scorer *scorer = NULL;
    const int32_t user = 7;
    int32_t best[10];
    static float scores[ITEMS];
    OK(cfd_scorer_load(context, file, &scorer));
    OK(cfd_score_users(scorer, &user, 1, NULL, 0, scores));
    OK(cfd_recommend(scorer, &user, 1, 10, NULL, best, NULL, NULL));
    WANT(best[0] >= 0 && best[0] < ITEMS);
    cfd_scorer_release(scorer);
    return 0;
}

/* What fails says so in its status and message alone. */
static int fail_in_all_ways(cfd_context *context, const char *file)
{
    cfd_scorer *scorer = NULL;
    cfd_dataset *data = NULL;
    cfd_config *config = NULL;
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    cfd_context *other = NULL;
    options.device = "abacus";
    WANT(cfd_context_create(&options, &other) == CFD_ERROR_DEVICE ||
         cfd_context_create(&options, &other) == CFD_ERROR_ARGUMENT);
    options.device = "cuda:999";
    WANT(cfd_context_create(&options, &other) == CFD_ERROR_DEVICE);
    WANT(cfd_dataset_open(context, "/nowhere/at/all", &data) == CFD_ERROR_FILE);
    WANT(cfd_scorer_load(context, "/dev/null", &scorer) != CFD_OK);
    OK(cfd_config_create(&config));
    WANT(cfd_config_set(config, "layerz", "2") == CFD_ERROR_CONFIG);
    cfd_config_destroy(config);
    WANT(truncate(file, 100) == 0);
    WANT(cfd_scorer_load(context, file, &scorer) == CFD_ERROR_FORMAT);
    return 0;
}

static int work(const char *file)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    cfd_train_options training = CFD_TRAIN_OPTIONS_INIT;
    cfd_train_summary summary = CFD_TRAIN_SUMMARY_INIT;
    cfd_context *context = NULL;
    cfd_config *config = NULL;
    cfd_dataset *data = NULL;
    cfd_model *model = NULL;
    options.threads = 2;
    training.progress = on_progress;
    OK(cfd_context_create(&options, &context));
    OK(cfd_config_create(&config));
    OK(cfd_config_set(config, "epochs", "2"));
    OK(cfd_config_set(config, "select", "none"));
    OK(cfd_dataset_create(context, USERS, ITEMS, &data));
    WANT(fill(data) == 0);
    OK(cfd_model_create(context, config, data, &model));
    OK(cfd_train(model, &training, &summary));
    WANT(summary.epochs_done == 2 && !summary.stopped_by_caller);
    OK(cfd_model_save(model, file));
    WANT(serve(context, file) == 0);
    WANT(fail_in_all_ways(context, file) == 0);
    cfd_model_destroy(model);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    cfd_context_destroy(context);
    return 0;
}

int main(int argc, char **argv)
{
    char file[4096];
    if (argc != 2 || snprintf(file, sizeof file, "%s/abi_guest.safetensors", argv[1]) >= (int)sizeof file ||
        host_capture() != 0) {
        fprintf(stderr, "abi_guest FOLDER\n");
        return 2;
    }
    static host_state before, after;
    host_unusual(); /* so that what is set to its usual value is seen as well */
    host_read(&before);
    int failed = work(file);
    host_read(&after);
    remove(file);
    return host_report(failed != 0, &before, &after);
}
