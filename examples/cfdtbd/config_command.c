/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd config: every key with type, range, default, value and help. */
#include "commands.h"
#include "config_markdown.h"
#include "json.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_text(void *user, const cfd_config_key *key, const char *name, const char *value)
{
    (void)user;
    printf("%s = %s\n    %s\n    %s, %s; default: %s\n", name, value[0] ? value : "\"\"", key->help, key->type, key->range,
           key->default_value[0] ? key->default_value : "\"\"");
    return EXIT_DONE;
}

static int print_json(void *user, const cfd_config_key *key, const char *name, const char *value)
{
    json *j = user;
    bool number = strcmp(key->type, "integer") == 0 || strcmp(key->type, "number") == 0;
    json_open(j, NULL, '{');
    json_text(j, "key", name);
    json_text(j, "type", key->type);
    json_text(j, "range", key->range);
    if (number) {
        json_value(j, "default", key->default_value);
        json_value(j, "value", value);
    } else {
        json_text(j, "default", key->default_value);
        json_text(j, "value", value);
    }
    json_text(j, "help", key->help);
    json_close(j, '}');
    return EXIT_DONE;
}

/* Keys of a role are shown for each role that the config has values for; without any, for ROLE itself, with the
 * defaults. */
static int print_config(const cfd_config *config, bool as_json)
{
    static const char *const any_role[] = {"ROLE"};
    size_t n = cfd_config_role_count(config);
    const char **roles = calloc(n + 1, sizeof *roles);
    if (!roles) {
        return out_of_memory();
    }
    for (size_t i = 0; i < n; i++) {
        roles[i] = cfd_config_role(config, i);
    }
    int code;
    if (as_json) {
        json j = json_begin(stdout, true);
        json_open(&j, NULL, '[');
        code = config_visit(config, n ? roles : any_role, n ? n : 1, print_json, &j);
        json_close(&j, ']');
        json_end(&j);
    } else {
        code = config_visit(config, n ? roles : any_role, n ? n : 1, print_text, NULL);
    }
    free(roles);
    return code;
}

int config_command(int argc, char **argv)
{
    const char *preset = NULL, *ablation = NULL;
    text_list settings = {NULL, 0};
    bool as_json = false, as_markdown = false;
    const option options[] = {
        {"preset", "NAME", "published numbers: taobao, art or beauty", OPTION_TEXT, &preset, 0, 0},
        {"ablation", "NAME", "switch a part off: \"base only\", \"no common\", ...", OPTION_TEXT, &ablation, 0, 0},
        {"set", "KEY=VALUE", "set a key", OPTION_LIST, &settings, 0, 0},
        {"json", NULL, "print JSON", OPTION_FLAG, &as_json, 0, 0},
        {"markdown", NULL, "print the reference of all keys and presets, docs/configuration.md", OPTION_FLAG, &as_markdown,
         0, 0},
    };
    const command_line line = {"config",
                               "Prints every key of the configuration: value, help, type, range, default.",
                               NULL,
                               0,
                               0,
                               options,
                               sizeof options / sizeof options[0],
                               "In a key that ends in ROLE, ROLE is the name under which the model knows a modality."};
    cfd_config *config = NULL;
    int code = options_parse(&line, argc, argv, NULL);
    if (code >= 0) {
        free(settings.items);
        return code;
    }
    code = EXIT_DONE;
    if (as_markdown && (preset || ablation || settings.n || as_json)) {
        code = usage_error("config: --markdown is of all presets and defaults: no other option goes with it");
    } else if (cfd_config_create(&config) != CFD_OK) {
        code = failed_in_library();
    } else if (preset && cfd_config_load_preset(config, preset) != CFD_OK) {
        code = usage_error("config: --preset: %s", cfd_last_error());
    } else if (ablation && cfd_config_load_ablation(config, ablation) != CFD_OK) {
        code = usage_error("config: --ablation: %s", cfd_last_error());
    }
    for (size_t i = 0; i < settings.n && code == EXIT_DONE; i++) {
        code = config_assign("config", config, settings.items[i]);
    }
    if (code == EXIT_DONE) {
        code = as_markdown ? print_config_markdown(config) : print_config(config, as_json);
    }
    cfd_config_destroy(config);
    free(settings.items);
    return code;
}
