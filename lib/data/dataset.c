/* SPDX-License-Identifier: Apache-2.0 */
/* A data set's life: empty, counted, released. */
#include "data/dataset.h"
#include "data/dataset_parts.h"
#include "io/map_file.h"

cfd_status dataset_init(dataset *data, const memory_source *memory, log_sink log, int32_t users, int32_t items)
{
    dataset empty = {.memory = memory, .log = log, .users = users, .items = items};
    for (int split = 0; split < 3; split++) {
        cfd_status status = bipartite_create(memory, users, items, NULL, NULL, 0, &empty.splits[split], NULL);
        if (status != CFD_OK) {
            dataset_release(&empty);
            return status;
        }
    }
    *data = empty;
    return CFD_OK;
}

void modality_release(const memory_source *memory, modality *m)
{
    mapped_file map = {m->mapping, m->mapping_bytes};
    unmap_file(&map);
    memory_release(memory, m->dense);
    memory_release(memory, m->offsets);
    memory_release(memory, m->indices);
    memory_release(memory, m->values);
    memory_release(memory, m->idf);
    *m = (modality){0};
}

void dataset_release(dataset *data)
{
    for (int split = 0; split < 3; split++) {
        bipartite_release(&data->splits[split]);
    }
    for (int32_t i = 0; i < data->n_modalities; i++) {
        modality_release(data->memory, &data->modalities[i]);
    }
    names_release(data->memory, &data->user_names);
    names_release(data->memory, &data->item_names);
    *data = (dataset){0};
}

/* How many of a user's test items stand in its training items too. */
static int64_t count_leaked(const dataset *data, int32_t user)
{
    const bipartite *test = &data->splits[CFD_SPLIT_TEST];
    int64_t leaked = 0;
    for (int64_t k = test->offsets[user]; k < test->offsets[user + 1]; k++) {
        leaked += bipartite_has(&data->splits[CFD_SPLIT_TRAIN], user, test->item_ids[k]);
    }
    return leaked;
}

cfd_status dataset_compare_splits(dataset *data)
{
    enum { TRAINED = 1, TESTED = 2 };
    const bipartite *train = &data->splits[CFD_SPLIT_TRAIN];
    const bipartite *test = &data->splits[CFD_SPLIT_TEST];
    unsigned char *seen = NULL;
    if (test->interactions > 0) { /* else there is nothing to look for */
        TRY(memory_allocate_zero(data->memory, (size_t)data->items, 1, "marks of items", &seen));
        for (int64_t k = 0; k < train->interactions; k++) {
            seen[train->item_ids[k]] = TRAINED;
        }
    }
    data->cold_test_items = 0;
    for (int64_t k = 0; k < test->interactions; k++) {
        data->cold_test_items += seen[test->item_ids[k]] == 0;
        seen[test->item_ids[k]] |= TESTED;
    }
    memory_release(data->memory, seen);
    data->leaked_test = 0;
    data->leaked_users = 0;
    for (int32_t user = 0; user < data->users; user++) {
        int64_t leaked = count_leaked(data, user);
        data->leaked_test += leaked;
        data->leaked_users += leaked > 0;
    }
    return CFD_OK;
}

void dataset_count(const dataset *data, cfd_dataset_info *info)
{
    *info = (cfd_dataset_info){
        .struct_size = sizeof *info,
        .n_users = data->users,
        .n_items = data->items,
        .n_modalities = data->n_modalities,
        .has_user_names = data->user_names.n > 0,
        .has_item_names = data->item_names.n > 0,
        .cold_test_items = data->cold_test_items,
        .n_train = data->splits[CFD_SPLIT_TRAIN].interactions,
        .n_validation = data->splits[CFD_SPLIT_VALIDATION].interactions,
        .n_test = data->splits[CFD_SPLIT_TEST].interactions,
        .duplicates = data->duplicates,
        .leaked_test = data->leaked_test,
        .leaked_users = data->leaked_users,
    };
}
