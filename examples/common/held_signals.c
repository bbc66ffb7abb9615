/* SPDX-License-Identifier: Apache-2.0 */
/* Signals held back: see held_signals.h. The mask of a program with one thread is the program's. */
#define _POSIX_C_SOURCE 200809L

#include "held_signals.h"

#include <signal.h>
#include <stddef.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

#define N_ENDING (sizeof ending / sizeof ending[0])

static sigset_t before;
static int held[N_ENDING];
static int any_held;

void signals_hold(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < N_ENDING; i++) {
        struct sigaction action;
        /* An ignored signal that is blocked would count as waiting. */
        held[i] = sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN;
        if (held[i]) {
            sigaddset(&set, ending[i]);
        }
    }
    any_held = sigprocmask(SIG_BLOCK, &set, &before) == 0;
}

int signals_waiting(void)
{
    sigset_t waiting;
    if (!any_held || sigpending(&waiting) != 0) {
        return 0;
    }
    for (size_t i = 0; i < N_ENDING; i++) {
        if (held[i] && sigismember(&waiting, ending[i]) == 1) {
            return 1;
        }
    }
    return 0;
}

void signals_let_go(void)
{
    if (any_held) {
        any_held = 0;
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
}
