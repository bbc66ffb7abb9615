/* SPDX-License-Identifier: Apache-2.0 */
/* A look at training: its moments, and the cosines between modalities at each. */
#include "look.h"

#include "measured.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the model is made of ---- */

static size_t head_columns(const look *l)
{
    return l->n_roles * l->kinds * (size_t)l->d;
}

const float *look_row(const look *l, int32_t node, size_t role, int kind)
{
    if (kind == 0 ? !l->has_common : !l->has_differential) {
        return NULL;
    }
    size_t part = role * l->kinds + (kind == 1 && l->has_common ? 1 : 0);
    return l->heads + (size_t)node * head_columns(l) + part * (size_t)l->d;
}

static int read_embedding(look *l, const char *name)
{
    size_t n = ((size_t)l->n_users + (size_t)l->n_items) * head_columns(l);
    return cfd_model_get_embedding(l->model, name, l->heads, n) == CFD_OK ? EXIT_DONE : failed_in_library();
}

int look_read_heads(look *l)
{
    return read_embedding(l, "heads");
}

/* An item has a modality where what was made of its features is not zero. */
static int find_present(look *l)
{
    int code = read_embedding(l, "projected");
    size_t width = l->kinds * (size_t)l->d;
    for (size_t role = 0; role < l->n_roles && code == EXIT_DONE; role++) {
        l->present[role] = calloc((size_t)l->n_items, 1);
        if (!l->present[role]) {
            return out_of_memory();
        }
        for (int32_t item = 0; item < l->n_items; item++) {
            const float *row = l->heads + (size_t)(l->n_users + item) * head_columns(l) + role * width;
            for (size_t c = 0; c < width && !l->present[role][item]; c++) {
                l->present[role][item] = row[c] != 0.0f;
            }
        }
    }
    return code;
}

static void list_pairs(look *l)
{
    for (size_t a = 0; a < l->n_roles; a++) {
        for (size_t b = a + 1; b < l->n_roles; b++) {
            look_pair *pair = &l->pairs[l->n_pairs++];
            *pair = (look_pair){.first = a, .second = b};
            for (int32_t item = 0; item < l->n_items; item++) {
                pair->n_items += l->present[a][item] && l->present[b][item];
            }
        }
    }
}

static int measure_model(look *l, const cfd_config *config)
{
    cfd_model_info info = CFD_MODEL_INFO_INIT;
    if (cfd_model_get_info(l->model, &info) != CFD_OK) {
        return failed_in_library();
    }
    l->n_users = info.n_users;
    l->n_items = info.n_items;
    l->d = info.embedding_dim;
    l->n_roles = (size_t)info.n_modalities;
    l->has_common = config_is(config, "branch.common", "yes");
    l->has_differential = config_is(config, "branch.differential", "yes");
    l->merged = config_is(config, "merge_validation", "yes");
    l->kinds = (size_t)l->has_common + (size_t)l->has_differential;
    if (head_columns(l) == 0) { /* no content: no cosines, no map */
        l->n_roles = 0;
    }
    return EXIT_DONE;
}

/* ---- cosines ---- */

static double cosine(const float *a, const float *b, int32_t d)
{
    double ab = 0.0;
    double aa = 0.0;
    double bb = 0.0;
    for (int32_t c = 0; c < d; c++) {
        ab += (double)a[c] * b[c];
        aa += (double)a[c] * a[c];
        bb += (double)b[c] * b[c];
    }
    return aa > 0.0 && bb > 0.0 ? ab / (sqrt(aa) * sqrt(bb)) : 0.0;
}

static look_cosine compare_parts(const look *l, const look_pair *pair, int kind)
{
    look_cosine found = {NAN, NAN, NAN, NAN};
    size_t n = 0;
    if (pair->n_items == 0 || !look_row(l, 0, 0, kind)) {
        return found;
    }
    found.mean = found.mean_absolute = 0.0;
    for (int32_t item = 0; item < l->n_items; item++) {
        if (l->present[pair->first][item] && l->present[pair->second][item]) {
            int32_t node = l->n_users + item;
            double c = cosine(look_row(l, node, pair->first, kind), look_row(l, node, pair->second, kind), l->d);
            l->room[n++] = c;
            found.mean += c;
            found.mean_absolute += fabs(c);
        }
    }
    found.mean /= (double)n;
    found.mean_absolute /= (double)n;
    sort_ascending(l->room, n);
    found.low = quantile(l->room, n, 0.1);
    found.high = quantile(l->room, n, 0.9);
    return found;
}

static bool grow_cosines(look_cosine **cosines, size_t capacity)
{
    look_cosine *grown = realloc(*cosines, capacity * sizeof *grown);
    *cosines = grown ? grown : *cosines;
    return grown != NULL;
}

static bool make_room(look *l)
{
    if (l->n_epochs < l->capacity) {
        return true;
    }
    size_t capacity = l->capacity ? 2 * l->capacity : 64;
    int32_t *epochs = realloc(l->epochs, capacity * sizeof *epochs);
    bool fine = epochs != NULL;
    l->epochs = epochs ? epochs : l->epochs;
    for (size_t i = 0; i < l->n_pairs && fine; i++) {
        fine = grow_cosines(&l->pairs[i].common, capacity) && grow_cosines(&l->pairs[i].differential, capacity);
    }
    l->capacity = fine ? capacity : l->capacity;
    return fine;
}

static int add_moment(look *l, int32_t epoch)
{
    if (l->n_pairs == 0) {
        return EXIT_DONE;
    }
    if (!make_room(l)) {
        return out_of_memory();
    }
    int code = look_read_heads(l);
    for (size_t i = 0; i < l->n_pairs && code == EXIT_DONE; i++) {
        look_pair *pair = &l->pairs[i];
        pair->common[l->n_epochs] = compare_parts(l, pair, 0);
        pair->differential[l->n_epochs] = compare_parts(l, pair, 1);
    }
    if (code == EXIT_DONE) {
        l->epochs[l->n_epochs++] = epoch;
    }
    return code;
}

/* ---- the moments ---- */

int look_begin(look *l, cfd_context *context, const cfd_config *config, const cfd_dataset *dataset, cfd_model *model)
{
    if (l->every == 0) {
        return EXIT_DONE;
    }
    double began = seconds_now();
    l->context = context;
    l->dataset = dataset;
    l->model = model;
    int code = measure_model(l, config);
    if (code == EXIT_DONE && l->n_roles > 0) {
        size_t nodes = (size_t)l->n_users + (size_t)l->n_items;
        l->heads = calloc(nodes, head_columns(l) * sizeof *l->heads);
        l->room = calloc((size_t)l->n_items, sizeof *l->room);
        code = l->heads && l->room ? find_present(l) : out_of_memory();
    }
    if (code == EXIT_DONE) {
        list_pairs(l);
        code = add_moment(l, 0);
    }
    l->seconds += seconds_now() - began;
    return code;
}

int look_epoch(look *l, int32_t epoch, int32_t n_epochs)
{
    if (l->every == 0 || (epoch % l->every != 0 && epoch != n_epochs)) {
        return EXIT_DONE;
    }
    double began = seconds_now();
    int code = add_moment(l, epoch);
    l->seconds += seconds_now() - began;
    return code;
}

int look_end(look *l)
{
    if (l->every == 0) {
        return EXIT_DONE;
    }
    double began = seconds_now();
    cfd_scorer *scorer = NULL;
    if (cfd_scorer_create(l->model, &scorer) != CFD_OK) {
        return failed_in_library();
    }
    int code = look_find_shares(l, scorer);
    if (code == EXIT_DONE) {
        code = look_find_groups(l, scorer);
    }
    if (code == EXIT_DONE && l->n_roles > 0) {
        code = look_find_map(l);
    }
    cfd_scorer_release(scorer);
    l->seconds += seconds_now() - began;
    return code;
}

void look_release(look *l)
{
    for (size_t i = 0; i < l->n_pairs; i++) {
        free(l->pairs[i].common);
        free(l->pairs[i].differential);
    }
    for (size_t r = 0; r < CFD_MAX_MODALITIES; r++) {
        free(l->present[r]);
    }
    free(l->heads);
    free(l->room);
    free(l->epochs);
    free(l->map.items);
    free(l->map.x);
    free(l->map.y);
}
