/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of safetensors. Nothing in the file is trusted: every length, offset and shape is checked before it is used, and
 * the tensors must cover the data exactly, without overlap or hole. */
#include "io/json.h"
#include "io/map_file.h"
#include "io/report.h"
#include "io/safetensors.h"
#include "io/safetensors_types.h"

#include <stdio.h>
#include <string.h>

enum { LENGTH_BYTES = 8 };

/* What the steps of reading share. */
typedef struct reading {
    const memory_source *memory;
    const char *path;
    mapped_file map;
    const unsigned char *data; /* behind the header */
    size_t data_bytes;
    json_document header;
    safetensors_file file;
} reading;

static cfd_status find_header(reading *r, const char **text, size_t *length)
{
    const unsigned char *bytes = r->map.memory;
    if (r->map.bytes < LENGTH_BYTES) {
        return fail(CFD_ERROR_FORMAT, "%s: %zu bytes are too few for a safetensors file", r->path, r->map.bytes);
    }
    uint64_t claimed = 0;
    for (int i = 0; i < LENGTH_BYTES; i++) {
        claimed |= (uint64_t)bytes[i] << (8 * i);
    }
    if (claimed > SAFETENSORS_MAX_HEADER) {
        return fail(CFD_ERROR_FORMAT, "%s: a header of %llu bytes is beyond the limit of %d: not a safetensors file?",
                    r->path, (unsigned long long)claimed, SAFETENSORS_MAX_HEADER);
    }
    if (claimed > r->map.bytes - LENGTH_BYTES) {
        return fail(CFD_ERROR_FORMAT, "%s: truncated: the header has %llu bytes, but only %zu follow", r->path,
                    (unsigned long long)claimed, r->map.bytes - LENGTH_BYTES);
    }
    if (claimed == 0 || bytes[LENGTH_BYTES] != '{') {
        return fail(CFD_ERROR_FORMAT, "%s: the header does not begin with '{'", r->path);
    }
    *text = (const char *)bytes + LENGTH_BYTES;
    *length = (size_t)claimed;
    r->data = bytes + LENGTH_BYTES + claimed;
    r->data_bytes = r->map.bytes - LENGTH_BYTES - (size_t)claimed;
    return CFD_OK;
}

/* ---- metadata ---- */

static cfd_status read_metadata(reading *r, const json_value *object)
{
    safetensors_file *file = &r->file;
    if (object->type != JSON_OBJECT) {
        return fail(CFD_ERROR_FORMAT, "%s: %s is not an object", r->path, SAFETENSORS_METADATA);
    }
    TRY(memory_allocate(r->memory, object->count, sizeof *file->metadata, "metadata", &file->metadata));
    for (const json_value *m = json_first(&r->header, object); m; m = json_next(&r->header, m)) {
        if (m->type != JSON_STRING) {
            char shown[REPORT_BYTES];
            return fail(CFD_ERROR_FORMAT, "%s: metadata \"%s\" is not a string", r->path,
                        report_bytes(m->key, strlen(m->key), shown));
        }
        file->metadata[file->n_metadata++] = (safetensors_entry){m->key, m->string};
    }
    return CFD_OK;
}

/* ---- tensors ---- */

static cfd_status refuse_tensor(const reading *r, const json_value *tensor, const char *reason)
{
    char shown[REPORT_BYTES];
    return fail(CFD_ERROR_FORMAT, "%s: tensor \"%s\" %s", r->path, report_bytes(tensor->key, strlen(tensor->key), shown),
                reason);
}

/* A list of at most `most` numbers that are not negative. */
static cfd_status read_numbers(const reading *r, const json_value *tensor, const json_value *list, int64_t *out, size_t most,
                               const char *complaint)
{
    if (!list || list->type != JSON_ARRAY || list->count > most) {
        return refuse_tensor(r, tensor, complaint);
    }
    for (const json_value *number = json_first(&r->header, list); number; number = json_next(&r->header, number)) {
        if (number->type != JSON_INTEGER || number->integer < 0) {
            return refuse_tensor(r, tensor, complaint);
        }
        *out++ = number->integer;
    }
    return CFD_OK;
}

static cfd_status check_size(const reading *r, const json_value *entry, const safetensor *tensor)
{
    size_t element = safetensors_element_bytes(tensor->dtype);
    if (element == 0) {
        return CFD_OK; /* its size cannot be checked; nobody here reads it */
    }
    size_t bytes = element;
    bool fits = true;
    for (int32_t d = 0; d < tensor->rank; d++) {
        fits = fits && (uint64_t)tensor->shape[d] <= SIZE_MAX && checked_multiply(bytes, (size_t)tensor->shape[d], &bytes);
    }
    if (!fits || bytes != tensor->bytes) {
        return refuse_tensor(r, entry, "does not have as many bytes as its shape says");
    }
    if (((const unsigned char *)tensor->data - (const unsigned char *)r->map.memory) % (ptrdiff_t)element != 0) {
        return refuse_tensor(r, entry, "is not aligned to its elements");
    }
    return CFD_OK;
}

static cfd_status read_tensor(const reading *r, const json_value *entry, safetensor *out)
{
    if (entry->type != JSON_OBJECT) {
        return refuse_tensor(r, entry, "is not an object");
    }
    const json_value *dtype = json_member(&r->header, entry, "dtype");
    const json_value *shape = json_member(&r->header, entry, "shape");
    const json_value *offsets = json_member(&r->header, entry, "data_offsets");
    if (entry->count != 3 || !dtype || !shape || !offsets) {
        return refuse_tensor(r, entry, "needs dtype, shape and data_offsets, and nothing else");
    }
    if (dtype->type != JSON_STRING) {
        return refuse_tensor(r, entry, "has a dtype that is not a string");
    }
    safetensor tensor = {.name = entry->key, .dtype = dtype->string};
    TRY(read_numbers(r, entry, shape, tensor.shape, 2, "needs a shape of no more than two numbers"));
    tensor.rank = (int32_t)shape->count;
    int64_t range[2] = {0};
    TRY(read_numbers(r, entry, offsets, range, 2, "needs two data_offsets"));
    if (offsets->count != 2 || range[0] > range[1] || (uint64_t)range[1] > r->data_bytes) {
        return refuse_tensor(r, entry, "has data_offsets that are not a range of the data: is the file truncated?");
    }
    tensor.data = r->data + range[0];
    tensor.bytes = (size_t)(range[1] - range[0]);
    TRY(check_size(r, entry, &tensor));
    *out = tensor;
    return CFD_OK;
}

/* ---- exact cover ---- */

static bool begins_before(const safetensor *a, const safetensor *b)
{
    return a->data != b->data ? (const char *)a->data < (const char *)b->data : a->bytes < b->bytes;
}

/* Restores the heap below `root`: no tensor begins before one of its children does. */
static void sift_down(const safetensor **heap, size_t root, size_t n)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= n) {
            return;
        }
        child += child + 1 < n && begins_before(heap[child], heap[child + 1]);
        if (!begins_before(heap[root], heap[child])) {
            return;
        }
        const safetensor *moved = heap[root];
        heap[root] = heap[child];
        heap[child] = moved;
        root = child;
    }
}

static cfd_status check_cover(const reading *r)
{
    const safetensors_file *file = &r->file;
    const safetensor **order;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers
    TRY(memory_allocate(r->memory, file->n_tensors, sizeof *order, "the order of tensors", &order));
    for (size_t i = 0; i < file->n_tensors; i++) {
        order[i] = &file->tensors[i];
    }
    for (size_t i = file->n_tensors / 2; i-- > 0;) {
        sift_down(order, i, file->n_tensors);
    }
    for (size_t n = file->n_tensors; n > 1; n--) {
        const safetensor *last = order[0];
        order[0] = order[n - 1];
        order[n - 1] = last;
        sift_down(order, 0, n - 1);
    }
    cfd_status status = CFD_OK;
    const unsigned char *expected = r->data;
    for (size_t i = 0; i < file->n_tensors && status == CFD_OK; i++) {
        const unsigned char *begin = order[i]->data;
        if (begin != expected) {
            char shown[REPORT_BYTES];
            status = fail(CFD_ERROR_FORMAT, "%s: tensor \"%s\" %s", r->path,
                          report_bytes(order[i]->name, strlen(order[i]->name), shown),
                          begin < expected ? "overlaps another" : "leaves a hole before it");
        }
        expected = begin + order[i]->bytes;
    }
    memory_release(r->memory, order);
    if (status == CFD_OK && expected != r->data + r->data_bytes) {
        status = fail(CFD_ERROR_FORMAT, "%s: %zu bytes behind the last tensor", r->path,
                      (size_t)(r->data + r->data_bytes - expected));
    }
    return status;
}

/* ---- the file ---- */

static cfd_status read_file(reading *r)
{
    const char *text = NULL;
    size_t length = 0;
    TRY(find_header(r, &text, &length));
    char what[512];
    snprintf(what, sizeof what, "%s: header", r->path);
    TRY(json_parse(r->memory, what, text, length, &r->header));
    const json_value *whole = &r->header.values[0];
    TRY(memory_allocate(r->memory, whole->count, sizeof *r->file.tensors, "tensors", &r->file.tensors));
    for (const json_value *m = json_first(&r->header, whole); m; m = json_next(&r->header, m)) {
        if (strcmp(m->key, SAFETENSORS_METADATA) == 0) {
            TRY(read_metadata(r, m));
        } else {
            TRY(read_tensor(r, m, &r->file.tensors[r->file.n_tensors]));
            r->file.n_tensors++;
        }
    }
    return check_cover(r);
}

cfd_status safetensors_open(const memory_source *memory, const char *path, safetensors_file *out)
{
    reading r = {.memory = memory, .path = path, .file = {.memory = memory}};
    TRY(map_file(path, MAP_RESIDENT, false, &r.map));
    cfd_status status = read_file(&r);
    r.file.mapping = r.map.memory;
    r.file.mapping_bytes = r.map.bytes;
    r.file.text = r.header.text; /* names, keys and values point into it */
    r.header.text = NULL;
    json_release(&r.header);
    if (status != CFD_OK) {
        safetensors_close(&r.file);
        return status;
    }
    *out = r.file;
    return CFD_OK;
}

void safetensors_close(safetensors_file *file)
{
    if (file->memory) {
        mapped_file map = {file->mapping, file->mapping_bytes};
        unmap_file(&map);
        memory_release(file->memory, file->tensors);
        memory_release(file->memory, file->metadata);
        memory_release(file->memory, file->text);
    }
    *file = (safetensors_file){0};
}

const safetensor *safetensors_find(const safetensors_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_tensors; i++) {
        if (strcmp(file->tensors[i].name, name) == 0) {
            return &file->tensors[i];
        }
    }
    return NULL;
}

const char *safetensors_metadata(const safetensors_file *file, const char *key)
{
    for (size_t i = 0; i < file->n_metadata; i++) {
        if (strcmp(file->metadata[i].key, key) == 0) {
            return file->metadata[i].value;
        }
    }
    return NULL;
}
