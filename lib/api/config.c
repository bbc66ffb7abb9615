/* SPDX-License-Identifier: Apache-2.0 */
/* The config handle over model/settings. It has no context: its memory is malloc's. */
#include "api/handles.h"

#include <string.h>

cfd_status cfd_config_create(cfd_config **config)
{
    REQUIRE(config);
    cfd_config *made;
    TRY(memory_allocate(&memory_default, 1, sizeof *made, "a config", &made));
    settings_init(&made->values);
    *config = made;
    return CFD_OK;
}

cfd_status cfd_config_copy(const cfd_config *config, cfd_config **copy)
{
    REQUIRE(config);
    REQUIRE(copy);
    cfd_config *made;
    TRY(memory_allocate(&memory_default, 1, sizeof *made, "a config", &made));
    made->values = config->values;
    *copy = made;
    return CFD_OK;
}

void cfd_config_destroy(cfd_config *config)
{
    memory_release(&memory_default, config);
}

cfd_status cfd_config_load_preset(cfd_config *config, const char *name)
{
    REQUIRE(config);
    REQUIRE(name);
    return settings_load_preset(&config->values, name);
}

cfd_status cfd_config_load_ablation(cfd_config *config, const char *name)
{
    REQUIRE(config);
    REQUIRE(name);
    return settings_load_ablation(&config->values, name);
}

cfd_status cfd_config_set(cfd_config *config, const char *key, const char *value)
{
    REQUIRE(config);
    REQUIRE(key);
    REQUIRE(value);
    return settings_set(&config->values, key, value);
}

cfd_status cfd_config_get(const cfd_config *config, const char *key, char *value, size_t capacity, size_t *length)
{
    REQUIRE(config);
    REQUIRE(key);
    char text[SETTINGS_TEXT_BYTES];
    TRY(settings_get(&config->values, key, text));
    size_t needed = strlen(text);
    if (capacity > 0) {
        REQUIRE(value);
        if (capacity <= needed) {
            return fail(CFD_ERROR_ARGUMENT, "capacity %zu is too small: %s takes %zu bytes", capacity, key, needed + 1);
        }
        memcpy(value, text, needed + 1);
    }
    if (length) {
        *length = needed;
    }
    return CFD_OK;
}

size_t cfd_config_key_count(void)
{
    return settings_key_count();
}

cfd_status cfd_config_get_key(size_t index, cfd_config_key *key)
{
    REQUIRE(key);
    if (index >= settings_key_count()) {
        return fail(CFD_ERROR_ARGUMENT, "index %zu: there are %zu keys", index, settings_key_count());
    }
    cfd_config_key filled = CFD_CONFIG_KEY_INIT;
    settings_key(index, &filled);
    return options_write(key, &filled, sizeof filled, "key");
}

size_t cfd_config_role_count(const cfd_config *config)
{
    return config ? (size_t)config->values.n_roles : 0;
}

const char *cfd_config_role(const cfd_config *config, size_t index)
{
    return index < cfd_config_role_count(config) ? config->values.roles[index].role : NULL;
}
