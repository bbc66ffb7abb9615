/* SPDX-License-Identifier: Apache-2.0 */
/* The model that serves: see models.h. */
#define _POSIX_C_SOURCE 200809L
#include "models.h"

cfd_status models_open(models *m, const char *path)
{
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "cpu";
    options.threads = 1; /* every request computes on the thread that answers it */
    *m = (models){.path = path, .lock = PTHREAD_MUTEX_INITIALIZER};
    cfd_status status = cfd_context_create(&options, &m->context);
    if (status == CFD_OK) {
        status = cfd_scorer_load(m->context, path, &m->current);
    }
    if (status != CFD_OK) {
        models_close(m);
    }
    return status;
}

void models_close(models *m)
{
    cfd_scorer_release(m->current);
    cfd_context_destroy(m->context);
}

cfd_scorer *models_hold(models *m)
{
    pthread_mutex_lock(&m->lock);
    cfd_scorer *scorer = cfd_scorer_retain(m->current);
    pthread_mutex_unlock(&m->lock);
    return scorer;
}

cfd_status models_reload(models *m)
{
    cfd_scorer *scorer = NULL;
    cfd_status status = cfd_scorer_load(m->context, m->path, &scorer);
    if (status != CFD_OK) {
        return status;
    }
    pthread_mutex_lock(&m->lock);
    cfd_scorer *old = m->current;
    m->current = scorer;
    pthread_mutex_unlock(&m->lock);
    cfd_scorer_release(old);
    return CFD_OK;
}
