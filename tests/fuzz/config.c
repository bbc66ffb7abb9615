/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: a line each, "KEY=VALUE", or a preset's or an ablation's name. What was set is given back, and set again means
 * the same. */
#define _DEFAULT_SOURCE /* strsep */
#include "fuzz.h"

static void set_again(cfd_config *config, const char *key)
{
    char first[4096], second[4096];
    if (cfd_config_get(config, key, first, sizeof first, NULL) == CFD_OK) {
        FUZZ_REQUIRE(cfd_config_set(config, key, first) == CFD_OK);
        FUZZ_REQUIRE(cfd_config_get(config, key, second, sizeof second, NULL) == CFD_OK);
        FUZZ_REQUIRE(strcmp(first, second) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    cfd_config *config = NULL;
    char *text = malloc(n + 1);
    FUZZ_REQUIRE(text && cfd_config_create(&config) == CFD_OK);
    memcpy(text, bytes, n);
    text[n] = '\0';
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
        char *value = strchr(line, '=');
        if (!value) {
            fuzz_check(cfd_config_load_preset(config, line));
            fuzz_check(cfd_config_load_ablation(config, line));
            continue;
        }
        *value++ = '\0';
        cfd_status status = cfd_config_set(config, line, value);
        fuzz_check(status);
        if (status == CFD_OK) {
            set_again(config, line);
        }
    }
    cfd_config_destroy(config);
    free(text);
    return 0;
}
