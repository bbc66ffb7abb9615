/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing settings by key. */
#include "model/settings.h"

#include "model/settings_keys.h"

#include <stdio.h>
#include <string.h>

/* ---- values from and to text ---- */

static bool choice_index(const char *choices, const char *value, int32_t *index)
{
    size_t length = strlen(value);
    int32_t i = 0;
    for (const char *at = choices;; i++) {
        const char *end = strchr(at, '|');
        size_t here = end ? (size_t)(end - at) : strlen(at);
        if (here == length && memcmp(at, value, length) == 0) {
            *index = i;
            return true;
        }
        if (!end) {
            return false;
        }
        at = end + 1;
    }
}

static void choice_name(const char *choices, int32_t index, char *text)
{
    const char *at = choices;
    while (index-- > 0) {
        at = strchr(at, '|') + 1;
    }
    snprintf(text, SETTINGS_TEXT_BYTES, "%.*s", (int)strcspn(at, "|"), at);
}

static cfd_status refuse(const key_row *row, const char *key, const char *value)
{
    return fail(CFD_ERROR_CONFIG, "%s = \"%.80s\": %s wanted, %s", key, value,
                row->type == KEY_INTEGER  ? "an integer"
                : row->type == KEY_NUMBER ? "a number"
                                          : "a choice",
                row->shown_range);
}

static cfd_status store(const key_row *row, const char *key, const char *value, void *owner)
{
    void *place = (char *)owner + row->offset;
    switch (row->type) {
    case KEY_INTEGER: {
        int64_t number;
        if (!text_to_integer(value, &number) || (double)number < row->low || (double)number > row->high) {
            return refuse(row, key, value);
        }
        *(int32_t *)place = (int32_t)number;
        return CFD_OK;
    }
    case KEY_NUMBER: {
        double number;
        if (!text_to_number(value, &number) || number < row->low || number > row->high ||
            (row->open && number == row->low)) {
            return refuse(row, key, value);
        }
        *(double *)place = number;
        return CFD_OK;
    }
    case KEY_YES_NO:
    case KEY_CHOICE: {
        const char *word = value;
        if (row->type == KEY_YES_NO) {
            word = strcmp(value, "true") == 0 || strcmp(value, "1") == 0    ? "yes"
                   : strcmp(value, "false") == 0 || strcmp(value, "0") == 0 ? "no"
                                                                            : value;
        }
        return choice_index(row->choices, word, place) ? CFD_OK : refuse(row, key, value);
    }
    case KEY_TEXT: {
        size_t capacity = (size_t)row->high;
        role_name roles[CFD_MAX_MODALITIES];
        transform_step steps[SETTINGS_MAX_STAGES];
        int32_t n;
        if (strlen(value) >= capacity) {
            return fail(CFD_ERROR_CONFIG, "%s: longer than %zu bytes", key, capacity - 1);
        }
        TRY(row->of_role ? settings_read_transform(key, value, steps, &n) : settings_read_roles(value, roles, &n));
        snprintf(place, capacity, "%s", value[0] || !row->of_role ? value : row->standard);
        return CFD_OK;
    }
    }
    return CFD_OK;
}

static void load(const key_row *row, const void *owner, char text[SETTINGS_TEXT_BYTES])
{
    const void *place = (const char *)owner + row->offset;
    switch (row->type) {
    case KEY_INTEGER: snprintf(text, SETTINGS_TEXT_BYTES, "%d", (int)*(const int32_t *)place); break;
    case KEY_NUMBER: {
        char number[TEXT_NUMBER_BYTES];
        snprintf(text, SETTINGS_TEXT_BYTES, "%s", text_from_number(*(const double *)place, number));
        break;
    }
    case KEY_YES_NO:
    case KEY_CHOICE: choice_name(row->choices, *(const int32_t *)place, text); break;
    case KEY_TEXT: snprintf(text, SETTINGS_TEXT_BYTES, "%s", (const char *)place); break;
    }
}

/* ---- keys ---- */

static const key_row *find_plain(const char *key)
{
    for (size_t i = 0; i < settings_keys_count; i++) {
        if (!settings_keys[i].of_role && strcmp(settings_keys[i].name, key) == 0) {
            return &settings_keys[i];
        }
    }
    return NULL;
}

/* "lambda.visual" is row "lambda" and role "visual". "fused" is a branch, never a role. */
static const key_row *find_of_role(const char *key, const char **role)
{
    const char *dot = strchr(key, '.');
    if (!dot || !text_is_name(dot + 1) || strcmp(dot + 1, "fused") == 0) {
        return NULL;
    }
    for (size_t i = 0; i < settings_keys_count; i++) {
        const char *name = settings_keys[i].name;
        if (settings_keys[i].of_role && strlen(name) == (size_t)(dot - key) && strncmp(name, key, strlen(name)) == 0) {
            *role = dot + 1;
            return &settings_keys[i];
        }
    }
    return NULL;
}

static cfd_status unknown(const char *key)
{
    const char *nearest = "";
    size_t least = SIZE_MAX;
    char candidate[SETTINGS_TEXT_BYTES];
    char best[SETTINGS_TEXT_BYTES] = "";
    const char *dot = strchr(key, '.');
    for (size_t i = 0; i < settings_keys_count; i++) {
        const key_row *row = &settings_keys[i];
        bool with_role = row->of_role && dot && text_is_name(dot + 1) && strcmp(dot + 1, "fused") != 0;
        snprintf(candidate, sizeof candidate, "%s%s%.63s", row->name, row->of_role ? "." : "",
                 row->of_role ? (with_role ? dot + 1 : "ROLE") : "");
        bool lacks_its_role = row->of_role && strcmp(key, row->name) == 0;
        size_t distance = lacks_its_role ? 0 : text_distance(key, candidate);
        if (distance < least) {
            least = distance;
            snprintf(best, sizeof best, "%s", candidate);
            nearest = best;
        }
    }
    return fail(CFD_ERROR_CONFIG, "there is no key \"%.80s\"; the nearest is \"%s\"", key, nearest);
}

static const role_settings *find_role(const settings *values, const char *role)
{
    for (int32_t i = 0; i < values->n_roles; i++) {
        if (strcmp(values->roles[i].role, role) == 0) {
            return &values->roles[i];
        }
    }
    return NULL;
}

static role_settings standard_role(const char *role)
{
    role_settings fresh = {.role = ""};
    snprintf(fresh.role, sizeof fresh.role, "%s", role);
    for (size_t i = 0; i < settings_keys_count; i++) {
        if (settings_keys[i].of_role) {
            (void)store(&settings_keys[i], settings_keys[i].name, settings_keys[i].standard, &fresh);
        }
    }
    return fresh;
}

role_settings settings_role(const settings *values, const char *role)
{
    const role_settings *own = find_role(values, role);
    return own ? *own : standard_role(role);
}

role_settings settings_own_role(settings *values, const char *role)
{
    role_settings own = settings_role(values, role);
    if (!find_role(values, role) && values->n_roles < SETTINGS_MAX_ROLES) {
        values->roles[values->n_roles++] = own;
    }
    return own;
}

void settings_init(settings *values)
{
    memset(values, 0, sizeof *values);
    for (size_t i = 0; i < settings_keys_count; i++) {
        if (!settings_keys[i].of_role) {
            (void)store(&settings_keys[i], settings_keys[i].name, settings_keys[i].standard, values);
        }
    }
}

cfd_status settings_set(settings *values, const char *key, const char *value)
{
    const key_row *row = find_plain(key);
    if (row) {
        return store(row, key, value, values);
    }
    const char *role;
    row = find_of_role(key, &role);
    if (!row) {
        return unknown(key);
    }
    role_settings changed = settings_role(values, role);
    TRY(store(row, key, value, &changed));
    changed.explicitly_set = true;
    const role_settings *own = find_role(values, role);
    if (!own && values->n_roles == SETTINGS_MAX_ROLES) {
        return fail(CFD_ERROR_CONFIG, "%s: a config holds values for at most %d roles", key, SETTINGS_MAX_ROLES);
    }
    values->roles[own ? own - values->roles : values->n_roles++] = changed;
    return CFD_OK;
}

cfd_status settings_get(const settings *values, const char *key, char text[SETTINGS_TEXT_BYTES])
{
    const key_row *row = find_plain(key);
    if (row) {
        load(row, values, text);
        return CFD_OK;
    }
    const char *role;
    row = find_of_role(key, &role);
    if (!row) {
        return unknown(key);
    }
    role_settings own = settings_role(values, role);
    load(row, &own, text);
    return CFD_OK;
}

size_t settings_key_count(void)
{
    return settings_keys_count;
}

void settings_key(size_t index, cfd_config_key *key)
{
    static const char *const types[] = {"integer", "number", "yes/no", "choice", "text"};
    const key_row *row = &settings_keys[index];
    key->name = row->shown_name;
    key->type = types[row->type];
    key->range = row->shown_range;
    key->default_value = row->standard;
    key->help = row->help;
}

cfd_status settings_visit(const settings *values, settings_visitor visit, void *user)
{
    char text[SETTINGS_TEXT_BYTES];
    char key[SETTINGS_TEXT_BYTES];
    for (size_t i = 0; i < settings_keys_count; i++) {
        if (!settings_keys[i].of_role) {
            load(&settings_keys[i], values, text);
            TRY(visit(user, settings_keys[i].name, text));
        }
    }
    for (int32_t r = 0; r < values->n_roles; r++) {
        for (size_t i = 0; i < settings_keys_count; i++) {
            if (settings_keys[i].of_role) {
                load(&settings_keys[i], &values->roles[r], text);
                snprintf(key, sizeof key, "%s.%s", settings_keys[i].name, values->roles[r].role);
                TRY(visit(user, key, text));
            }
        }
    }
    return CFD_OK;
}
