/* SPDX-License-Identifier: Apache-2.0 */
/* What every command shares: the library's messages, the context, values of a config. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int failed_in_library(void)
{
    return failed("%s", cfd_last_error());
}

/* ---- context ---- */

static void log_line(void *user, cfd_log_level level, const char *message)
{
    const machine *m = user;
    if (level == CFD_LOG_WARNING) {
        warn("%s", message);
    } else if (m->verbose) {
        say("%s", message);
    }
}

int open_context(const machine *m, cfd_context **context)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    machine *user = NULL;
    memcpy(&user, &m, sizeof user); // NOLINT(bugprone-sizeof-expression): the pointer; the log function only reads it
    options.device = m->device;
    options.threads = m->threads;
    options.seed = m->seed;
    options.log = log_line;
    options.log_user = user;
    options.instructions = m->instructions;
    options.scoring = m->scoring;
    options.profile = m->profile;
    cfd_status status = cfd_context_create(&options, context);
    if (status == CFD_ERROR_ARGUMENT) { /* a device that is none: the rest was checked where it was read */
        return usage_error("--device: %s", cfd_last_error());
    }
    return status == CFD_OK ? EXIT_DONE : failed_in_library();
}

/* ---- config ---- */

char *config_value(const cfd_config *config, const char *key)
{
    size_t length;
    if (cfd_config_get(config, key, NULL, 0, &length) != CFD_OK) {
        return NULL;
    }
    char *value = malloc(length + 1);
    if (value && cfd_config_get(config, key, value, length + 1, NULL) != CFD_OK) {
        free(value);
        return NULL;
    }
    return value;
}

bool config_is(const cfd_config *config, const char *key, const char *value)
{
    char *has = config_value(config, key);
    bool same = has && strcmp(has, value) == 0;
    free(has);
    return same;
}

int32_t config_integer(const cfd_config *config, const char *key)
{
    char *text = config_value(config, key);
    int32_t number = text ? (int32_t)strtol(text, NULL, 10) : 0;
    free(text);
    return number;
}

int config_assign(const char *command, cfd_config *config, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment) {
        return usage_error("%s: --set \"%s\": KEY=VALUE wanted", command, assignment);
    }
    size_t length = (size_t)(equals - assignment);
    char *key = malloc(length + 1);
    if (!key) {
        return out_of_memory();
    }
    memcpy(key, assignment, length);
    key[length] = '\0';
    cfd_status status = cfd_config_set(config, key, equals + 1);
    free(key);
    return status == CFD_OK ? EXIT_DONE : usage_error("%s: --set: %s", command, cfd_last_error());
}

static int visit_one(const cfd_config *config, const cfd_config_key *key, const char *name, config_visitor visit, void *user)
{
    char *value = config_value(config, name);
    if (!value) {
        return failed_in_library();
    }
    int code = visit(user, key, name, value);
    free(value);
    return code;
}

int config_visit(const cfd_config *config, const char *const *roles, size_t n_roles, config_visitor visit, void *user)
{
    for (size_t i = 0; i < cfd_config_key_count(); i++) {
        cfd_config_key key = CFD_CONFIG_KEY_INIT;
        if (cfd_config_get_key(i, &key) != CFD_OK) {
            return failed_in_library();
        }
        size_t stem = strlen(key.name) - strlen("ROLE");
        bool of_role = strlen(key.name) > strlen(".ROLE") && strcmp(key.name + stem - 1, ".ROLE") == 0;
        for (size_t r = 0; r < (of_role ? n_roles : 1); r++) {
            char name[256];
            snprintf(name, sizeof name, "%.*s%s", of_role ? (int)stem : (int)strlen(key.name), key.name,
                     of_role ? roles[r] : "");
            int code = visit_one(config, &key, name, visit, user);
            if (code != EXIT_DONE) {
                return code;
            }
        }
    }
    return EXIT_DONE;
}

/* ---- model and data set ---- */

static int open_pair(serving *s, const char *model_path, const char *directory)
{
    cfd_scorer_info of_model = CFD_SCORER_INFO_INIT;
    cfd_dataset_info of_data = CFD_DATASET_INFO_INIT;
    if (cfd_scorer_load(s->context, model_path, &s->scorer) != CFD_OK ||
        cfd_dataset_open(s->context, directory, &s->dataset) != CFD_OK ||
        cfd_scorer_get_info(s->scorer, &of_model) != CFD_OK || cfd_dataset_get_info(s->dataset, &of_data) != CFD_OK) {
        return failed_in_library();
    }
    if (of_model.n_users != of_data.n_users || of_model.n_items != of_data.n_items) {
        return failed("the model does not fit the data set: %s has %d users and %d items, %s has %d and %d", model_path,
                      (int)of_model.n_users, (int)of_model.n_items, directory, (int)of_data.n_users, (int)of_data.n_items);
    }
    return EXIT_DONE;
}

int with_serving(const machine *m, const char *model_path, const char *directory, serving_work work, const void *choices)
{
    serving s = {NULL, NULL, NULL};
    int code = open_context(m, &s.context);
    code = code == EXIT_DONE ? open_pair(&s, model_path, directory) : code;
    code = code == EXIT_DONE ? work(choices, &s) : code;
    cfd_dataset_destroy(s.dataset);
    cfd_scorer_release(s.scorer);
    cfd_context_destroy(s.context);
    return code;
}

/* What repeats or leaks changes what the metrics mean, so it is said wherever they are. */
void print_data(const cfd_dataset_info *data, int64_t n_train)
{
    printf("data: %d users, %d items, %lld training interactions", (int)data->n_users, (int)data->n_items,
           (long long)n_train);
    if (data->duplicates) {
        printf(", %lld repeated ones counted once", (long long)data->duplicates);
    }
    if (data->leaked_test) {
        printf(", %lld test interactions of %d users stand in train too", (long long)data->leaked_test,
               (int)data->leaked_users);
    }
    printf("\n");
}
