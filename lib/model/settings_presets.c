/* SPDX-License-Identifier: Apache-2.0 */
/* The published numbers (SPEC 7), and the ablations. */
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
/* clang-format off */
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
/* clang-format on */

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
