/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd, the command-line program: finds the command. Uses the public header of the library only, and never calls
 * setlocale, so numbers are written the same everywhere. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "prepare.h"
#include "program.h"
#include "progress.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv);
} command;

static const command commands[] = {
    {"prepare", "make a data set directory from a table of interactions", prepare_command},
    {"train", "train a model on a data set directory", train_command},
    {"report", "a page that shows training runs, or compares them", report_command},
    {"evaluate", "metrics of a saved model", evaluate_command},
    {"recommend", "the best items of a user", recommend_command},
    {"explain", "why a user has this score for an item", explain_command},
    {"config", "every setting, with its value", config_command},
    {"info", "what a model file or a data set directory is", info_command},
    {"export", "query and key rows, for indexes and databases of vectors", export_command},
    {"bench", "how fast it is on this machine, part by part", bench_command},
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

static int print_help(void)
{
    printf("usage: cfdtbd COMMAND [ARGUMENT]... [OPTION]...\n\n"
           "Trains and serves multimodal recommenders.\n\ncommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++) {
        printf("  %-10s  %s\n", commands[i].name, commands[i].summary);
    }
    printf("\noptions:\n  --version   version, device, instruction set, library for dense products, short types\n"
           "  --help      print this and exit; cfdtbd COMMAND --help explains a command\n\n"
           "exit codes: 0 done, 1 failed, 2 the command line is wrong\n");
    return EXIT_DONE;
}

static int print_version(void)
{
    machine on = MACHINE_INIT;
    cfd_context *context = NULL;
    cfd_context_info info = CFD_CONTEXT_INFO_INIT;
    int code = open_context(&on, &context);
    if (code != EXIT_DONE) {
        return code;
    }
    (void)cfd_context_get_info(context, &info);
    printf("cfdtbd %s\ndevice           %s, %d threads\ninstruction set  %s\ndense products   %s\nbfloat16         %s\n"
           "top-k            %s\n",
           cfd_version(), info.device, (int)info.threads, info.instruction_set, info.gemm, info.bfloat16, info.scoring);
    cfd_context_destroy(context);
    return EXIT_DONE;
}

static int unknown_command(const char *name)
{
    const char *words[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) {
        words[i] = commands[i].name;
    }
    const char *nearest = nearest_word(name, words, N_COMMANDS);
    if (nearest) {
        return usage_error("there is no command \"%s\"; the nearest is %s", name, nearest);
    }
    return usage_error("there is no command \"%s\" (see cfdtbd --help)", name);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        return usage_error("a command is missing (see cfdtbd --help)");
    }
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
    bool version = strcmp(argv[1], "--version") == 0;
    if ((help || version) && argc > 2) {
        return usage_error("%s takes no argument, but there is \"%s\"", argv[1], argv[2]);
    }
    return help ? print_help() : version ? print_version() : unknown_command(argv[1]);
}

/* A standard stream that the caller closed must not be given to the first file that is opened. What stands in its
 * place cannot be written to, so that output into it is still an error. */
static void occupy_standard_streams(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) == -1) {
            (void)!open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    messages_begin("cfdtbd", progress_clear);
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, reported like any other */
    return finish_output(run(argc, argv));
}
