/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in a data set directory. */
#ifndef CFD_DATA_DIRECTORY_H
#define CFD_DATA_DIRECTORY_H

#include "data/dataset.h"

#define DIRECTORY_FILE_BYTES (DATASET_NAME_BYTES + 16)

typedef struct directory_modality {
    char name[DATASET_NAME_BYTES];
    bool tags; /* NAME.tags.txt, not NAME.npy */
    char file[DIRECTORY_FILE_BYTES];
} directory_modality;

typedef struct directory_listing {
    directory_modality modalities[CFD_MAX_MODALITIES]; /* by name, in the order of its bytes */
    int32_t n_modalities;
    bool splits[3]; /* by cfd_split: the file is there */
    bool user_names, item_names;
} directory_listing;

extern const char *const directory_split_files[3]; /* "train.txt", ... */
#define DIRECTORY_USER_NAMES "users.names.txt"
#define DIRECTORY_ITEM_NAMES "items.names.txt"

/* Hidden files, and files of other kinds, are passed over. */
cfd_status directory_list(const char *path, directory_listing *out);
/* "DIRECTORY/FILE", which the caller releases. */
cfd_status directory_join(const memory_source *memory, const char *directory, const char *file, char **out);

#endif
