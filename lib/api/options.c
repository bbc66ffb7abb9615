/* SPDX-License-Identifier: Apache-2.0 */
/* Structs that grow: how a caller compiled against another version of the header is understood. */
#include "api/handles.h"

#include <string.h>

cfd_status require(const void *pointer, const char *name)
{
    return pointer ? CFD_OK : fail(CFD_ERROR_ARGUMENT, "%s is NULL", name);
}

/* No struct of this header will ever be larger: a greater size is memory that was never set up. */
#define LARGEST_STRUCT 65536

cfd_status options_check_size(const void *caller, const char *name)
{
    size_t size;
    memcpy(&size, caller, sizeof size);
    if (size < sizeof size || size > LARGEST_STRUCT) {
        return fail(CFD_ERROR_ARGUMENT, "%s: struct_size is %zu: set it up with the _INIT macro", name, size);
    }
    return CFD_OK;
}

cfd_status options_read(const void *options, void *out, size_t known_size, const char *name)
{
    if (!options) {
        return CFD_OK;
    }
    TRY(options_check_size(options, name));
    size_t size;
    memcpy(&size, options, sizeof size);
    const unsigned char *bytes = options;
    for (size_t i = known_size; i < size; i++) {
        if (bytes[i] != 0) {
            return fail(CFD_ERROR_ARGUMENT, "%s has a field, at byte %zu, that this version of the library does not know",
                        name, i);
        }
    }
    memcpy(out, options, size < known_size ? size : known_size);
    memcpy(out, &known_size, sizeof known_size);
    return CFD_OK;
}

cfd_status options_write(void *caller, const void *filled, size_t known_size, const char *name)
{
    TRY(options_check_size(caller, name));
    size_t size;
    memcpy(&size, caller, sizeof size);
    size_t kept = size < known_size ? size : known_size;
    memcpy((char *)caller + sizeof size, (const char *)filled + sizeof size, kept - sizeof size);
    return CFD_OK;
}
