/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd export: the query and key rows of a saved model, for indexes and databases of vectors. */
#include "commands.h"
#include "program.h"

#include <stdio.h>
#include <string.h>

/* Loads the model, writes its rows, says of what size they are. */
static int export_rows(cfd_context *context, const char *model_path, const char *out, int32_t format)
{
    cfd_scorer *scorer = NULL;
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    if (cfd_scorer_load(context, model_path, &scorer) != CFD_OK || cfd_scorer_get_info(scorer, &info) != CFD_OK ||
        cfd_scorer_export(scorer, out, format) != CFD_OK) {
        cfd_scorer_release(scorer);
        return failed_in_library();
    }
    printf("query  %d x %d\nkey    %d x %d\n", (int)info.n_users, (int)info.width, (int)info.n_items, (int)info.width);
    cfd_scorer_release(scorer);
    return EXIT_DONE;
}

int export_command(int argc, char **argv)
{
    machine on = MACHINE_INIT; /* nothing is computed, so nothing is prepared for it */
    on.device = "cpu";
    on.scoring = "float32";
    const char *format = "npy";
    const char *arguments[2];
    static const char *const names[] = {"MODEL", "OUT"};
    const option options[] = {
        {"format", "npy|safetensors", "query.npy and key.npy in the directory OUT, or one file OUT (default: npy)",
         OPTION_CHOICE, &format, 0, 0},
        {"verbose", NULL, "print what the library found and chose, too", OPTION_FLAG, &on.verbose, 0, 0},
    };
    const command_line line = {"export",
                               "Writes the rows of a model whose inner product is the score.",
                               names,
                               2,
                               2,
                               options,
                               sizeof options / sizeof options[0],
                               "An index over the keys, for the largest inner product, is asked with a user's query row."};
    cfd_context *context = NULL;
    int code = options_parse(&line, argc, argv, arguments);
    if (code >= 0) {
        return code;
    }
    code = open_context(&on, &context);
    if (code != EXIT_DONE) {
        return code;
    }
    code = export_rows(context, arguments[0], arguments[1],
                       strcmp(format, "npy") == 0 ? CFD_EXPORT_NPY : CFD_EXPORT_SAFETENSORS);
    cfd_context_destroy(context);
    return code;
}
