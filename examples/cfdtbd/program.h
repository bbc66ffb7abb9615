/* SPDX-License-Identifier: Apache-2.0 */
/* What every command of cfdtbd shares: the context and its options, values of a config, a model with its data set. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "../common/messages.h"
#include "../common/options.h"

#include <cfdtbd.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Prints the library's own message as failed does. */
int failed_in_library(void);

/* Options that every command that computes takes. */
typedef struct machine {
    const char *device;
    int32_t threads;
    uint64_t seed;
    bool verbose;
    const char *instructions, *scoring; /* NULL: auto */
    bool profile;
} machine;

#define MACHINE_INIT                              \
    {                                             \
        "auto", 0, 2024, false, NULL, NULL, false \
    }

/* Rows of an option table that fill a machine. */
#define MACHINE_OPTIONS(m)                                                                                   \
    {"threads",                                                                                              \
     "N",                                                                                                    \
     "threads that compute; 0: as many as there are processors. Results do not depend on it",                \
     OPTION_INTEGER,                                                                                         \
     &(m)->threads,                                                                                          \
     0,                                                                                                      \
     1024},                                                                                                  \
        {"device", "auto|cpu|cuda[:i]", "what computes (also: reference)", OPTION_TEXT, &(m)->device, 0, 0}, \
    {                                                                                                        \
        "verbose", NULL, "print what the library found and chose, too", OPTION_FLAG, &(m)->verbose, 0, 0     \
    }

/* A context whose warnings go to stderr, and with --verbose its other messages too. *m must outlive it. Returns
 * EXIT_DONE, or the exit code after its message. */
int open_context(const machine *m, cfd_context **context);

/* The value of a key as text, the caller's to free; NULL if there is no such key or no memory. */
char *config_value(const cfd_config *config, const char *key);
bool config_is(const cfd_config *config, const char *key, const char *value);
/* The value of an integer key. */
int32_t config_integer(const cfd_config *config, const char *key);

/* Sets from "KEY=VALUE", as --set takes it. Returns EXIT_DONE, or EXIT_USAGE after its message. */
int config_assign(const char *command, cfd_config *config, const char *assignment);

/* Calls visit for every key that has a value: plain keys, and "NAME.ROLE" for each of the roles. */
typedef int (*config_visitor)(void *user, const cfd_config_key *key, const char *name, const char *value);
int config_visit(const cfd_config *config, const char *const *roles, size_t n_roles, config_visitor visit, void *user);

/* A saved model and the data set that it serves. */
typedef struct serving {
    cfd_context *context;
    cfd_scorer *scorer;
    cfd_dataset *dataset;
} serving;

/* Opens both, refuses a pair of different sizes, and has `work` done with them, which returns the exit code, as this
 * does. */
typedef int (*serving_work)(const void *choices, const serving *s);
int with_serving(const machine *m, const char *model_path, const char *directory, serving_work work, const void *choices);

/* "data: 60 users, 40 items, 480 training interactions", and what is unusual: repeated interactions, leakage. */
void print_data(const cfd_dataset_info *data, int64_t n_train);

#endif
