/* SPDX-License-Identifier: Apache-2.0 */
/* Writing of safetensors: the header is padded with spaces so that the data begin at a multiple of 64 bytes, and tensors of
 * wide elements come first, so that every tensor is aligned to its element without holes, which the format forbids. */
#include "io/atomic_file.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/safetensors_types.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensor data are written as they stand in memory, which must be little-endian"
#endif

/* What would make a file that nobody can read. */
static cfd_status check(const char *path, const safetensor *tensors, size_t n_tensors, const safetensors_entry *metadata,
                        size_t n_metadata)
{
    for (size_t i = 0; i < n_tensors; i++) {
        size_t bytes = safetensors_element_bytes(tensors[i].dtype);
        for (int32_t d = 0; d < tensors[i].rank; d++) {
            if (tensors[i].shape[d] < 0 || !checked_multiply(bytes, (size_t)tensors[i].shape[d], &bytes)) {
                return fail(CFD_ERROR_ARGUMENT, "%s: tensor %s has an impossible shape", path, tensors[i].name);
            }
        }
        if (bytes != tensors[i].bytes || safetensors_element_bytes(tensors[i].dtype) == 0) {
            return fail(CFD_ERROR_ARGUMENT, "%s: tensor %s of type %s has %zu bytes, not %zu", path, tensors[i].name,
                        tensors[i].dtype, tensors[i].bytes, bytes);
        }
        bool taken = strcmp(tensors[i].name, SAFETENSORS_METADATA) == 0;
        for (size_t j = 0; j < i; j++) {
            taken = taken || strcmp(tensors[i].name, tensors[j].name) == 0;
        }
        if (taken) {
            return fail(CFD_ERROR_ARGUMENT, "%s: the tensor name %s is taken", path, tensors[i].name);
        }
    }
    for (size_t i = 0; i < n_metadata; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(metadata[i].key, metadata[j].key) == 0) {
                return fail(CFD_ERROR_ARGUMENT, "%s: metadata %s is given twice", path, metadata[i].key);
            }
        }
    }
    return CFD_OK;
}

static cfd_status append_metadata(text_buffer *header, const safetensors_entry *metadata, size_t n_metadata)
{
    TRY(text_append_format(header, "\"%s\":{", SAFETENSORS_METADATA));
    for (size_t i = 0; i < n_metadata; i++) {
        TRY(text_append(header, ",", i > 0));
        TRY(json_append_string(header, metadata[i].key));
        TRY(text_append(header, ":", 1));
        TRY(json_append_string(header, metadata[i].value));
    }
    return text_append(header, "}", 1);
}

static cfd_status append_tensor(text_buffer *header, const safetensor *tensor, size_t begin)
{
    TRY(json_append_string(header, tensor->name));
    TRY(text_append_format(header, ":{\"dtype\":\"%s\",\"shape\":[", tensor->dtype));
    for (int32_t d = 0; d < tensor->rank; d++) {
        TRY(text_append_format(header, "%s%lld", d > 0 ? "," : "", (long long)tensor->shape[d]));
    }
    return text_append_format(header, "],\"data_offsets\":[%zu,%zu]}", begin, begin + tensor->bytes);
}

/* The tensor at a position of the data: wide elements first, else as given. */
static const safetensor *tensor_in_order(const safetensor *tensors, size_t n, size_t position)
{
    for (size_t size = 8; size >= 1; size /= 2) {
        for (size_t i = 0; i < n; i++) {
            if (safetensors_element_bytes(tensors[i].dtype) == size && position-- == 0) {
                return &tensors[i];
            }
        }
    }
    return NULL;
}

static cfd_status make_header(text_buffer *header, const safetensor *tensors, size_t n_tensors,
                              const safetensors_entry *metadata, size_t n_metadata)
{
    unsigned char length[8] = {0};
    size_t begin = 0;
    TRY(text_append(header, (const char *)length, sizeof length)); /* filled in below */
    TRY(text_append(header, "{", 1));
    TRY(append_metadata(header, metadata, n_metadata));
    for (size_t i = 0; i < n_tensors; i++) {
        const safetensor *tensor = tensor_in_order(tensors, n_tensors, i);
        TRY(text_append(header, ",", 1));
        TRY(append_tensor(header, tensor, begin));
        if (!checked_add(begin, tensor->bytes, &begin)) {
            return fail(CFD_ERROR_ARGUMENT, "tensors of more bytes than can be counted");
        }
    }
    TRY(text_append(header, "}", 1));
    while (header->length % SAFETENSORS_ALIGNMENT != 0) {
        TRY(text_append(header, " ", 1));
    }
    for (size_t i = 0; i < sizeof length; i++) {
        header->bytes[i] = (char)((uint64_t)(header->length - sizeof length) >> (8 * i));
    }
    return CFD_OK;
}

static cfd_status write_all(atomic_file *file, const text_buffer *header, const safetensor *tensors, size_t n_tensors)
{
    TRY(atomic_file_write(file, header->bytes, header->length));
    for (size_t i = 0; i < n_tensors; i++) {
        const safetensor *tensor = tensor_in_order(tensors, n_tensors, i);
        TRY(atomic_file_write(file, tensor->data, tensor->bytes));
    }
    return CFD_OK;
}

cfd_status safetensors_write(const memory_source *memory, const char *path, const safetensor *tensors, size_t n_tensors,
                             const safetensors_entry *metadata, size_t n_metadata)
{
    TRY(check(path, tensors, n_tensors, metadata, n_metadata));
    text_buffer header = {.source = memory};
    atomic_file file;
    cfd_status status;
    TRY_OR(done, make_header(&header, tensors, n_tensors, metadata, n_metadata));
    TRY_OR(done, atomic_file_open(memory, path, &file));
    status = write_all(&file, &header, tensors, n_tensors);
    if (status == CFD_OK) {
        status = atomic_file_commit(&file);
    } else {
        atomic_file_cancel(&file);
    }
done:
    text_buffer_release(&header);
    return status;
}
