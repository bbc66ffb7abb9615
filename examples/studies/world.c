/* SPDX-License-Identifier: Apache-2.0 */
/* A data set directory in memory, and models of parts of it: see study.h. */
#include "study.h"

#include "../common/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int failed_in_library(void)
{
    return failed("%s", cfd_last_error());
}

/* ---- reading ---- */

/* Tags as they come in, item by item. */
typedef struct tag_reading {
    const char *path;
    int32_t items;
    tags *to;
    int32_t next; /* the first item whose list has not begun */
    int64_t n;
    size_t capacity;
} tag_reading;

static void begin_lists(tag_reading *r, int32_t end)
{
    for (; r->next < end; r->next++) {
        r->to->of.offsets[r->next] = r->n;
    }
}

static int add_tag(tag_reading *r, int32_t tag)
{
    if ((size_t)r->n == r->capacity) {
        r->capacity = r->capacity > 0 ? 2 * r->capacity : 4096;
        int32_t *grown = realloc(r->to->of.ids, r->capacity * sizeof *grown);
        if (!grown) {
            return out_of_memory();
        }
        r->to->of.ids = grown;
    }
    r->to->of.ids[r->n++] = tag;
    r->to->columns = tag >= r->to->columns ? tag + 1 : r->to->columns;
    return EXIT_DONE;
}

/* "item tag tag ..." */
static int read_line(tag_reading *r, int64_t number, const char *line)
{
    const char *at = line;
    for (int32_t field = 0;; field++) {
        char *end;
        errno = 0;
        long value = strtol(at, &end, 10);
        if (end == at) {
            return EXIT_DONE;
        }
        if (errno != 0 || value < 0 || value >= INT32_MAX || (field == 0 && (value < r->next || value >= r->items))) {
            return failed("%s:%lld: an item's id in ascending order, and tags, wanted", r->path, (long long)number);
        }
        at = end;
        if (field == 0) {
            begin_lists(r, (int32_t)value + 1);
        } else if (add_tag(r, (int32_t)value) != EXIT_DONE) {
            return EXIT_FAILED;
        }
    }
}

/* NAME.tags.txt, its items in ascending order, as `cfdtbd prepare` and debian-packages write it. */
static int read_tags(const char *directory, int32_t items, tags *t)
{
    char path[4096];
    complaint problem;
    line_reader reader = {0};
    snprintf(path, sizeof path, "%s/%s.tags.txt", directory, t->name);
    tag_reading r = {.path = path, .items = items, .to = t};
    t->of.offsets = calloc((size_t)items + 1, sizeof *t->of.offsets);
    if (!t->of.offsets) {
        return out_of_memory();
    }
    int code = EXIT_DONE;
    int more = lines_open(&reader, path, &problem) == 0 ? 1 : -1;
    while (more > 0 && code == EXIT_DONE && (more = lines_next(&reader, &problem)) > 0) {
        code = read_line(&r, reader.number, reader.bytes);
    }
    lines_close(&reader);
    begin_lists(&r, items + 1);
    return more < 0 ? failed("%s", problem.text) : code;
}

static int copy_split(const cfd_dataset *data, int32_t users, cfd_split split, lists *of)
{
    size_t n = 0;
    of->offsets = calloc((size_t)users + 1, sizeof *of->offsets);
    for (int32_t u = 0; u < users && of->offsets; u++) {
        const int32_t *items;
        size_t length;
        if (cfd_dataset_user_items(data, split, u, &items, &length) != CFD_OK) {
            return failed_in_library();
        }
        n += length;
        of->offsets[u + 1] = (int64_t)n;
    }
    of->ids = malloc((n + 1) * sizeof *of->ids);
    if (!of->offsets || !of->ids) {
        return out_of_memory();
    }
    for (int32_t u = 0; u < users; u++) {
        const int32_t *items;
        size_t length;
        if (cfd_dataset_user_items(data, split, u, &items, &length) != CFD_OK) {
            return failed_in_library();
        }
        memcpy(of->ids + of->offsets[u], items, length * sizeof *items);
    }
    return EXIT_DONE;
}

static int read_interactions(const study *s, world *w)
{
    cfd_dataset *data;
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    if (cfd_dataset_open(w->context, s->directory, &data) != CFD_OK) {
        return failed_in_library();
    }
    int code = cfd_dataset_get_info(data, &info) == CFD_OK ? EXIT_DONE : failed_in_library();
    w->users = info.n_users;
    w->items = info.n_items;
    code = code == EXIT_DONE ? copy_split(data, w->users, CFD_SPLIT_TRAIN, &w->train) : code;
    code = code == EXIT_DONE ? copy_split(data, w->users, CFD_SPLIT_TEST, &w->test) : code;
    cfd_dataset_destroy(data);
    return code;
}

int world_open(const study *s, world *w)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.threads = s->threads;
    options.seed = (uint64_t)s->seed;
    if (cfd_context_create(&options, &w->context) != CFD_OK) {
        return failed_in_library();
    }
    int code = read_interactions(s, w);
    const char *at = s->modalities;
    while (code == EXIT_DONE && *at != '\0') {
        int used = 0;
        tags *t = &w->roles[w->n_roles];
        if (w->n_roles == CFD_MAX_MODALITIES || sscanf(at, "%63[^=,]=%63[^=,]%n", t->role, t->name, &used) != 2) {
            return usage_error("--modalities \"%s\": ROLE=NAME,... wanted", s->modalities);
        }
        w->n_roles++;
        code = read_tags(s->directory, w->items, t);
        at += used;
        at += *at == ',';
    }
    return code;
}

void world_close(world *w)
{
    for (int32_t r = 0; r < w->n_roles; r++) {
        free(w->roles[r].of.offsets);
        free(w->roles[r].of.ids);
    }
    free(w->train.offsets);
    free(w->train.ids);
    free(w->test.offsets);
    free(w->test.ids);
    cfd_context_destroy(w->context);
}

/* ---- models of a part ---- */

/* The new id of each that is chosen; others have -1. */
static int32_t *close_up(const bool *chosen, int32_t n, int32_t *left)
{
    int32_t *ids = malloc((size_t)n * sizeof *ids);
    *left = 0;
    for (int32_t i = 0; i < n && ids; i++) {
        ids[i] = !chosen || chosen[i] ? (*left)++ : -1;
    }
    return ids;
}

static int add_interactions(const world *w, const int32_t *user_ids, const int32_t *item_ids, cfd_dataset *data)
{
    size_t most = (size_t)w->train.offsets[w->users] + 1;
    int32_t *users = malloc(most * sizeof *users);
    int32_t *items = malloc(most * sizeof *items);
    size_t n = 0;
    for (int32_t u = 0; u < w->users && users && items; u++) {
        const int32_t *list;
        size_t length = list_of(&w->train, u, &list);
        for (size_t k = 0; k < length && user_ids[u] >= 0; k++) {
            if (item_ids[list[k]] >= 0) {
                users[n] = user_ids[u];
                items[n++] = item_ids[list[k]];
            }
        }
    }
    int code = !users || !items                                                                 ? out_of_memory()
               : cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, n) == CFD_OK ? EXIT_DONE
                                                                                                : failed_in_library();
    free(users);
    free(items);
    return code;
}

static int add_tags(const world *w, const tags *t, const int32_t *item_ids, cfd_dataset *data)
{
    int64_t *offsets = calloc((size_t)w->items + 1, sizeof *offsets);
    int32_t *ids = malloc(((size_t)t->of.offsets[w->items] + 1) * sizeof *ids);
    int32_t rows = 0;
    for (int32_t i = 0; i < w->items && offsets && ids; i++) {
        if (item_ids[i] < 0) {
            continue;
        }
        const int32_t *list;
        size_t length = list_of(&t->of, i, &list);
        if (length > 0) {
            memcpy(ids + offsets[rows], list, length * sizeof *ids);
        }
        offsets[rows + 1] = offsets[rows] + (int64_t)length;
        rows++;
    }
    int code = !offsets || !ids ? out_of_memory()
               : cfd_dataset_add_sparse_modality(data, t->name, t->columns, offsets, ids, NULL) == CFD_OK
                   ? EXIT_DONE
                   : failed_in_library();
    free(offsets);
    free(ids);
    return code;
}

static int make_data(const world *w, const choice *chosen, cfd_dataset **out)
{
    int32_t users = 0;
    int32_t items = 0;
    int32_t *user_ids = close_up(chosen->users, w->users, &users);
    int32_t *item_ids = close_up(chosen->items, w->items, &items);
    cfd_dataset *data = NULL;
    int code = !user_ids || !item_ids                                          ? out_of_memory()
               : cfd_dataset_create(w->context, users, items, &data) == CFD_OK ? EXIT_DONE
                                                                               : failed_in_library();
    code = code == EXIT_DONE ? add_interactions(w, user_ids, item_ids, data) : code;
    for (int32_t r = 0; r < w->n_roles && code == EXIT_DONE; r++) {
        code = add_tags(w, &w->roles[r], item_ids, data);
    }
    free(user_ids);
    free(item_ids);
    if (code != EXIT_DONE) {
        cfd_dataset_destroy(data);
        return code;
    }
    *out = data;
    return EXIT_DONE;
}

static cfd_status assign(cfd_config *config, const char *pair)
{
    if (strncmp(pair, "ablation=", 9) == 0) {
        return cfd_config_load_ablation(config, pair + 9);
    }
    char key[128];
    size_t length = strcspn(pair, "=");
    snprintf(key, sizeof key, "%.*s", (int)length, pair);
    return cfd_config_set(config, key, pair[length] == '=' ? pair + length + 1 : "");
}

static cfd_status configure(const study *s, const char *const *also, size_t n_also, cfd_config *config)
{
    char epochs[16];
    snprintf(epochs, sizeof epochs, "%d", (int)s->epochs);
    cfd_status status = cfd_config_load_preset(config, "beauty");
    status = status ? status : cfd_config_set(config, "modalities", s->modalities);
    status = status ? status : cfd_config_set(config, "epochs", epochs);
    status = status ? status : cfd_config_set(config, "select", "none");
    for (size_t i = 0; i < s->n_sets && status == CFD_OK; i++) {
        status = assign(config, s->sets[i]);
    }
    for (size_t i = 0; i < n_also && status == CFD_OK; i++) {
        status = assign(config, also[i]);
    }
    return status;
}

int world_train(const study *s, const world *w, const choice *chosen, const char *const *also, size_t n_also,
                cfd_scorer **scorer)
{
    static const choice all = {0};
    cfd_dataset *data = NULL;
    cfd_config *config = NULL;
    cfd_model *model = NULL;
    int code = make_data(w, chosen ? chosen : &all, &data);
    if (code == EXIT_DONE) {
        cfd_status status = cfd_config_create(&config);
        status = status ? status : configure(s, also, n_also, config);
        status = status ? status : cfd_model_create(w->context, config, data, &model);
        status = status ? status : cfd_train(model, NULL, NULL);
        status = status ? status : cfd_scorer_create(model, scorer);
        code = status == CFD_OK ? EXIT_DONE : failed_in_library();
    }
    cfd_model_destroy(model);
    cfd_config_destroy(config);
    cfd_dataset_destroy(data);
    return code;
}

/* ---- lists ---- */

cfd_status list_items(const world *w, const cfd_scorer *scorer, int32_t user, const float *query, size_t k, int32_t *items)
{
    const int32_t *seen;
    const int64_t offsets[] = {0, (int64_t)list_of(&w->train, user, &seen)};
    cfd_filter filter = CFD_FILTER_INIT;
    filter.exclude_offsets = offsets;
    filter.exclude_items = seen;
    return query ? cfd_recommend_queries(scorer, query, 1, k, &filter, items, NULL, NULL)
                 : cfd_recommend(scorer, &user, 1, k, &filter, items, NULL, NULL);
}

bool is_hit(const world *w, int32_t user, const int32_t *items, int k)
{
    const int32_t *wanted;
    size_t n = list_of(&w->test, user, &wanted);
    for (int i = 0; i < k; i++) {
        for (size_t j = 0; j < n; j++) {
            if (items[i] == wanted[j]) {
                return true;
            }
        }
    }
    return false;
}

bool *draw_share(int32_t n, double share, uint64_t seed)
{
    bool *drawn = calloc((size_t)n + 1, sizeof *drawn);
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (int32_t i = 0; i < n && drawn; i++) {
        uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        drawn[i] = (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0 < share;
    }
    return drawn;
}
