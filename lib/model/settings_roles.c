/* SPDX-License-Identifier: Apache-2.0 */
/* Which modality of a data set plays which role of the model: the key "modalities"; and how wide that makes a score row. */
#include "model/settings.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 80 /* of a bad text in a message */

/* "ROLE=NAME", or "NAME". */
static cfd_status read_one(const char *text, size_t length, role_name *out)
{
    int shown = (int)(length > SHOWN ? SHOWN : length);
    const char *equals = memchr(text, '=', length);
    size_t role_length = equals ? (size_t)(equals - text) : length;
    size_t name_length = equals ? length - role_length - 1 : length;
    if (role_length >= SETTINGS_ROLE_BYTES || name_length >= SETTINGS_ROLE_BYTES) {
        return fail(CFD_ERROR_CONFIG, "modalities: \"%.*s\": names have at most %d letters", shown, text,
                    SETTINGS_ROLE_BYTES - 1);
    }
    memcpy(out->role, text, role_length);
    out->role[role_length] = '\0';
    memcpy(out->name, equals ? equals + 1 : text, name_length);
    out->name[name_length] = '\0';
    if (!text_is_name(out->role) || !text_is_name(out->name) || strcmp(out->role, "fused") == 0) {
        return fail(CFD_ERROR_CONFIG,
                    "modalities: \"%.*s\": ROLE=NAME wanted, of letters, digits, '_' or '-' (not \"fused\")", shown, text);
    }
    return CFD_OK;
}

cfd_status settings_read_roles(const char *text, role_name out[CFD_MAX_MODALITIES], int32_t *n)
{
    int32_t count = 0;
    *n = 0;
    if (text[0] == '\0' || strcmp(text, "none") == 0) {
        return CFD_OK;
    }
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        if (count == CFD_MAX_MODALITIES) {
            return fail(CFD_ERROR_CONFIG, "modalities: more than %d", CFD_MAX_MODALITIES);
        }
        TRY(read_one(at, length, &out[count]));
        for (int32_t i = 0; i < count; i++) {
            if (strcmp(out[i].role, out[count].role) == 0) {
                return fail(CFD_ERROR_CONFIG, "modalities: the role \"%s\" is given twice", out[i].role);
            }
        }
        count++;
        at += length;
        if (*at == '\0') {
            break;
        }
    }
    *n = count;
    return CFD_OK;
}

int32_t settings_score_width(const settings *values, int32_t n_roles)
{
    int32_t d = values->embedding_dim;
    int32_t heads = n_roles * ((values->branch_common != 0) + (values->branch_differential != 0)) * d;
    return (values->branch_base ? d : 0) + heads + (values->branch_fused ? heads : 0);
}

double settings_missing_scale(const settings *values, const double *lambdas, const bool *has, int32_t n)
{
    double all = 0;
    double present = 0;
    for (int32_t r = 0; r < n; r++) {
        all += lambdas[r];
        present += has[r] ? lambdas[r] : 0;
    }
    return values->renormalise_missing && present > 0 ? all / present : 1;
}

static cfd_status find_modality(const char *const *names, int32_t n_names, const char *wanted, int32_t *index)
{
    char known[CFD_MAX_MODALITIES * (SETTINGS_ROLE_BYTES + 2)] = "none at all";
    size_t length = 0;
    for (int32_t i = 0; i < n_names; i++) {
        if (strcmp(names[i], wanted) == 0) {
            *index = i;
            return CFD_OK;
        }
        int more = snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", names[i]);
        length += more > 0 && (size_t)more < sizeof known - length ? (size_t)more : 0;
    }
    return fail(CFD_ERROR_CONFIG, "modalities: the data set has no modality \"%s\": it has %s", wanted, known);
}

cfd_status settings_assign_roles(const settings *values, const char *const *names, int32_t n_names,
                                 role_assignment out[CFD_MAX_MODALITIES], int32_t *n)
{
    role_name wanted[CFD_MAX_MODALITIES];
    role_assignment found[CFD_MAX_MODALITIES];
    int32_t count;
    TRY(settings_read_roles(values->modalities, wanted, &count));
    for (int32_t i = 0; i < count; i++) {
        memcpy(found[i].role, wanted[i].role, sizeof found[i].role);
        TRY(find_modality(names, n_names, wanted[i].name, &found[i].modality));
    }
    if (values->modalities[0] == '\0') {
        for (; count < n_names && count < CFD_MAX_MODALITIES; count++) {
            snprintf(found[count].role, sizeof found[count].role, "%s", names[count]);
            found[count].modality = count;
        }
    }
    count = count > values->modality_limit ? values->modality_limit : count;
    memcpy(out, found, (size_t)count * sizeof *out);
    *n = count;
    return CFD_OK;
}
