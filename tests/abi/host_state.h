/* SPDX-License-Identifier: Apache-2.0 */
/* What a process has but once, and a guest in it leaves alone. The one who includes it has defined _GNU_SOURCE. */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { HOST_SIGNALS = 65, HOST_LIMITS = 16, HOST_TEXT = 16384 };

typedef struct host_state {
    char locale[1024];
    char directory[4096];
    char environment[HOST_TEXT];
    char files[HOST_TEXT]; /* open ones: number and target */
    int rounding, exceptions_that_trap;
    unsigned vector_mode; /* MXCSR without its sticky bits, on x86 */
    struct {
        void (*handler)(int);
        int flags;
    } signals[HOST_SIGNALS];
    sigset_t blocked;
    mode_t mask;
    struct rlimit limits[HOST_LIMITS];
    int priority, omp_threads;
} host_state;

/* Sends stdout and stderr into files of their own. 0 on success. */
int host_capture(void);
/* A line on the stderr that the process began with. */
__attribute__((format(printf, 1, 2))) void host_say(const char *format, ...);
/* Sets what a library might think it should set to something else than its usual value. */
void host_unusual(void);
void host_read(host_state *state);
/* The exit status: 0 if nothing failed, nothing was printed, and both states are equal; says what is not. */
int host_report(bool failed, const host_state *before, const host_state *after);

#endif
