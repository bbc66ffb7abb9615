/* SPDX-License-Identifier: Apache-2.0 */
/* What stands around a fragment of C from the documentation: the handles that it may use, made from the folder's DATA. A
 * call of the library that fails in it, on this thread, is a failure of the fragment. */
#include <cfdtbd.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cfd_context *context;
static cfd_config *config;
static cfd_dataset *dataset;
static cfd_model *model; /* trained for four epochs, with keep.history */
static cfd_scorer *scorer;

static int frame_run(int (*fragment)(void), int must_fail)
{
    if (cfd_context_create(NULL, &context) || cfd_config_create(&config) || cfd_config_set(config, "keep.history", "yes") ||
        cfd_config_set(config, "epochs", "4") || cfd_config_set(config, "select", "none") ||
        cfd_config_set(config, "modalities", "visual=photo,textual=title") || cfd_dataset_open(context, "DATA", &dataset) ||
        cfd_model_create(context, config, dataset, &model) || cfd_train(model, NULL, NULL) ||
        cfd_scorer_create(model, &scorer)) {
        fprintf(stderr, "before the fragment: %s\n", cfd_last_error());
        return 1;
    }
    int failed = fragment() || cfd_last_error()[0];
    if (failed != must_fail) {
        fprintf(stderr, failed ? "in the fragment: %s\n" : "nothing failed in the fragment%s\n", cfd_last_error());
        return 1;
    }
    return 0; /* what a fragment did with the handles is not known: the system takes the memory back */
}
