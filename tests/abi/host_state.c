/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and compares the state of the process. */
#define _GNU_SOURCE
#include "host_state.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

extern char **environ;
static int captured[3]; /* by descriptor */
static int outside = -1;

int host_capture(void)
{
    outside = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    for (int fd = STDOUT_FILENO; outside >= 0 && fd <= STDERR_FILENO; fd++) {
        FILE *file = tmpfile();
        if (!file || (captured[fd] = fcntl(fileno(file), F_DUPFD_CLOEXEC, 10)) < 0 || dup2(captured[fd], fd) < 0) {
            return -1;
        }
        fclose(file);
    }
    return outside >= 0 ? 0 : -1;
}

void host_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vdprintf(outside, format, arguments);
    va_end(arguments);
    dprintf(outside, "\n");
}

/* A function of the OpenMP that the library brings along, if it does. */
static void *omp_function(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

static void ignore(int number)
{
    (void)number;
}

void host_unusual(void)
{
    setenv("CFDTBD_GUEST", "1", 1);
    umask(027);
    fesetround(FE_UPWARD);
#ifdef __SSE__
    _mm_setcsr(_mm_getcsr() | 0x8000); /* flush to zero */
#endif
    signal(SIGINT, ignore);
    signal(SIGPIPE, SIG_IGN);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    sigprocmask(SIG_BLOCK, &one, NULL);
    void (*set_threads)(int);
    *(void **)&set_threads = omp_function("omp_set_num_threads");
    if (set_threads) {
        set_threads(3);
    }
}

static void append(char text[HOST_TEXT], const char *line)
{
    size_t length = strlen(text);
    snprintf(text + length, HOST_TEXT - length, "%s\n", line);
}

static void read_files(char text[HOST_TEXT])
{
    DIR *folder = opendir("/proc/self/fd");
    text[0] = '\0';
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char target[4096];
        char line[4400];
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        if (length > 0 && atoi(entry->d_name) != dirfd(folder)) {
            target[length] = '\0';
            snprintf(line, sizeof line, "%s %s", entry->d_name, target);
            append(text, line);
        }
    }
    if (folder) {
        closedir(folder);
    }
}

static void read_signals(host_state *state)
{
    for (int i = 1; i < HOST_SIGNALS; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0) {
            state->signals[i].handler = action.sa_handler;
            state->signals[i].flags = action.sa_flags;
        }
    }
    sigprocmask(SIG_BLOCK, NULL, &state->blocked);
}

void host_read(host_state *state)
{
    memset(state, 0, sizeof *state);
    snprintf(state->locale, sizeof state->locale, "%s", setlocale(LC_ALL, NULL));
    if (!getcwd(state->directory, sizeof state->directory)) {
        state->directory[0] = '\0';
    }
    for (char **variable = environ; *variable; variable++) {
        append(state->environment, *variable);
    }
    read_files(state->files);
    state->rounding = fegetround();
    state->exceptions_that_trap = fegetexcept();
#ifdef __SSE__
    state->vector_mode = _mm_getcsr() & ~0x3fu;
#endif
    read_signals(state);
    state->mask = umask(0);
    umask(state->mask);
    for (int i = 0; i < HOST_LIMITS; i++) {
        getrlimit((__rlimit_resource_t)i, &state->limits[i]);
    }
    state->priority = getpriority(PRIO_PROCESS, 0);
    int (*threads)(void);
    *(void **)&threads = omp_function("omp_get_max_threads");
    state->omp_threads = threads ? threads() : 0;
}

/* What differs first; "" where nothing does. */
static const char *difference(const host_state *a, const host_state *b)
{
    if (strcmp(a->locale, b->locale) != 0) {
        return "the locale";
    }
    if (strcmp(a->directory, b->directory) != 0) {
        return "the working directory";
    }
    if (strcmp(a->environment, b->environment) != 0) {
        return "the environment";
    }
    if (strcmp(a->files, b->files) != 0) {
        return "the open files";
    }
    if (a->rounding != b->rounding || a->exceptions_that_trap != b->exceptions_that_trap ||
        a->vector_mode != b->vector_mode) {
        return "the floating-point mode";
    }
    if (memcmp(a->signals, b->signals, sizeof a->signals) != 0) {
        return "a signal's disposition";
    }
    if (memcmp(&a->blocked, &b->blocked, sizeof a->blocked) != 0) {
        return "the blocked signals";
    }
    if (a->mask != b->mask) {
        return "the umask";
    }
    if (memcmp(a->limits, b->limits, sizeof a->limits) != 0 || a->priority != b->priority) {
        return "limits or priority";
    }
    return a->omp_threads != b->omp_threads ? "the thread's OpenMP team" : "";
}

int host_report(bool failed, const host_state *before, const host_state *after)
{
    const char *changed = difference(before, after);
    if (changed[0] != '\0') {
        host_say("the library changed %s", changed);
        failed = true;
    }
    fflush(NULL);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        char text[512];
        ssize_t length = pread(captured[fd], text, sizeof text - 1, 0);
        if (length != 0) {
            text[length > 0 ? length : 0] = '\0';
            host_say("the library printed on %s: %s", fd == STDOUT_FILENO ? "stdout" : "stderr", text);
            failed = true;
        }
    }
    return failed;
}
