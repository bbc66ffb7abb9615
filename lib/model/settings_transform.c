/* SPDX-License-Identifier: Apache-2.0 */
/* The list of stages in "transform.ROLE". */
#include "model/settings.h"

#include <stdio.h>
#include <string.h>

#define MOST_RANK 4096

static bool read_step(const char *name, transform_step *out)
{
    static const struct {
        const char *name;
        enum transform_kind kind;
    } plain[] = {{"center", TRANSFORM_CENTER}, {"standardize", TRANSFORM_STANDARDIZE}, {"l2", TRANSFORM_L2}};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(name, plain[i].name) == 0) {
            *out = (transform_step){plain[i].kind, 0};
            return true;
        }
    }
    int64_t rank;
    if (strncmp(name, "svd:", 4) != 0 || !text_to_integer(name + 4, &rank) || rank < 1 || rank > MOST_RANK) {
        return false;
    }
    *out = (transform_step){TRANSFORM_SVD, (int32_t)rank};
    return true;
}

cfd_status settings_read_transform(const char *key, const char *text, transform_step out[SETTINGS_MAX_STAGES], int32_t *n)
{
    int32_t count = 0;
    for (const char *at = text; *text; at++) {
        size_t length = strcspn(at, ",");
        char name[SETTINGS_TRANSFORM_BYTES];
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), at);
        at += length;
        transform_step step;
        bool none = strcmp(name, "none") == 0;
        if (!none && !read_step(name, &step)) {
            return fail(CFD_ERROR_CONFIG, "%s: \"%.60s\" is no transform: none, center, l2, standardize, svd:K (K 1 to %d)",
                        key, name, MOST_RANK);
        }
        if (!none && count == SETTINGS_MAX_STAGES) {
            return fail(CFD_ERROR_CONFIG, "%s: more than %d stages", key, SETTINGS_MAX_STAGES);
        }
        if (!none) {
            out[count++] = step;
        }
        if (*at == '\0') {
            break;
        }
    }
    *n = count;
    return CFD_OK;
}
