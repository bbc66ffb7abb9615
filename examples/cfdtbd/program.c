/* SPDX-License-Identifier: Apache-2.0 */
/* What every command shares: messages, the context, values of a config. */
#define _POSIX_C_SOURCE 200809L
#include "program.h"

#include "progress.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_BYTES 4096

/* ---- messages ---- */

/* One line in one write, whatever the text holds. */
static void print_line(const char *prefix, const char *format, va_list arguments)
{
    char line[MESSAGE_BYTES];
    size_t start = (size_t)snprintf(line, sizeof line, "cfdtbd: %s", prefix);
    vsnprintf(line + start, sizeof line - start - 1, format, arguments);
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        line[i] = c < 0x20 || c == 0x7f ? '?' : line[i];
    }
    line[length] = '\n';
    progress_clear();
    fwrite(line, 1, length + 1, stderr);
}

int failed(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
    return EXIT_FAILED;
}

int usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
    return EXIT_USAGE;
}

void warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("warning: ", format, arguments);
    va_end(arguments);
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line("", format, arguments);
    va_end(arguments);
}

int failed_in_library(void)
{
    return failed("%s", cfd_last_error());
}

int out_of_memory(void)
{
    return failed("out of memory");
}

int finish_output(int code)
{
    errno = 0;
    bool broken = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || broken) {
        return failed("cannot write to the standard output: %s", errno ? strerror(errno) : "write error");
    }
    return code;
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
    memcpy(&user, &m, sizeof user); /* the log function only reads it */
    options.device = m->device;
    options.threads = m->threads;
    options.seed = m->seed;
    options.log = log_line;
    options.log_user = user;
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

static int visit_one(const cfd_config *config, const cfd_config_key *key, const char *name, config_visitor visit,
                     void *user)
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

int open_model_and_data(cfd_context *context, const char *model_path, const char *directory, cfd_scorer **scorer,
                        cfd_dataset **dataset)
{
    cfd_scorer *model = NULL;
    cfd_dataset *data = NULL;
    cfd_scorer_info of_model = CFD_SCORER_INFO_INIT;
    cfd_dataset_info of_data = CFD_DATASET_INFO_INIT;
    int code = EXIT_DONE;
    if (cfd_scorer_load(context, model_path, &model) != CFD_OK || cfd_dataset_open(context, directory, &data) != CFD_OK ||
        cfd_scorer_get_info(model, &of_model) != CFD_OK || cfd_dataset_get_info(data, &of_data) != CFD_OK) {
        code = failed_in_library();
    } else if (of_model.n_users != of_data.n_users || of_model.n_items != of_data.n_items) {
        code = failed("the model does not fit the data set: %s has %d users and %d items, %s has %d and %d", model_path,
                      (int)of_model.n_users, (int)of_model.n_items, directory, (int)of_data.n_users,
                      (int)of_data.n_items);
    }
    if (code != EXIT_DONE) {
        cfd_dataset_destroy(data);
        cfd_scorer_destroy(model);
        return code;
    }
    *scorer = model;
    *dataset = data;
    return EXIT_DONE;
}
