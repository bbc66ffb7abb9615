/* SPDX-License-Identifier: Apache-2.0 */
/* Users and items by name or number: see named.h. */
#include "named.h"

#include "program.h"

#include <stdio.h>

static int find(const char *directory, const char *what, const char *text, int32_t named, bool has_names, int32_t n,
                int32_t *id)
{
    int64_t number;
    if (named >= 0) {
        *id = named;
        return EXIT_DONE;
    }
    if (integer_from_text(text, 0, n - 1, &number)) {
        *id = (int32_t)number;
        return EXIT_DONE;
    }
    return failed("%s has no %s \"%s\": %sa number from 0 to %d", directory, what, text,
                  has_names ? "neither a name nor " : "", (int)n - 1);
}

int find_user(const cfd_dataset *dataset, const char *directory, const char *text, int32_t *user)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    if (cfd_dataset_get_info(dataset, &info) != CFD_OK) {
        return failed_in_library();
    }
    int32_t named = info.has_user_names ? cfd_dataset_find_user(dataset, text) : -1;
    return find(directory, "user", text, named, info.has_user_names != 0, info.n_users, user);
}

int find_item(const cfd_dataset *dataset, const char *directory, const char *text, int32_t *item)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    if (cfd_dataset_get_info(dataset, &info) != CFD_OK) {
        return failed_in_library();
    }
    int32_t named = info.has_item_names ? cfd_dataset_find_item(dataset, text) : -1;
    return find(directory, "item", text, named, info.has_item_names != 0, info.n_items, item);
}

void print_named(const char *name, int32_t id)
{
    if (name) {
        print_shown(name);
    } else {
        printf("%d", (int)id);
    }
}

void json_named(json *j, const char *key, const char *name, int32_t id)
{
    if (name) {
        json_text(j, key, name);
    } else {
        json_signed(j, key, id);
    }
}
