/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd config --markdown: docs/configuration.md, from the table of keys, the presets and the ablations. */
#include "config_markdown.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const presets[] = {"taobao", "art", "beauty"};
static const char *const ablations[] = {"base only",    "no common", "no differential", "no distillation",
                                        "no whitening", "no fusion", "one modality"};

/* The sections of the table of keys, each by its first one. */
static const struct section {
    const char *first, *title, *what;
} sections[] = {
    {"embedding_dim", "Shape", "What the model is made of ([model.md](model.md), sections 1 to 4)."},
    {"lambda.ROLE", "Scores", "What counts how much when items are ranked (section 4)."},
    {"mu.ROLE", "Loss", "What training makes small (section 5)."},
    {"batch_size", "Training", "Steps, epochs, and which epoch is kept (section 6)."},
    {"precision", "Computing", "In which numbers ([performance.md](performance.md))."},
    {"keep.nodes", "Serving", "What models keep for afterwards ([serving.md](serving.md))."},
};

static const char introduction[] =
    "<!-- Made by: cfdtbd config --markdown. A test compares; change the table of keys (lib/model/settings_keys.c). -->\n"
    "# Configuration\n\n"
    "Every setting of the model, of training and of serving is a key with a value, both text. What a config does not set "
    "has its\n"
    "default. Three ways to set one:\n\n"
    "| where | how |\n| --- | --- |\n"
    "| C | `cfd_config_set(config, \"layers\", \"3\")`; `cfd_config_get` reads it back |\n"
    "| C++ | `config.set(\"layers\", \"3\")` |\n"
    "| command line | `cfdtbd train DATA --set layers=3`, as often as needed; the last one counts. "
    "`cfdtbd config --set layers=3` prints what comes of it |\n\n"
    "A key that does not exist, a value of another type and one out of range are refused (`CFD_ERROR_CONFIG`), and the "
    "message\n"
    "says what is allowed. Numbers have a point, whatever the locale. A preset or an ablation is loaded first, keys are set "
    "after it. A model file keeps its\n"
    "configuration: `cfdtbd info` and `cfd_scorer_get_config` show it.\n\n"
    "In a key that ends in `ROLE`, ROLE is the name under which the model knows a modality: with\n"
    "`modalities` = `visual=photo,textual=title` the data set's `photo` has the role `visual`, and `lambda.visual` is its "
    "weight. Without\n"
    "`modalities` each role has the modality's own name. A role that the config does not name has the defaults; a key of a "
    "role that\n"
    "the model turns out not to have is refused when the model is made, unless a preset set it.\n";

/* Text in a cell of a table: words of a choice are set apart by commas. */
static void print_cell(const char *text)
{
    for (; *text; text++) {
        fputs(*text == '|' ? ", " : (char[2]){*text, '\0'}, stdout);
    }
}

static void print_value(const char *value)
{
    printf("`%s`", value[0] ? value : "\"\"");
}

static int print_key(void *user, const cfd_config_key *key, const char *name, const char *value)
{
    (void)user;
    (void)value;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strcmp(sections[i].first, name) == 0) {
            printf("\n## %s\n\n%s\n\n| key | type, range | default | what it is |\n| --- | --- | --- | --- |\n",
                   sections[i].title, sections[i].what);
        }
    }
    printf("| `%s` | %s", name, key->type);
    if (strcmp(key->type, "yes/no") != 0) {
        printf(": ");
        print_cell(key->range);
    }
    printf(" | ");
    print_value(key->default_value);
    printf(" | ");
    print_cell(key->help);
    printf(" |\n");
    return EXIT_DONE;
}

/* Configs beside one another: the columns of a table. */
typedef struct columns {
    cfd_config *const *configs;
    size_t n;
} columns;

/* A row for the key, where one of the configs has a value of its own. */
static int print_row(void *user, const cfd_config_key *key, const char *name, const char *value)
{
    const columns *c = user;
    bool differs = false;
    char *values[sizeof presets / sizeof presets[0]] = {NULL};
    int code = EXIT_DONE;
    (void)value;
    for (size_t i = 0; i < c->n; i++) {
        values[i] = config_value(c->configs[i], name);
        code = values[i] ? code : failed_in_library();
        differs = differs || (values[i] && strcmp(values[i], key->default_value) != 0);
    }
    if (code == EXIT_DONE && differs) {
        printf("| `%s` | ", name);
        print_value(key->default_value);
        for (size_t i = 0; i < c->n; i++) {
            printf(" | ");
            print_value(values[i]);
        }
        printf(" |\n");
    }
    for (size_t i = 0; i < c->n; i++) {
        free(values[i]);
    }
    return code;
}

static int print_presets(const char *const *roles, size_t n_roles)
{
    enum { N_PRESETS = sizeof presets / sizeof presets[0] };
    cfd_config *made[N_PRESETS] = {NULL};
    int code = EXIT_DONE;
    for (size_t i = 0; i < N_PRESETS && code == EXIT_DONE; i++) {
        if (cfd_config_create(&made[i]) != CFD_OK || cfd_config_load_preset(made[i], presets[i]) != CFD_OK) {
            code = failed_in_library();
        }
    }
    printf("\n## Presets\n\nThe published numbers of three data sets (section 7), by `cfd_config_load_preset` or "
           "`--preset`. They know two\n"
           "roles, `visual` and `textual`. Keys that are not here have their defaults in all of them.\n\n| key | default");
    for (size_t i = 0; i < N_PRESETS; i++) {
        printf(" | %s", presets[i]);
    }
    printf(" |\n| --- | --- | --- | --- | --- |\n");
    if (code == EXIT_DONE) {
        columns of = {made, N_PRESETS};
        code = config_visit(made[0], roles, n_roles, print_row, &of);
    }
    for (size_t i = 0; i < N_PRESETS; i++) {
        cfd_config_destroy(made[i]);
    }
    return code;
}

/* One of the settings of an ablation, after a comma if it is not the first. */
static int print_setting(void *user, const cfd_config_key *key, const char *name, const char *value)
{
    bool *first = user;
    if (strcmp(value, key->default_value) != 0) {
        printf("%s`%s` = `%s`", *first ? "" : ", ", name, value);
        *first = false;
    }
    return EXIT_DONE;
}

static int print_ablations(const char *const *roles, size_t n_roles)
{
    int code = EXIT_DONE;
    printf("\n## Ablations\n\nThe model without one of its parts, to see what the part is worth, by "
           "`cfd_config_load_ablation` or\n"
           "`--ablation`.\n\n| name | sets |\n| --- | --- |\n");
    for (size_t i = 0; i < sizeof ablations / sizeof ablations[0] && code == EXIT_DONE; i++) {
        cfd_config *config = NULL;
        bool first = true;
        printf("| `%s` | ", ablations[i]);
        if (cfd_config_create(&config) != CFD_OK || cfd_config_load_ablation(config, ablations[i]) != CFD_OK) {
            code = failed_in_library();
        } else {
            code = config_visit(config, roles, n_roles, print_setting, &first);
        }
        printf(" |\n");
        cfd_config_destroy(config);
    }
    return code;
}

int print_config_markdown(const cfd_config *config)
{
    static const char *const any_role[] = {"ROLE"}, *const preset_roles[] = {"visual", "textual"};
    printf("%s", introduction);
    int code = config_visit(config, any_role, 1, print_key, NULL);
    code = code == EXIT_DONE ? print_presets(preset_roles, 2) : code;
    return code == EXIT_DONE ? print_ablations(any_role, 1) : code;
}
