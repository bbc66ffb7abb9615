/* SPDX-License-Identifier: Apache-2.0 */
/* What every command shares: exit codes, one-line messages on stderr, the context, values of a config. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <cfdtbd.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#define PROGRAM_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define PROGRAM_PRINTF(text, first)
#endif

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Each prints exactly one line, "cfdtbd: MESSAGE" (control characters shown as '?'), and returns the exit code. */
int failed(const char *format, ...) PROGRAM_PRINTF(1, 2);
int usage_error(const char *format, ...) PROGRAM_PRINTF(1, 2);
int failed_in_library(void); /* with the library's own message */
int out_of_memory(void);

/* "cfdtbd: warning: MESSAGE" and "cfdtbd: MESSAGE". */
void warn(const char *format, ...) PROGRAM_PRINTF(1, 2);
void say(const char *format, ...) PROGRAM_PRINTF(1, 2);

/* Flushes stdout. A full disk or a closed pipe turns `code` into EXIT_FAILED, with a line that says so. */
int finish_output(int code);

/* Options that every command that computes takes: see MACHINE_OPTIONS in options.h. */
typedef struct machine {
    const char *device;
    int32_t threads;
    uint64_t seed;
    bool verbose;
} machine;

#define MACHINE_INIT {"auto", 0, 2024, false}

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

/* Opens the model and the data set and refuses a pair of different sizes. Returns EXIT_DONE, or EXIT_FAILED after
 * its message; then nothing is left open. */
int open_model_and_data(cfd_context *context, const char *model_path, const char *directory, cfd_scorer **scorer,
                        cfd_dataset **dataset);

#endif
