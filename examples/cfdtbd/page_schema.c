/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of a report, as a table of places and types. Keys that the table does not name are nobody's concern: later
 * versions may add some. */
#include "page_schema.h"

#include "program.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_BYTES = 256 };

/* What may stand at a place. */
enum wanted {
    NUMBER, /* a number or null */
    COUNT,  /* a whole number from 0 to 2^53 */
    TEXT,   /* text */
    TEXT_OR_NULL,
    BOOLEAN,
    SCALAR, /* anything but an array or object */
    OBJECT,
    OBJECT_OR_NULL,
    ARRAY
};

static const char *const wanted_names[] = {
    "a number or null", "a whole number from 0 to 2^53",       "text",      "text or null",
    "true or false",    "a number, text, true, false or null", "an object", "an object or null",
    "an array"};

typedef struct rule {
    const char *place; /* * stands for every key and every element */
    enum wanted wanted;
    bool required; /* where what is around it is there */
} rule;

static const rule rules[] = {
    {"history", ARRAY, true},
    {"history/*", OBJECT, true},
    {"history/*/epoch", COUNT, true},
    {"history/*/losses", OBJECT, true},
    {"history/*/losses/total", NUMBER, true},
    {"history/*/losses/ranking", NUMBER, true},
    {"history/*/losses/penalty", NUMBER, true},
    {"history/*/losses/common", NUMBER, true},
    {"history/*/losses/differential", NUMBER, true},
    {"history/*/losses/ranking_of", OBJECT, true},
    {"history/*/losses/ranking_of/base", NUMBER, true},
    {"history/*/losses/ranking_of/fused", NUMBER, true},
    {"history/*/losses/ranking_of/modality", OBJECT, true},
    {"history/*/losses/ranking_of/modality/*", NUMBER, true},
    {"history/*/metrics", OBJECT, false},
    {"history/*/metrics/*", NUMBER, true},
    {"selected_on", TEXT, true},
    {"preset", TEXT_OR_NULL, false},
    {"ablation", TEXT_OR_NULL, false},
    {"test", OBJECT_OR_NULL, true},
    {"test/*", SCALAR, true},
    {"popularity", OBJECT_OR_NULL, true},
    {"popularity/*", SCALAR, true},
    {"best", OBJECT, true},
    {"best/*", SCALAR, true},
    {"best/epoch", COUNT, true},
    {"best/selected", BOOLEAN, true},
    {"training", OBJECT, true},
    {"training/*", SCALAR, true},
    {"training/epochs_done", COUNT, true},
    {"training/seconds", NUMBER, true},
    {"data", OBJECT, true},
    {"data/directory", TEXT, true},
    {"data/n_users", COUNT, true},
    {"data/n_items", COUNT, true},
    {"data/n_train", COUNT, true},
    {"config", OBJECT, true},
    {"config/*", SCALAR, true},
    {"environment", OBJECT, true},
    {"environment/*", SCALAR, true},
    {"look", OBJECT_OR_NULL, false},
    {"look/every", COUNT, true},
    {"look/cosine", ARRAY, true},
    {"look/cosine/*", OBJECT, true},
    {"look/cosine/*/roles", ARRAY, true},
    {"look/cosine/*/roles/*", TEXT, true},
    {"look/cosine/*/n_items", COUNT, true},
    {"look/cosine/*/epochs", ARRAY, true},
    {"look/cosine/*/epochs/*", COUNT, true},
    {"look/cosine/*/common", OBJECT, false},
    {"look/cosine/*/common/*", ARRAY, true},
    {"look/cosine/*/common/*/*", NUMBER, true},
    {"look/cosine/*/differential", OBJECT, false},
    {"look/cosine/*/differential/*", ARRAY, true},
    {"look/cosine/*/differential/*/*", NUMBER, true},
    {"look/shares", OBJECT, true},
    {"look/shares/k", COUNT, true},
    {"look/shares/n_users", COUNT, true},
    {"look/shares/parts", ARRAY, true},
    {"look/shares/parts/*", OBJECT, true},
    {"look/shares/parts/*/part", TEXT, true},
    {"look/shares/parts/*/role", TEXT_OR_NULL, true},
    {"look/shares/parts/*/share", NUMBER, true},
    {"look/shares/parts/*/contribution", NUMBER, true},
    {"look/ranking", OBJECT_OR_NULL, true},
    {"look/ranking/split", TEXT, true},
    {"look/ranking/*/*", OBJECT, true},
    {"look/ranking/*/*/from", COUNT, true},
    {"look/ranking/*/*/to", COUNT, true},
    {"look/ranking/*/*/model", OBJECT, true},
    {"look/ranking/*/*/model/*", NUMBER, true},
    {"look/ranking/*/*/popularity", OBJECT, true},
    {"look/ranking/*/*/popularity/*", NUMBER, true},
    {"look/map", OBJECT_OR_NULL, true},
    {"look/map/explained", ARRAY, true},
    {"look/map/explained/*", NUMBER, true},
    {"look/map/items", ARRAY, true},
    {"look/map/items/*", COUNT, true},
    {"look/map/sets", ARRAY, true},
    {"look/map/sets/*", OBJECT, true},
    {"look/map/sets/*/part", TEXT, true},
    {"look/map/sets/*/role", TEXT, true},
    {"look/map/sets/*/x", ARRAY, true},
    {"look/map/sets/*/x/*", NUMBER, true},
    {"look/map/sets/*/y", ARRAY, true},
    {"look/map/sets/*/y/*", NUMBER, true},
};

static bool is_number(const json_t *v)
{
    return json_is_number(v) && fabs(json_number_value(v)) <= 1e20;
}

static bool fits(const json_t *v, enum wanted wanted)
{
    switch (wanted) {
    case NUMBER: return is_number(v) || json_is_null(v);
    case COUNT:
        return is_number(v) && json_number_value(v) >= 0.0 && json_number_value(v) <= 9007199254740992.0 &&
               json_number_value(v) == floor(json_number_value(v));
    case TEXT: return json_is_string(v);
    case TEXT_OR_NULL: return json_is_string(v) || json_is_null(v);
    case BOOLEAN: return json_is_boolean(v);
    case SCALAR: return !json_is_array(v) && !json_is_object(v) && (!json_is_number(v) || is_number(v));
    case OBJECT: return json_is_object(v);
    case OBJECT_OR_NULL: return json_is_object(v) || json_is_null(v);
    case ARRAY: return json_is_array(v);
    }
    return false;
}

/* Where a check is: the file, and the place so far. */
typedef struct walk {
    const char *file;
    const rule *rule;
    char place[PLACE_BYTES];
} walk;

static int check_at(walk *w, const json_t *value, const char *rest);

static int complain_at(const walk *w, const char *what)
{
    return failed("%s: %s: %s", w->file, w->place[0] ? w->place : "the whole", what);
}

/* Goes on below a value, by one key or element. */
static int check_below(walk *w, const json_t *child, const char *name, const char *rest)
{
    size_t length = strlen(w->place);
    snprintf(w->place + length, PLACE_BYTES - length, "%s%.60s", length > 0 ? "/" : "", name);
    int code = check_at(w, child, rest);
    w->place[length] = '\0';
    return code;
}

static int check_each(walk *w, const json_t *value, const char *rest)
{
    int code = EXIT_DONE;
    char number[24];
    for (size_t i = 0; i < json_array_size(value) && code == EXIT_DONE; i++) {
        snprintf(number, sizeof number, "%zu", i);
        code = check_below(w, json_array_get(value, i), number, rest);
    }
    json_t *object = json_is_object(value) ? (json_t *)(uintptr_t)value : NULL; /* iterating does not change it */
    for (void *at = json_object_iter(object); at && code == EXIT_DONE; at = json_object_iter_next(object, at)) {
        code = check_below(w, json_object_iter_value(at), json_object_iter_key(at), rest);
    }
    return code;
}

static int check_at(walk *w, const json_t *value, const char *rest)
{
    char key[64];
    if (*rest == '\0') {
        char message[128];
        snprintf(message, sizeof message, "%s wanted", wanted_names[w->rule->wanted]);
        return fits(value, w->rule->wanted) ? EXIT_DONE : complain_at(w, message);
    }
    size_t length = strcspn(rest, "/");
    snprintf(key, sizeof key, "%.*s", (int)length, rest);
    rest += length + (rest[length] == '/');
    if (strcmp(key, "*") == 0) {
        return check_each(w, value, rest);
    }
    const json_t *child = json_object_get(value, key);
    if (!child && *rest == '\0' && w->rule->required && json_is_object(value)) {
        char message[128];
        snprintf(message, sizeof message, "\"%s\" is missing: no report of cfdtbd train", key);
        return complain_at(w, message);
    }
    return child ? check_below(w, child, key, rest) : EXIT_DONE;
}

/* Series that belong together must be of one length. */
static int check_lengths(const char *file, const json_t *look)
{
    const json_t *cosines = json_object_get(look, "cosine");
    for (size_t i = 0; i < json_array_size(cosines); i++) {
        const json_t *pair = json_array_get(cosines, i);
        size_t n = json_array_size(json_object_get(pair, "epochs"));
        if (json_array_size(json_object_get(pair, "roles")) != 2) {
            return failed("%s: look/cosine/%zu/roles: two modalities wanted", file, i);
        }
        static const char *const kinds[] = {"common", "differential"};
        for (size_t k = 0; k < 2; k++) {
            json_t *part = json_object_get(pair, kinds[k]);
            for (void *at = json_object_iter(part); at; at = json_object_iter_next(part, at)) {
                if (json_array_size(json_object_iter_value(at)) != n) {
                    return failed("%s: look/cosine/%zu/%s/%.60s: %zu numbers wanted, one for each of epochs", file, i,
                                  kinds[k], json_object_iter_key(at), n);
                }
            }
        }
    }
    const json_t *map = json_object_get(look, "map");
    const json_t *sets = json_object_get(map, "sets");
    size_t n = json_array_size(json_object_get(map, "items"));
    for (size_t i = 0; i < json_array_size(sets); i++) {
        const json_t *set = json_array_get(sets, i);
        if (json_array_size(json_object_get(set, "x")) != n || json_array_size(json_object_get(set, "y")) != n) {
            return failed("%s: look/map/sets/%zu: %zu points wanted, one for each of items", file, i, n);
        }
    }
    return EXIT_DONE;
}

int schema_check(const char *file, const json_t *root)
{
    const json_t *format = json_object_get(root, "format");
    if (!json_is_object(root)) {
        return failed("%s: an object wanted: no report of cfdtbd train", file);
    }
    if (format && (!fits(format, COUNT) || json_number_value(format) < 1.0)) {
        return failed("%s: format: a number of a format wanted", file);
    }
    if (format && json_number_value(format) > REPORT_FORMAT) {
        return failed("%s: format: %.0f is newer than this program, which reads up to %d", file, json_number_value(format),
                      REPORT_FORMAT);
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        walk w = {.file = file, .rule = &rules[i]};
        int code = check_at(&w, root, rules[i].place);
        if (code != EXIT_DONE) {
            return code;
        }
    }
    return check_lengths(file, json_object_get(root, "look"));
}
