/* SPDX-License-Identifier: Apache-2.0 */
/* The model that serves, and its replacement while requests run on it: each request holds the scorer that was current when
 * it began, and the last to let go of an old one ends it. */
#ifndef SERVICE_MODELS_H
#define SERVICE_MODELS_H

#include <cfdtbd.h>

#include <pthread.h>

typedef struct models {
    const char *path;
    cfd_context *context;
    cfd_scorer *current;
    pthread_mutex_t lock; /* of current: held for the exchange of a pointer only, never while a file is read */
} models;

/* Loads the model file at path, which is kept. On failure nothing is left behind. */
cfd_status models_open(models *m, const char *path);
/* Once nobody holds a scorer any more. */
void models_close(models *m);

/* The current scorer, to be given back with cfd_scorer_release. Any thread. */
cfd_scorer *models_hold(models *m);
/* Loads the file again, beside the current scorer, and puts it in that one's place. On failure the current one stays.
 * Requests go on meanwhile; one thread reloads at a time. */
cfd_status models_reload(models *m);

#endif
