/* SPDX-License-Identifier: Apache-2.0 */
/* One row per key: where its value lives, of what type and range it is, what it is for. */
#ifndef CFD_MODEL_SETTINGS_KEYS_H
#define CFD_MODEL_SETTINGS_KEYS_H

#include "model/settings.h"

enum key_type { KEY_INTEGER, KEY_NUMBER, KEY_YES_NO, KEY_CHOICE, KEY_TEXT };

typedef struct key_row {
    const char *name; /* without ".ROLE" for keys of a role */
    bool of_role;     /* the value lives in role_settings, at `offset` there */
    enum key_type type;
    size_t offset;
    double low, high;     /* numbers and integers, inclusive unless `open`; of a text, high is its bytes with the NUL */
    bool open;            /* the low end is not included */
    const char *choices;  /* KEY_CHOICE: "first|second", stored as index */
    const char *standard; /* the default, as text */
    const char *help;
    const char *shown_name, *shown_range; /* for people */
} key_row;

extern const key_row settings_keys[];
extern const size_t settings_keys_count;

#endif
