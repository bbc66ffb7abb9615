/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the serving part of a model file. Nothing in the file is trusted: safetensors_open has checked offsets
 * and sizes, this checks what they mean. */
#include "serve/scorer_file.h"

#include "io/report.h"
#include "io/safetensors.h"

#include <math.h>
#include <string.h>

static const char config_prefix[] = "config.";

/* A metadata value that must be there. */
static cfd_status get_text(const safetensors_file *file, const char *path, const char *key, const char **out)
{
    const char *value = safetensors_metadata(file, key);
    if (!value) {
        return fail(CFD_ERROR_FORMAT, "%s: not a model file: metadata \"%s\" is missing", path, key);
    }
    *out = value;
    return CFD_OK;
}

static cfd_status get_constant(const safetensors_file *file, const char *path, const char *key, const char *wanted)
{
    const char *value;
    TRY(get_text(file, path, key, &value));
    if (strcmp(value, wanted) != 0) {
        char shown[REPORT_BYTES];
        return fail(CFD_ERROR_FORMAT, "%s: metadata \"%s\" is \"%s\", not \"%s\"", path, key,
                    report_bytes(value, strlen(value), shown), wanted);
    }
    return CFD_OK;
}

static cfd_status get_integer(const safetensors_file *file, const char *path, const char *key, int64_t least, int64_t most,
                              int64_t *out)
{
    const char *text;
    TRY(get_text(file, path, key, &text));
    int64_t value;
    if (!text_to_integer(text, &value) || value < least || value > most) {
        char shown[REPORT_BYTES];
        return fail(CFD_ERROR_FORMAT, "%s: metadata \"%s\" is \"%s\", not an integer from %lld to %lld", path, key,
                    report_bytes(text, strlen(text), shown), (long long)least, (long long)most);
    }
    *out = value;
    return CFD_OK;
}

/* "visual,textual"; "" is no role. */
static cfd_status get_roles(const safetensors_file *file, const char *path, snapshot *out)
{
    const char *list;
    TRY(get_text(file, path, "roles", &list));
    out->n_roles = 0;
    for (const char *at = list; *list != '\0';) {
        size_t length = strcspn(at, ",");
        if (out->n_roles == CFD_MAX_MODALITIES) {
            return fail(CFD_ERROR_FORMAT, "%s: metadata \"roles\" has more than %d names", path, CFD_MAX_MODALITIES);
        }
        char *role = out->roles[out->n_roles];
        size_t kept = length < SETTINGS_ROLE_BYTES ? length : SETTINGS_ROLE_BYTES - 1;
        memcpy(role, at, kept);
        role[kept] = '\0';
        if (length > kept || !text_is_name(role)) {
            char shown[REPORT_BYTES];
            return fail(CFD_ERROR_FORMAT, "%s: metadata \"roles\": \"%s\" is not a name", path,
                        report_bytes(at, length, shown));
        }
        for (int32_t i = 0; i < out->n_roles; i++) {
            if (strcmp(out->roles[i], role) == 0) {
                return fail(CFD_ERROR_FORMAT, "%s: metadata \"roles\": \"%s\" stands there twice", path, role);
            }
        }
        out->n_roles++;
        if (at[length] == '\0') {
            break;
        }
        at += length + 1;
    }
    return CFD_OK;
}

/* Keys and values of settings are; a message may then quote them as they are. */
static bool is_printable(const char *text)
{
    while (*text >= ' ' && *text <= '~') {
        text++;
    }
    return *text == '\0';
}

static cfd_status get_settings(const safetensors_file *file, const char *path, settings *values)
{
    settings_init(values);
    for (size_t i = 0; i < file->n_metadata; i++) {
        const safetensors_entry *entry = &file->metadata[i];
        if (strncmp(entry->key, config_prefix, sizeof config_prefix - 1) != 0) {
            continue;
        }
        char shown[REPORT_BYTES];
        if (!is_printable(entry->key) || !is_printable(entry->value)) {
            return fail(CFD_ERROR_FORMAT, "%s: metadata \"%s\" is not printable ASCII", path,
                        report_bytes(entry->key, strlen(entry->key), shown));
        }
        cfd_status status = settings_set(values, entry->key + sizeof config_prefix - 1, entry->value);
        if (status == CFD_ERROR_CONFIG) {
            return fail(CFD_ERROR_FORMAT, "%s: metadata \"%s\": %s", path,
                        report_bytes(entry->key, strlen(entry->key), shown), cfd_last_error());
        }
        TRY(status);
    }
    return CFD_OK;
}

/* Refuses all but a float32 matrix of `rows` rows (ANY_ROWS: of as many as there are) and `columns` columns. `of` says in
 * words what these are. */
enum { ANY_ROWS = -1 };

static cfd_status check_matrix(const safetensor *tensor, const char *path, int64_t rows, int64_t columns, const char *of)
{
    char name[REPORT_BYTES];
    report_bytes(tensor->name, strlen(tensor->name), name);
    if (strcmp(tensor->dtype, "F32") != 0 || tensor->rank != 2) {
        char shown[REPORT_BYTES];
        return fail(CFD_ERROR_FORMAT, "%s: tensor %s is %s with %d dimensions, not F32 with 2", path, name,
                    report_bytes(tensor->dtype, strlen(tensor->dtype), shown), (int)tensor->rank);
    }
    int64_t wanted = rows == ANY_ROWS && tensor->shape[0] > 0 ? tensor->shape[0] : rows == ANY_ROWS ? 1 : rows;
    if (tensor->shape[0] != wanted || tensor->shape[1] != columns) {
        return fail(CFD_ERROR_FORMAT, "%s: tensor %s is %lld x %lld, not %lld x %lld: %s", path, name,
                    (long long)tensor->shape[0], (long long)tensor->shape[1], (long long)wanted, (long long)columns, of);
    }
    return CFD_OK;
}

static cfd_status find_matrix(const snapshot *s, const char *path, const char *name, int64_t rows, int64_t columns,
                              const char *of, const safetensor **out)
{
    const safetensor *tensor = safetensors_find(&s->file, name);
    if (!tensor) {
        return fail(CFD_ERROR_FORMAT, "%s: not a model file: tensor %s is missing", path, name);
    }
    TRY(check_matrix(tensor, path, rows, columns, of));
    *out = tensor;
    return CFD_OK;
}

/* The parameters serve nobody here, but where they contradict the rest, one of both is wrong. */
static cfd_status check_parameters(const safetensors_file *file, const char *path, int64_t users, int64_t items, int64_t d)
{
    for (size_t i = 0; i < file->n_tensors; i++) {
        const safetensor *tensor = &file->tensors[i];
        if (strncmp(tensor->name, "user.", 5) == 0) {
            TRY(check_matrix(tensor, path, users, d, "n_users x config.embedding_dim"));
        } else if (strncmp(tensor->name, "item.", 5) == 0) {
            TRY(check_matrix(tensor, path, items, d, "n_items x config.embedding_dim"));
        } else if (strncmp(tensor->name, "proj.", 5) == 0) {
            TRY(check_matrix(tensor, path, ANY_ROWS, d, "columns of the features x config.embedding_dim"));
        }
    }
    return CFD_OK;
}

cfd_status scorer_file_matrix(const snapshot *s, const char *path, const char *name, int64_t rows, int64_t columns,
                              const char *of, const float **out)
{
    const safetensor *tensor;
    TRY(find_matrix(s, path, name, rows, columns, of, &tensor));
    *out = tensor->data;
    return CFD_OK;
}

/* A matrix whose numbers must all be finite. */
static cfd_status finite_matrix(const snapshot *s, const char *path, const char *name, int64_t rows, int64_t columns,
                                const char *of, const float **out)
{
    const float *values;
    TRY(scorer_file_matrix(s, path, name, rows, columns, of, &values));
    size_t n = (size_t)rows * (size_t)columns;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) {
            return fail(CFD_ERROR_FORMAT, "%s: tensor %s is %s at row %zu, column %zu", path, name,
                        isnan(values[i]) ? "NaN" : "infinite", i / (size_t)columns, i % (size_t)columns);
        }
    }
    *out = values;
    return CFD_OK;
}

static cfd_status read_open_file(const char *path, snapshot *read)
{
    const safetensors_file *file = &read->file;
    TRY(get_constant(file, path, "format", "cfdtbd-model"));
    TRY(get_constant(file, path, "format_version", "1"));
    int64_t users;
    int64_t items;
    TRY(get_integer(file, path, "n_users", 1, INT32_MAX - 1, &users));
    TRY(get_integer(file, path, "n_items", 1, INT32_MAX - 1, &items));
    TRY(get_integer(file, path, "steps_done", 0, INT64_MAX, &read->steps_done));
    TRY(get_roles(file, path, read));
    TRY(get_settings(file, path, &read->values));
    int32_t width = settings_score_width(&read->values, read->n_roles);
    if (width == 0) {
        return fail(CFD_ERROR_FORMAT,
                    "%s: metadata \"config.branch.base\" is off and no role takes part: nothing to score by", path);
    }
    if (users + items > INT32_MAX) {
        return fail(CFD_ERROR_FORMAT, "%s: metadata \"n_users\" and \"n_items\" are more than %d together", path, INT32_MAX);
    }
    read->users = (int32_t)users;
    read->items = (int32_t)items;
    read->width = width;
    TRY(finite_matrix(read, path, "serve.query", users, width, "n_users x width of the configuration", &read->queries));
    TRY(finite_matrix(read, path, "serve.key", items, width, "n_items x width of the configuration", &read->keys));
    TRY(check_parameters(file, path, users, items, read->values.embedding_dim));
    return scorer_file_read_nodes(path, read);
}

cfd_status scorer_file_read(const memory_source *memory, const char *path, snapshot *out)
{
    snapshot read = {.memory = memory};
    TRY(safetensors_open(memory, path, &read.file));
    cfd_status status = read_open_file(path, &read);
    if (status != CFD_OK) {
        snapshot_release(&read);
        return status;
    }
    *out = read;
    return CFD_OK;
}
