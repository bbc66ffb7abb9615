/* SPDX-License-Identifier: Apache-2.0 */
/* The directory reader: headers of dense features first, since their rows bound the item ids; then every text file; then
 * the sizes that follow from all of them; then the data set is put together. */
#include "data/dataset.h"
#include "data/dataset_parts.h"
#include "data/directory.h"
#include "data/id_lists.h"
#include "io/npy.h"

#include <stdio.h>
#include <string.h>

/* Up to here ids may be as scattered as they like; beyond, there must be an id in the files for every DENSITY of them.
 * Else one wrong number in a small file would ask for all the memory there is. */
#define SCATTERED_IDS (1 << 24)
#define DENSITY 1000

/* How many users or items there are at least, and what says so. */
typedef struct claim {
    int32_t count;
    char file[DIRECTORY_FILE_BYTES];
    int64_t line; /* 0: not a line, but the rows of a matrix */
} claim;

typedef struct reading {
    const memory_source *memory;
    const char *directory;
    directory_listing files;
    int32_t dense; /* a dense modality that has the rows of all; -1: none */
    npy_file npy[CFD_MAX_MODALITIES];
    id_pairs splits[3];
    id_pairs tags[CFD_MAX_MODALITIES];
    name_list user_names, item_names;
    claim users, items;
    uint64_t mentions; /* of ids, in all files */
} reading;

static void raise(claim *c, int32_t count, const char *file, int64_t line)
{
    if (count > c->count) {
        c->count = count;
        c->line = line;
        snprintf(c->file, sizeof c->file, "%s", file);
    }
}

/* ---- dense features ---- */

static cfd_status open_dense(reading *r)
{
    r->dense = -1;
    for (int32_t i = 0; i < r->files.n_modalities; i++) {
        const directory_modality *m = &r->files.modalities[i];
        if (m->tags) {
            continue;
        }
        char *path;
        TRY(directory_join(r->memory, r->directory, m->file, &path));
        cfd_status status = npy_open(path, &r->npy[i]);
        memory_release(r->memory, path);
        TRY(status);
        if (r->dense >= 0 && r->npy[i].rows != r->npy[r->dense].rows) {
            return fail(CFD_ERROR_DATA, "%s: %s has %d rows, but %s has %d; each needs one row per item", r->directory,
                        r->files.modalities[r->dense].file, (int)r->npy[r->dense].rows, m->file, (int)r->npy[i].rows);
        }
        r->dense = r->dense < 0 ? i : r->dense;
        raise(&r->items, r->npy[i].rows, m->file, 0);
    }
    return CFD_OK;
}

/* ---- text files ---- */

static id_kind item_kind(const reading *r)
{
    if (r->dense < 0) {
        return (id_kind){"item", 0, NULL};
    }
    return (id_kind){"item", r->npy[r->dense].rows, r->files.modalities[r->dense].file};
}

static cfd_status read_ids(reading *r, const char *file, id_kind first, id_kind second, id_pairs *out)
{
    char *path;
    TRY(directory_join(r->memory, r->directory, file, &path));
    cfd_status status = id_pairs_read(r->memory, path, first, second, out);
    memory_release(r->memory, path);
    r->mentions += status == CFD_OK ? (uint64_t)out->n : 0;
    return status;
}

static cfd_status read_splits(reading *r)
{
    for (int split = 0; split < 3; split++) {
        const char *file = directory_split_files[split];
        if (!r->files.splits[split] && split != CFD_SPLIT_TRAIN) {
            continue;
        }
        id_pairs *pairs = &r->splits[split];
        TRY(read_ids(r, file, (id_kind){"user", 0, NULL}, item_kind(r), pairs));
        if (split == CFD_SPLIT_TRAIN && pairs->n == 0) {
            return fail(CFD_ERROR_DATA, "%s/%s: there are no training interactions", r->directory, file);
        }
        raise(&r->users, pairs->first.count, file, pairs->first.line);
        raise(&r->items, pairs->second.count, file, pairs->second.line);
    }
    return CFD_OK;
}

static cfd_status read_tags(reading *r)
{
    for (int32_t i = 0; i < r->files.n_modalities; i++) {
        const directory_modality *m = &r->files.modalities[i];
        if (!m->tags) {
            continue;
        }
        id_pairs *pairs = &r->tags[i];
        TRY(read_ids(r, m->file, item_kind(r), (id_kind){"tag", 0, NULL}, pairs));
        if (pairs->n == 0) {
            return fail(CFD_ERROR_DATA, "%s/%s: there are no tags", r->directory, m->file);
        }
        raise(&r->items, pairs->first.count, m->file, pairs->first.line);
        if (pairs->second.count > SCATTERED_IDS && (uint64_t)pairs->second.count / DENSITY > pairs->n) {
            return fail(CFD_ERROR_DATA, "%s/%s:%lld: tag id %d in a file of only %zu tags; number them from 0", r->directory,
                        m->file, (long long)pairs->second.line, (int)pairs->second.count - 1, pairs->n);
        }
    }
    return CFD_OK;
}

static cfd_status read_names(reading *r, bool there, const char *file, claim *c, name_list *names)
{
    if (!there) {
        return CFD_OK;
    }
    char *path;
    int32_t named = 0;
    TRY(directory_join(r->memory, r->directory, file, &path));
    cfd_status status = names_read(r->memory, path, names, &named);
    memory_release(r->memory, path);
    TRY(status);
    r->mentions += (uint64_t)names->n;
    raise(c, named, file, named);
    return CFD_OK;
}

/* ---- do they fit together? ---- */

static cfd_status check_names(const reading *r, const char *kind, const char *file, const claim *c, name_list *names)
{
    if (names->n == 0) {
        return CFD_OK;
    }
    if (names->n >= c->count) {
        names->n = c->count; /* what lies behind are empty lines at the end of the file */
        return CFD_OK;
    }
    if (c->line == 0) {
        return fail(CFD_ERROR_DATA, "%s/%s: %d of %d %ss have a line: %s has %d rows", r->directory, file, (int)names->n,
                    (int)c->count, kind, c->file, (int)c->count);
    }
    return fail(CFD_ERROR_DATA, "%s/%s: %d of %d %ss have a line: %s id %d stands in %s:%lld", r->directory, file,
                (int)names->n, (int)c->count, kind, kind, (int)c->count - 1, c->file, (long long)c->line);
}

static cfd_status check_density(const reading *r, const char *kind, const claim *c)
{
    bool scattered = c->line > 0 && c->count > SCATTERED_IDS && (uint64_t)c->count / DENSITY > r->mentions;
    return scattered
               ? fail(CFD_ERROR_DATA, "%s/%s:%lld: %s id %d in files of only %llu ids; number them from 0", r->directory,
                      c->file, (long long)c->line, kind, (int)c->count - 1, (unsigned long long)r->mentions)
               : CFD_OK;
}

static cfd_status check_sizes(reading *r)
{
    if (r->dense >= 0 && r->items.count > r->npy[r->dense].rows) {
        return fail(CFD_ERROR_DATA, "%s/%s:%d: item id %d is beyond the %d rows of %s", r->directory, r->items.file,
                    (int)r->npy[r->dense].rows + 1, (int)r->npy[r->dense].rows, (int)r->npy[r->dense].rows,
                    r->files.modalities[r->dense].file);
    }
    TRY(check_names(r, "user", DIRECTORY_USER_NAMES, &r->users, &r->user_names));
    TRY(check_names(r, "item", DIRECTORY_ITEM_NAMES, &r->items, &r->item_names));
    TRY(check_density(r, "user", &r->users));
    return check_density(r, "item", &r->items);
}

/* ---- putting together ---- */

static cfd_status make_splits(reading *r, dataset *data)
{
    for (int split = 0; split < 3; split++) {
        id_pairs *pairs = &r->splits[split];
        int64_t duplicates = 0;
        TRY(bipartite_create(r->memory, data->users, data->items, pairs->first_ids, pairs->second_ids, pairs->n,
                             &data->splits[split], &duplicates));
        data->duplicates += duplicates;
        id_pairs_release(pairs);
    }
    return dataset_compare_splits(data);
}

/* Keeps the mapping where the numbers can be used as they stand in the file. */
static cfd_status make_dense(const reading *r, npy_file *npy, const char *file, modality *m)
{
    const void *values = npy_in_place(npy);
    if (values) {
        m->mapping = npy->map.memory;
        m->mapping_bytes = npy->map.bytes;
    } else {
        TRY(npy_convert(r->memory, npy, &m->dense));
        unmap_file(&npy->map);
        values = m->dense;
    }
    m->features = (ops_feature_source){.rows = npy->rows,
                                       .columns = npy->columns,
                                       .dense = values,
                                       .element = npy_read_bytes(npy) == 2 ? OPS_FLOAT16 : OPS_FLOAT32,
                                       .ld = npy->columns};
    *npy = (npy_file){0};
    char *path;
    TRY(directory_join(r->memory, r->directory, file, &path));
    cfd_status status = dense_check(path, &m->features, &m->empty_items);
    memory_release(r->memory, path);
    return status;
}

static cfd_status make_tags(const reading *r, id_pairs *pairs, int32_t items, modality *m)
{
    TRY(sparse_count(r->memory, items, pairs->second.count, pairs->first_ids, pairs->second_ids, pairs->n, m));
    id_pairs_release(pairs);
    return sparse_weigh_tags(r->memory, m);
}

static cfd_status make_modalities(reading *r, dataset *data)
{
    for (int32_t i = 0; i < r->files.n_modalities; i++) {
        const directory_modality *found = &r->files.modalities[i];
        modality *m = &data->modalities[data->n_modalities++]; /* counted first: released whatever becomes of it */
        TRY(found->tags ? make_tags(r, &r->tags[i], data->items, m) : make_dense(r, &r->npy[i], found->file, m));
        memcpy(m->name, found->name, sizeof m->name);
    }
    return CFD_OK;
}

static void report_findings(const reading *r, const dataset *data)
{
    if (data->duplicates > 0) {
        log_message(&data->log, CFD_LOG_INFO, "%s: repeated interactions, counted once: %lld dropped", r->directory,
                    (long long)data->duplicates);
    }
    if (data->cold_test_items > 0) {
        log_message(&data->log, CFD_LOG_INFO, "%s: items of the test split that nobody has in the training split: %d",
                    r->directory, (int)data->cold_test_items);
    }
    if (data->leaked_test > 0) {
        log_message(&data->log, CFD_LOG_WARNING,
                    "%s: leakage: %lld of %lld test interactions, of %d users, stand in train.txt too", r->directory,
                    (long long)data->leaked_test, (long long)data->splits[CFD_SPLIT_TEST].interactions,
                    (int)data->leaked_users);
    }
}

static cfd_status read_directory(reading *r, dataset *data)
{
    TRY(directory_list(r->directory, &r->files));
    TRY(open_dense(r));
    TRY(read_splits(r));
    TRY(read_tags(r));
    TRY(read_names(r, r->files.user_names, DIRECTORY_USER_NAMES, &r->users, &r->user_names));
    TRY(read_names(r, r->files.item_names, DIRECTORY_ITEM_NAMES, &r->items, &r->item_names));
    TRY(check_sizes(r));
    data->users = r->users.count;
    data->items = r->items.count;
    TRY(make_splits(r, data));
    TRY(make_modalities(r, data));
    data->user_names = r->user_names;
    data->item_names = r->item_names;
    r->user_names = r->item_names = (name_list){0};
    report_findings(r, data);
    return CFD_OK;
}

cfd_status dataset_read(dataset *data, const memory_source *memory, log_sink log, const char *directory)
{
    reading r = {.memory = memory, .directory = directory};
    dataset result = {.memory = memory, .log = log};
    cfd_status status = read_directory(&r, &result);
    for (int32_t i = 0; i < CFD_MAX_MODALITIES; i++) {
        npy_close(&r.npy[i]);
        id_pairs_release(&r.tags[i]);
    }
    for (int split = 0; split < 3; split++) {
        id_pairs_release(&r.splits[split]);
    }
    names_release(memory, &r.user_names);
    names_release(memory, &r.item_names);
    if (status != CFD_OK) {
        dataset_release(&result);
        return status;
    }
    *data = result;
    return CFD_OK;
}
