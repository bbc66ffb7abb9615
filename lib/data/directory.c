/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "data/directory.h"
#include "base/text.h"
#include "data/dataset_parts.h"
#include "io/report.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const directory_split_files[3] = {"train.txt", "validation.txt", "test.txt"};

static bool ends_in(const char *file, const char *suffix, size_t *stem)
{
    size_t length = strlen(file);
    size_t tail = strlen(suffix);
    *stem = length - tail;
    return length >= tail && strcmp(file + length - tail, suffix) == 0;
}

static cfd_status add_modality(const char *path, const char *file, size_t stem, bool tags, directory_listing *listing)
{
    char name[DATASET_NAME_BYTES] = {0};
    if (stem < sizeof name) {
        memcpy(name, file, stem);
    }
    char shown[REPORT_BYTES];
    report_bytes(file, strlen(file), shown);
    if (!text_is_name(name)) {
        return fail(CFD_ERROR_DATA, "%s/%s: a modality's name is 1 to 63 letters, digits, '_' or '-'", path, shown);
    }
    if (strcmp(name, DATASET_RESERVED_NAME) == 0) {
        return fail(CFD_ERROR_DATA, "%s/%s: the name \"%s\" is taken by the branch that fuses all modalities", path, shown,
                    name);
    }
    int32_t at = listing->n_modalities;
    while (at > 0 && strcmp(listing->modalities[at - 1].name, name) > 0) {
        at--;
    }
    if (at > 0 && strcmp(listing->modalities[at - 1].name, name) == 0) {
        return fail(CFD_ERROR_DATA, "%s: %s.npy and %s.tags.txt are the same modality; only one can be there", path, name,
                    name);
    }
    if (listing->n_modalities == CFD_MAX_MODALITIES) {
        return fail(CFD_ERROR_DATA, "%s: more than %d modalities, %s among them", path, CFD_MAX_MODALITIES, shown);
    }
    memmove(listing->modalities + at + 1, listing->modalities + at,
            (size_t)(listing->n_modalities - at) * sizeof *listing->modalities);
    directory_modality *m = &listing->modalities[at];
    memcpy(m->name, name, sizeof name);
    m->tags = tags;
    snprintf(m->file, sizeof m->file, "%s%s", name, tags ? ".tags.txt" : ".npy");
    listing->n_modalities++;
    return CFD_OK;
}

static cfd_status add_file(const char *path, const char *file, directory_listing *listing)
{
    size_t stem;
    if (file[0] == '.') {
        return CFD_OK;
    }
    for (int split = 0; split < 3; split++) {
        listing->splits[split] = listing->splits[split] || strcmp(file, directory_split_files[split]) == 0;
    }
    listing->user_names = listing->user_names || strcmp(file, DIRECTORY_USER_NAMES) == 0;
    listing->item_names = listing->item_names || strcmp(file, DIRECTORY_ITEM_NAMES) == 0;
    if (ends_in(file, ".npy", &stem)) {
        return add_modality(path, file, stem, false, listing);
    }
    if (ends_in(file, ".tags.txt", &stem)) {
        return add_modality(path, file, stem, true, listing);
    }
    return CFD_OK;
}

cfd_status directory_list(const char *path, directory_listing *out)
{
    DIR *stream = opendir(path);
    if (!stream) {
        return fail_file("open the directory", path, errno);
    }
    directory_listing listing = {0};
    cfd_status status = CFD_OK;
    while (status == CFD_OK) {
        errno = 0;
        const struct dirent *entry = readdir(stream); // NOLINT(concurrency-mt-unsafe): the stream is this call's own
        if (!entry) {
            status = errno ? fail_file("read the directory", path, errno) : CFD_OK;
            break;
        }
        status = add_file(path, entry->d_name, &listing);
    }
    closedir(stream);
    if (status == CFD_OK) {
        *out = listing;
    }
    return status;
}

cfd_status directory_join(const memory_source *memory, const char *directory, const char *file, char **out)
{
    size_t length = strlen(directory);
    size_t file_length = strlen(file);
    char *path;
    TRY(memory_allocate(memory, length + file_length + 2, 1, "a path", &path));
    memcpy(path, directory, length);
    path[length] = '/';
    memcpy(path + length + 1, file, file_length + 1);
    *out = path;
    return CFD_OK;
}
