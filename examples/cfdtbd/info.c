/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd info: what a model file or a data set directory is, in a few lines. */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void print_path(const char *what, const char *path)
{
    printf("%s ", what);
    print_shown(path);
    printf("\n");
}

static const char *form_of(const cfd_modality_info *m)
{
    return m->is_sparse                 ? "sparse"
           : m->element == CFD_FLOAT16  ? "dense float16"
           : m->element == CFD_BFLOAT16 ? "dense bfloat16"
                                        : "dense float32";
}

static int describe_data(cfd_context *context, const char *path)
{
    cfd_dataset *dataset = NULL;
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    if (cfd_dataset_open(context, path, &dataset) != CFD_OK || cfd_dataset_get_info(dataset, &info) != CFD_OK) {
        cfd_dataset_destroy(dataset);
        return failed_in_library();
    }
    print_path("data set", path);
    printf("  users         %d%s\n", (int)info.n_users, info.has_user_names ? ", with names" : "");
    printf("  items         %d%s\n", (int)info.n_items, info.has_item_names ? ", with names" : "");
    printf("  interactions  %lld train, %lld validation, %lld test\n", (long long)info.n_train, (long long)info.n_validation,
           (long long)info.n_test);
    if (info.duplicates) {
        printf("  to note       %lld repeated interactions, counted once\n", (long long)info.duplicates);
    }
    if (info.cold_test_items) {
        printf("  to note       %d test items without any training interaction\n", (int)info.cold_test_items);
    }
    if (info.leaked_test) {
        printf("  to note       %lld test interactions, of %d users, stand in train too\n", (long long)info.leaked_test,
               (int)info.leaked_users);
    }
    for (int32_t i = 0; i < info.n_modalities; i++) {
        cfd_modality_info m = CFD_MODALITY_INFO_INIT;
        (void)cfd_dataset_get_modality(dataset, (size_t)i, &m);
        printf("  modality      ");
        print_shown(m.name);
        printf(": %s, %d columns, %lld numbers, %d items without\n", form_of(&m), (int)m.columns, (long long)m.nonzeros,
               (int)m.empty_items);
    }
    cfd_dataset_destroy(dataset);
    return EXIT_DONE;
}

static void describe_key(const cfd_config *config, const char *title, const char *key)
{
    char *value = config_value(config, key);
    printf("  %-12s  ", title);
    print_shown(value ? value : "");
    printf("\n");
    free(value);
}

static int describe_model(cfd_context *context, const char *path)
{
    cfd_scorer *scorer = NULL;
    cfd_config *config = NULL;
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    if (cfd_scorer_load(context, path, &scorer) != CFD_OK || cfd_scorer_get_info(scorer, &info) != CFD_OK ||
        cfd_scorer_get_config(scorer, &config) != CFD_OK) {
        cfd_scorer_release(scorer);
        return failed_in_library();
    }
    print_path("model", path);
    printf("  users         %d\n", (int)info.n_users);
    printf("  items         %d\n", (int)info.n_items);
    printf("  modalities    %s", info.n_modalities ? "" : "none");
    for (size_t i = 0; cfd_scorer_role(scorer, i); i++) {
        printf("%s", i ? ", " : "");
        print_shown(cfd_scorer_role(scorer, i));
    }
    printf("\n  score width   %d\n", (int)info.width);
    printf("  trained       %lld steps\n", (long long)info.steps_done);
    describe_key(config, "embedding", "embedding_dim");
    describe_key(config, "layers", "layers");
    cfd_config_destroy(config);
    cfd_scorer_release(scorer);
    return EXIT_DONE;
}

int info_command(int argc, char **argv)
{
    machine on = MACHINE_INIT;
    const char *path;
    static const char *const names[] = {"MODEL|DIR"};
    const option options[] = {MACHINE_OPTIONS(&on)};
    const command_line line = {"info",
                               "Says what a model file or a data set directory is.",
                               names,
                               1,
                               1,
                               options,
                               sizeof options / sizeof options[0],
                               NULL};
    struct stat there;
    cfd_context *context = NULL;
    int code = options_parse(&line, argc, argv, &path);
    if (code >= 0) {
        return code;
    }
    if (stat(path, &there) != 0) {
        return failed("cannot open %s: %s", path, strerror(errno));
    }
    code = open_context(&on, &context);
    if (code != EXIT_DONE) {
        return code;
    }
    code = S_ISDIR(there.st_mode) ? describe_data(context, path) : describe_model(context, path);
    cfd_context_destroy(context);
    return code;
}
