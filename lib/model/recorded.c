/* SPDX-License-Identifier: Apache-2.0 */
/* A whole step. On a device whose queue can be recorded, what takes the host most is not the work but handing it over,
 * operation by operation; and but for the moment in training the work is the same at every step. So a step is recorded once
 * for each size of batch, and run again: the same operations in the same order, so the same numbers. */
#include "model/model.h"

#include <string.h>

static cfd_status run(model *m, bool drawn)
{
    TRY(drawn ? model_draw_batch(m) : model_index_batch(m));
    TRY(model_compute_gradients(m));
    return model_update(m);
}

static void forget(model *m, model_recording *r)
{
    if (r->work) {
        m->device->table->recording_destroy(m->device, r->work);
    }
    memset(r, 0, sizeof *r);
}

void model_forget_recordings(model *m)
{
    for (int i = 0; i < MODEL_RECORDINGS; i++) {
        forget(m, &m->recordings[i]);
    }
}

/* A place for such steps: with a recording that can be run, or empty. */
static model_recording *place_of(model *m, int32_t size, bool drawn)
{
    model_recording *empty = NULL;
    for (int i = 0; i < MODEL_RECORDINGS; i++) {
        model_recording *r = &m->recordings[i];
        if (r->work && !m->device->table->recording_valid(m->device, r->work)) {
            forget(m, r);
        }
        if (r->work && r->size == size && r->drawn == drawn) {
            return r;
        }
        empty = !r->work && !empty ? r : empty;
    }
    if (!empty) { /* a caller's batches of many sizes: the latest stays */
        empty = &m->recordings[MODEL_RECORDINGS - 1];
        forget(m, empty);
    }
    return empty;
}

/* Nothing is done meanwhile. What the host notes down of a step is put back: the step is still to come. */
static cfd_status record(model *m, int32_t size, bool drawn, model_recording *r)
{
    const ops_table *t = m->device->table;
    int64_t steps_done = m->steps_done;
    int64_t parameter_steps = m->parameter_steps;
    TRY(t->record_begin(m->device));
    cfd_status status = run(m, drawn);
    ops_recording *work = NULL;
    cfd_status ended = t->record_end(m->device, &work);
    m->steps_done = steps_done;
    m->parameter_steps = parameter_steps;
    if (status == CFD_OK && ended == CFD_OK) {
        *r = (model_recording){work, size, drawn, m->e0_gradient, m->x_gradient};
        return CFD_OK;
    }
    if (work) {
        t->recording_destroy(m->device, work);
    }
    return status != CFD_OK ? status : ended;
}

static cfd_status replay(model *m, const model_recording *r)
{
    ops_moment now = model_moment(m);
    TRY(m->device->table->replay(m->device, r->work, &now));
    m->batch.size = r->size;
    m->e0_gradient = r->e0_gradient;
    m->x_gradient = r->x_gradient;
    m->parameter_steps = ++m->steps_done;
    return CFD_OK;
}

cfd_status model_step(model *m, const cfd_batch *batch)
{
    bool drawn = !batch;
    if (batch) {
        TRY(model_set_batch(m, batch));
    }
    if (m->device->table->record_begin && m->warm && !m->unrecordable) {
        int32_t size = drawn ? ops_draw_size(&m->sampler, model_moment(m).position, m->batch.capacity) : m->batch.size;
        model_recording *r = place_of(m, size, drawn);
        if (r->work || record(m, size, drawn, r) == CFD_OK) {
            return replay(m, r);
        }
        m->unrecordable = true;
        log_message(&m->device->log, CFD_LOG_INFO, "steps are handed over operation by operation: %s", cfd_last_error());
    }
    TRY(run(m, drawn));
    m->warm = true;
    return CFD_OK;
}
