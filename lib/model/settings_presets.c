/* SPDX-License-Identifier: Apache-2.0 */
/* The published numbers (SPEC 7), the ablations, and which modality plays which role. */
#include "model/settings.h"

#include <stdio.h>
#include <string.h>

typedef struct assignment {
    const char *key, *value;
} assignment;

typedef struct named_settings {
    const char *name;
    const assignment *assignments;
} named_settings;

/* The same in all three presets. */
#define SHARED                                                                                              \
    {"embedding_dim", "64"}, {"decay", "0.001"}, {"learning_rate", "0.001"}, {"batch_size", "2048"},        \
        {"sampler", "users"}, {"base_exponent.left", "-0.5"}, {"common_exponent", "-0.5"},                  \
        {"common_exponent.left", "-0.5"}, {"differential_exponent", "-0.5"},                                \
        {"differential_exponent.left", "-0.5"}, {"fused_exponent", "-0.5"}, {"fused_exponent.left", "-0.5"}

static const assignment taobao[] = {
    SHARED,
    {"layers", "5"}, {"base_exponent", "-0.3"}, {"eval_every", "5"},
    {"whiten.visual", "yes"}, {"whiten.textual", "no"},
    {"lambda.visual", "0.6"}, {"lambda.textual", "0.3"}, {"lambda.fused", "1"},
    {"mu.visual", "1.2"}, {"mu.textual", "1"}, {"mu.fused", "1.9"},
    {"rho.visual", "1.1"}, {"rho.textual", "0.4"}, {"rho.fused", "1"},
    {"eta.differential", "0.08"}, {"eta.common", "1"},
    {NULL, NULL},
};

static const assignment art[] = {
    SHARED,
    {"layers", "5"}, {"base_exponent", "-0.4"}, {"eval_every", "10"},
    {"whiten.visual", "yes"}, {"whiten.textual", "yes"},
    {"lambda.visual", "0.4"}, {"lambda.textual", "1"}, {"lambda.fused", "1.2"},
    {"mu.visual", "1.1"}, {"mu.textual", "1.9"}, {"mu.fused", "2.4"},
    {"rho.visual", "0.06"}, {"rho.textual", "1"}, {"rho.fused", "0.4"},
    {"eta.differential", "0.07"}, {"eta.common", "0.4"},
    {NULL, NULL},
};

static const assignment beauty[] = {
    SHARED,
    {"layers", "4"}, {"base_exponent", "-0.4"}, {"eval_every", "10"},
    {"whiten.visual", "yes"}, {"whiten.textual", "yes"},
    {"lambda.visual", "0.9"}, {"lambda.textual", "1.2"}, {"lambda.fused", "1"},
    {"mu.visual", "1"}, {"mu.textual", "1"}, {"mu.fused", "2.2"},
    {"rho.visual", "0.5"}, {"rho.textual", "0.9"}, {"rho.fused", "0.2"},
    {"eta.differential", "0.3"}, {"eta.common", "1"},
    {NULL, NULL},
};

static const named_settings presets[] = {{"taobao", taobao}, {"art", art}, {"beauty", beauty}, {NULL, NULL}};

static const assignment base_only[] = {{"modality_limit", "0"}, {NULL, NULL}};
static const assignment no_common[] = {{"branch.common", "no"}, {NULL, NULL}};
static const assignment no_differential[] = {{"branch.differential", "no"}, {NULL, NULL}};
static const assignment no_distillation[] = {{"eta.common", "0"}, {"eta.differential", "0"}, {NULL, NULL}};
static const assignment no_whitening[] = {{"whitening", "no"}, {NULL, NULL}};
static const assignment no_fusion[] = {{"branch.fused", "no"}, {NULL, NULL}};
static const assignment one_modality[] = {{"modality_limit", "1"}, {NULL, NULL}};

static const named_settings ablations[] = {
    {"base only", base_only},
    {"no common", no_common},
    {"no differential", no_differential},
    {"no distillation", no_distillation},
    {"no whitening", no_whitening},
    {"no fusion", no_fusion},
    {"one modality", one_modality},
    {NULL, NULL},
};

static cfd_status load_named(settings *values, const named_settings *list, const char *kind, const char *name,
                             bool explicitly_set)
{
    char known[256] = "";
    for (size_t i = 0; list[i].name; i++) {
        if (strcmp(list[i].name, name) != 0) {
            size_t length = strlen(known);
            snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", list[i].name);
            continue;
        }
        settings changed = *values;
        for (const assignment *a = list[i].assignments; a->key; a++) {
            TRY(settings_set(&changed, a->key, a->value));
        }
        for (int32_t r = 0; r < changed.n_roles && !explicitly_set; r++) {
            bool before = r < values->n_roles && values->roles[r].explicitly_set;
            changed.roles[r].explicitly_set = before;
        }
        *values = changed;
        return CFD_OK;
    }
    return fail(CFD_ERROR_CONFIG, "there is no %s \"%.60s\": there are %s", kind, name, known);
}

cfd_status settings_load_preset(settings *values, const char *name)
{
    return load_named(values, presets, "preset", name, false);
}

cfd_status settings_load_ablation(settings *values, const char *name)
{
    return load_named(values, ablations, "ablation", name, true);
}

/* ---- roles ---- */

static cfd_status find_modality(const char *const *names, int32_t n_names, const char *wanted, int32_t *index)
{
    char known[512] = "none at all";
    size_t length = 0;
    for (int32_t i = 0; i < n_names; i++) {
        if (strcmp(names[i], wanted) == 0) {
            *index = i;
            return CFD_OK;
        }
        int more = snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", names[i]);
        length += more > 0 && (size_t)more < sizeof known - length ? (size_t)more : 0;
    }
    return fail(CFD_ERROR_CONFIG, "modalities: the data set has no modality \"%.63s\": it has %s", wanted, known);
}

/* "ROLE=NAME" or "NAME", which plays the role of its own name. */
static cfd_status read_assignment(const char *text, size_t length, role_assignment *out, char *name)
{
    const char *equals = memchr(text, '=', length);
    size_t role_length = equals ? (size_t)(equals - text) : length;
    size_t name_length = equals ? length - role_length - 1 : length;
    if (role_length >= SETTINGS_ROLE_BYTES || name_length >= SETTINGS_ROLE_BYTES) {
        return fail(CFD_ERROR_CONFIG, "modalities: \"%.*s\": names have at most 63 letters", (int)(length > 80 ? 80 : length),
                    text);
    }
    memcpy(out->role, text, role_length);
    out->role[role_length] = '\0';
    memcpy(name, equals ? equals + 1 : text, name_length);
    name[name_length] = '\0';
    if (!text_is_name(out->role) || !text_is_name(name) || strcmp(out->role, "fused") == 0) {
        return fail(CFD_ERROR_CONFIG, "modalities: \"%.*s\": ROLE=NAME wanted, of letters, digits, '_' or '-' (not \"fused\")",
                    (int)(length > 80 ? 80 : length), text);
    }
    return CFD_OK;
}

cfd_status settings_assign_roles(const settings *values, const char *const *names, int32_t n_names,
                                 role_assignment out[CFD_MAX_MODALITIES], int32_t *n)
{
    role_assignment found[CFD_MAX_MODALITIES];
    int32_t count = 0;
    if (values->modalities[0] == '\0') {
        for (; count < n_names && count < CFD_MAX_MODALITIES; count++) {
            snprintf(found[count].role, sizeof found[count].role, "%s", names[count]);
            found[count].modality = count;
        }
    } else if (strcmp(values->modalities, "none") != 0) {
        for (const char *at = values->modalities; *at;) {
            size_t length = strcspn(at, ",");
            char name[SETTINGS_ROLE_BYTES];
            if (count == CFD_MAX_MODALITIES) {
                return fail(CFD_ERROR_CONFIG, "modalities: more than %d", CFD_MAX_MODALITIES);
            }
            TRY(read_assignment(at, length, &found[count], name));
            TRY(find_modality(names, n_names, name, &found[count].modality));
            for (int32_t i = 0; i < count; i++) {
                if (strcmp(found[i].role, found[count].role) == 0) {
                    return fail(CFD_ERROR_CONFIG, "modalities: the role \"%s\" is given twice", found[i].role);
                }
            }
            count++;
            at += length;
            if (*at == ',' && *++at == '\0') {
                return fail(CFD_ERROR_CONFIG, "modalities: nothing follows the last ','");
            }
        }
    }
    count = count > values->modality_limit ? values->modality_limit : count;
    memcpy(out, found, (size_t)count * sizeof *out);
    *n = count;
    return CFD_OK;
}
