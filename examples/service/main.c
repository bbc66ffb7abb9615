/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd-service: lists, likeness and reasons of a model file as JSON over HTTP (docs/service.md). SIGHUP loads the file
 * again, while requests go on; SIGTERM or SIGINT ends the program once its requests are answered. */
#define _POSIX_C_SOURCE 200809L
#include "http.h"

#include "../common/messages.h"
#include "../common/options.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct choices {
    const char *model, *address;
    int32_t port, threads;
} choices;

enum { MOST_THREADS = 256 };

/* ---- signals ---- */

static const int signals[] = {SIGHUP, SIGINT, SIGTERM};

/* The signals that the program waits for are blocked in every thread. One that it was started with as ignored (nohup, a
 * shell's background) counts as any other. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        signal(signals[i], SIG_DFL);
        sigaddset(set, signals[i]);
    }
    sigprocmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe or connection is a failed write */
}

static void reload(service *s)
{
    if (models_reload(&s->serving) != CFD_OK) {
        atomic_fetch_add(&s->counts.failed_reloads, 1);
        warn("the model stays as it was: %s", cfd_last_error());
        return;
    }
    atomic_fetch_add(&s->counts.reloads, 1);
    say("reloaded %s", s->serving.path);
}

static void wait_for_the_end(service *s, const sigset_t *set)
{
    int which;
    while (sigwait(set, &which) == 0 && which == SIGHUP) {
        reload(s);
    }
}

/* ---- the program ---- */

static int serve(const choices *o, const sigset_t *set)
{
    static service s; /* its counters are many */
    complaint problem;
    uint16_t port = (uint16_t)o->port;
    if (models_open(&s.serving, o->model) != CFD_OK) {
        return failed("%s", cfd_last_error());
    }
    if (http_begin(&s, o->address, &port, (unsigned)o->threads, &problem) != 0) {
        models_close(&s.serving);
        return failed("%s", problem.text);
    }
    printf(strchr(o->address, ':') != NULL ? "http://[%s]:%u\n" : "http://%s:%u\n", o->address, (unsigned)port);
    int code = finish_output(EXIT_DONE);
    if (code == EXIT_DONE) {
        wait_for_the_end(&s, set);
    }
    http_end(&s);
    models_close(&s.serving);
    return code;
}

static int32_t processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MOST_THREADS ? MOST_THREADS : (int32_t)n;
}

int main(int argc, char **argv)
{
    choices o = {NULL, "127.0.0.1", 8080, processors()};
    const option options[] = {
        {"address", "ADDRESS", "where to listen, IPv4 or IPv6. Default: 127.0.0.1", OPTION_TEXT, &o.address, 0, 0},
        {"port", "P", "its port; 0: one that is free. Default: 8080", OPTION_INTEGER, &o.port, 0, 65535},
        {"threads", "T", "threads that answer. Default: one per processor", OPTION_INTEGER, &o.threads, 1, MOST_THREADS},
    };
    static const char *const names[] = {"MODEL"};
    const command_line line = {
        NULL,
        "Serves a model file as JSON over HTTP (docs/service.md).",
        names,
        1,
        1,
        options,
        sizeof options / sizeof options[0],
        "Prints its address once it listens. SIGHUP loads MODEL again; SIGTERM and SIGINT end the program."};
    sigset_t set;
    messages_begin("cfdtbd-service", NULL);
    int code = options_parse(&line, argc, argv, &o.model);
    if (code < 0) {
        block_signals(&set);
        code = serve(&o, &set);
    }
    return finish_output(code);
}
