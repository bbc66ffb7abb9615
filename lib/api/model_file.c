/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a model: parameters, transforms, configuration, and the rows that serving needs (docs/file-formats.md). */
#include "api/model_handle.h"

#include "io/safetensors.h"

#include <stdio.h>
#include <string.h>

#define MOST_TENSORS (MODEL_MAX_TENSORS + 8 + CFD_MAX_MODALITIES * (3 * SETTINGS_MAX_STAGES + 2))
#define MOST_ENTRIES 256
#define NAME_BYTES 128

typedef struct contents {
    const memory_source *memory;
    safetensor tensors[MOST_TENSORS];
    char names[MOST_TENSORS][NAME_BYTES];
    size_t n_tensors;
    safetensors_entry entries[MOST_ENTRIES];
    size_t n_entries;
    char *texts[2 * MOST_ENTRIES]; /* owned: keys and values */
    size_t n_texts;
    float *owned[MODEL_MAX_TENSORS];
    size_t n_owned;
    snapshot serving;
} contents;

static void add_tensor(contents *c, const char *name, int64_t rows, int64_t columns, const float *data)
{
    safetensor *t = &c->tensors[c->n_tensors];
    snprintf(c->names[c->n_tensors], NAME_BYTES, "%s", name);
    *t = (safetensor){.name = c->names[c->n_tensors++],
                      .dtype = "F32",
                      .shape = {rows, columns},
                      .rank = columns >= 0 ? 2 : 1,
                      .data = data};
    t->bytes = (size_t)rows * (columns >= 0 ? (size_t)columns : 1) * sizeof(float);
}

static void add_vector(contents *c, const char *name, int64_t n, const float *data)
{
    add_tensor(c, name, n, -1, data);
}

static cfd_status add_entry(void *user, const char *key, const char *value)
{
    contents *c = user;
    if (c->n_entries == MOST_ENTRIES) {
        return fail(CFD_ERROR_SYSTEM, "a model file holds at most %d entries", MOST_ENTRIES);
    }
    TRY(memory_copy_text(c->memory, key, "a model file's entry", &c->texts[c->n_texts]));
    const char *key_copy = c->texts[c->n_texts++];
    TRY(memory_copy_text(c->memory, value, "a model file's entry", &c->texts[c->n_texts]));
    c->entries[c->n_entries++] = (safetensors_entry){key_copy, c->texts[c->n_texts++]};
    return CFD_OK;
}

static cfd_status add_number(contents *c, const char *key, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return add_entry(c, key, text);
}

static cfd_status add_setting(void *user, const char *key, const char *value)
{
    char full[SETTINGS_TEXT_BYTES + 8];
    snprintf(full, sizeof full, "config.%s", key);
    return add_entry(user, full, value);
}

static cfd_status add_metadata(contents *c, const cfd_model *model)
{
    const struct model *m = model->core;
    char roles[CFD_MAX_MODALITIES * SETTINGS_ROLE_BYTES] = "";
    size_t length = 0;
    for (int32_t r = 0; r < m->n_roles; r++) {
        length += (size_t)snprintf(roles + length, sizeof roles - length, "%s%s", r ? "," : "", m->roles[r].own.role);
    }
    TRY(add_entry(c, "format", "cfdtbd-model"));
    TRY(add_entry(c, "format_version", "1"));
    TRY(add_entry(c, "library_version", cfd_version()));
    TRY(add_number(c, "steps_done", m->parameter_steps));
    TRY(add_number(c, "n_users", m->users));
    TRY(add_number(c, "n_items", m->items));
    TRY(add_entry(c, "roles", roles));
    return settings_visit(&m->values, add_setting, c); /* with every role's: model_create gave each its own values */
}

static cfd_status add_parameters(contents *c, const cfd_model *model)
{
    const struct model *m = model->core;
    for (int32_t i = 0; i < m->n_tensors; i++) {
        const model_tensor *tensor = &m->tensors[i];
        float *values;
        TRY(memory_allocate(c->memory, (size_t)tensor->rows * (size_t)tensor->columns, sizeof *values, tensor->name,
                            &values));
        c->owned[c->n_owned++] = values;
        TRY(model_read_tensor(m, tensor, false, values));
        add_tensor(c, tensor->name, tensor->rows, tensor->columns, values);
    }
    return CFD_OK;
}

static void add_transforms(contents *c, const cfd_model *model)
{
    char name[NAME_BYTES];
    for (int32_t r = 0; r < model->n_roles; r++) {
        const char *role = model->roles[r].role;
        const modality *content = &model->data->data.modalities[model->roles[r].modality];
        if (content->idf) {
            snprintf(name, sizeof name, "features.%s.idf", role);
            add_vector(c, name, content->features.columns, content->idf);
        }
        const transform *t = &model->transforms[r];
        for (int32_t i = 0; i < t->n_stages; i++) {
            const transform_stage *stage = &t->stages[i];
            if (stage->mean) {
                snprintf(name, sizeof name, "transform.%s.%d.mean", role, (int)i);
                add_vector(c, name, stage->in, stage->mean);
            }
            if (stage->scale) {
                snprintf(name, sizeof name, "transform.%s.%d.scale", role, (int)i);
                add_vector(c, name, stage->in, stage->scale);
            }
            if (stage->basis) {
                snprintf(name, sizeof name, "transform.%s.%d.basis", role, (int)i);
                add_tensor(c, name, stage->in, stage->out, stage->basis);
            }
        }
    }
}

static void add_integers(contents *c, const char *name, const char *dtype, size_t n, size_t size, const void *data)
{
    add_vector(c, name, (int64_t)n, data);
    c->tensors[c->n_tensors - 1].dtype = dtype;
    c->tensors[c->n_tensors - 1].bytes = n * size;
}

/* What serves, as far as it is not there as a parameter or transform. */
static void add_serving(contents *c, const snapshot *s)
{
    score_layout l = snapshot_layout(s);
    int64_t nodes = (int64_t)s->users + s->items;
    add_tensor(c, "serve.query", s->users, s->width, s->queries);
    add_tensor(c, "serve.key", s->items, s->width, s->keys);
    if (s->history.offsets) {
        add_integers(c, "serve.history.offsets", "I64", (size_t)s->users + 1, sizeof(int64_t), s->history.offsets);
        add_integers(c, "serve.history.items", "I32", (size_t)s->history.offsets[s->users], sizeof(int32_t),
                     s->history.items);
    }
    if (!s->nodes.degrees) {
        return;
    }
    add_integers(c, "serve.degrees", "I32", (size_t)nodes, sizeof(int32_t), s->nodes.degrees);
    if (l.has_base) {
        add_tensor(c, "serve.layers", l.layers * nodes, l.d, s->nodes.layers);
    }
    if (l.head_columns > 0) {
        add_tensor(c, "serve.heads", nodes, l.head_columns, s->nodes.heads);
        add_tensor(c, "serve.hops", nodes, l.head_columns, s->nodes.hops);
    }
    for (int32_t role = 0; role < s->n_roles; role++) {
        if (s->encoders[role].whitening) {
            char name[NAME_BYTES];
            snprintf(name, sizeof name, "serve.whitening.%s", s->roles[role]);
            add_tensor(c, name, (int64_t)l.n_kinds * l.d, l.d, s->encoders[role].whitening);
        }
    }
}

cfd_status cfd_model_save(cfd_model *model, const char *path)
{
    REQUIRE(model);
    REQUIRE(path);
    const memory_source *memory = &model->context->memory;
    contents *c;
    TRY(memory_allocate_zero(memory, 1, sizeof *c, "a model file's contents", &c));
    c->memory = memory;
    cfd_status status;
    TRY_OR(done, add_metadata(c, model));
    TRY_OR(done, add_parameters(c, model));
    add_transforms(c, model);
    TRY_OR(done, model_handle_snapshot(model, memory, &c->serving));
    add_serving(c, &c->serving);
    TRY_OR(done, safetensors_write(memory, path, c->tensors, c->n_tensors, c->entries, c->n_entries));
done:
    for (size_t i = 0; i < c->n_owned; i++) {
        memory_release(memory, c->owned[i]);
    }
    for (size_t i = 0; i < c->n_texts; i++) {
        memory_release(memory, c->texts[i]);
    }
    snapshot_release(&c->serving);
    memory_release(memory, c);
    return status;
}
