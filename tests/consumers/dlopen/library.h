/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that this program takes from the library, and their names here: a call goes through the table that is open.
 * The types are those of cfdtbd.h, so that a call that does not fit is seen by the compiler. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <cfdtbd.h>

#define LIBRARY_FUNCTIONS(F)           \
    F(cfd_last_error)                  \
    F(cfd_context_create)              \
    F(cfd_context_destroy)             \
    F(cfd_config_create)               \
    F(cfd_config_set)                  \
    F(cfd_config_destroy)              \
    F(cfd_dataset_create)              \
    F(cfd_dataset_add_interactions)    \
    F(cfd_dataset_add_dense_modality)  \
    F(cfd_dataset_add_sparse_modality) \
    F(cfd_dataset_destroy)             \
    F(cfd_model_create)                \
    F(cfd_train)                       \
    F(cfd_model_destroy)               \
    F(cfd_scorer_create)               \
    F(cfd_recommend)                   \
    F(cfd_scorer_release)

typedef struct library {
    void *handle;
#define LIBRARY_MEMBER(name) __typeof__(name) *name;
    LIBRARY_FUNCTIONS(LIBRARY_MEMBER)
#undef LIBRARY_MEMBER
} library;

/* Opens path and finds every function; 0, or says on stderr what is missing. */
int library_open(library *opened, const char *path);
/* Unmaps it. Every handle must have been destroyed. */
int library_close(library *opened);

#endif
