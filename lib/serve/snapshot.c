/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: memory, and where things stand in a score row. */
#include "serve/snapshot.h"

#include <string.h>

score_layout snapshot_layout(const snapshot *s)
{
    const settings *v = &s->values;
    score_layout l = {.d = v->embedding_dim, .layers = v->layers, .has_base = v->branch_base != 0};
    l.kinds[0] = s->n_roles > 0 && v->branch_common ? l.n_kinds++ : -1;
    l.kinds[1] = s->n_roles > 0 && v->branch_differential ? l.n_kinds++ : -1;
    l.head_columns = s->n_roles * l.n_kinds * l.d;
    l.has_fused = l.head_columns > 0 && v->branch_fused;
    l.heads_at = l.has_base ? l.d : 0;
    l.fused_at = l.heads_at + l.head_columns;
    return l;
}

cfd_status snapshot_array(snapshot *s, size_t count, size_t size, const char *what, void *out)
{
    void *array;
    if (s->n_arrays == SNAPSHOT_ARRAYS) {
        return fail(CFD_ERROR_SYSTEM, "%s: a snapshot has at most %d arrays", what, (int)SNAPSHOT_ARRAYS);
    }
    TRY(memory_allocate(s->memory, count, size, what, &array));
    s->arrays[s->n_arrays++] = array;
    memcpy(out, &array, sizeof array);
    return CFD_OK;
}

cfd_status snapshot_copy(snapshot *s, const void *from, size_t count, size_t size, const char *what, void *out)
{
    void *copy = NULL;
    if (from) {
        TRY(snapshot_array(s, count, size, what, &copy));
        memcpy(copy, from, count * size);
    }
    memcpy(out, &copy, sizeof copy);
    return CFD_OK;
}

cfd_status snapshot_copy_stage(snapshot *s, const transform_stage *from, transform_stage *to)
{
    size_t in = (size_t)from->in;
    *to = (transform_stage){.kind = from->kind, .in = from->in, .out = from->out};
    TRY(snapshot_copy(s, from->mean, in, sizeof(float), "a transform", &to->mean));
    TRY(snapshot_copy(s, from->scale, in, sizeof(float), "a transform", &to->scale));
    return snapshot_copy(s, from->basis, in * (size_t)from->out, sizeof(float), "a transform", &to->basis);
}

void snapshot_release(snapshot *s)
{
    for (int32_t i = 0; i < s->n_arrays; i++) {
        memory_release(s->memory, s->arrays[i]);
    }
    safetensors_close(&s->file);
    memset(s, 0, sizeof *s);
}

int32_t snapshot_role(const snapshot *s, const char *role)
{
    for (int32_t r = 0; r < s->n_roles; r++) {
        if (strcmp(s->roles[r], role) == 0) {
            return r;
        }
    }
    return -1;
}

int32_t snapshot_widest(const content_encoder *e, int32_t d)
{
    int32_t most = e->features > e->columns ? e->features : e->columns;
    most = most > d ? most : d;
    for (int32_t i = 0; i < e->n_stages; i++) {
        most = e->stages[i].in > most ? e->stages[i].in : most;
    }
    return most;
}

cfd_status snapshot_require_nodes(const snapshot *s)
{
    return s->nodes.degrees
               ? CFD_OK
               : fail(CFD_ERROR_DATA, "the scorer does not keep what this is computed from: its model was made with "
                                      "keep.nodes = no, or it ranks by popularity");
}
