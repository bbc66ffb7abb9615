/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* POSIX lets a void * hold the address of a function; C has no cast for it. */
static int find(void *handle, const char *name, void *function)
{
    void *address = dlsym(handle, name);
    if (!address) {
        fprintf(stderr, "dlopen: %s\n", dlerror());
        return 1;
    }
    memcpy(function, &address, sizeof address);
    return 0;
}

int library_open(library *opened, const char *path)
{
    int missing = 0;
    memset(opened, 0, sizeof *opened);
    opened->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!opened->handle) {
        fprintf(stderr, "dlopen: %s\n", dlerror());
        return 1;
    }
#define LIBRARY_FIND(name) missing |= find(opened->handle, #name, &opened->name);
    LIBRARY_FUNCTIONS(LIBRARY_FIND)
#undef LIBRARY_FIND
    return missing;
}

int library_close(library *opened)
{
    return dlclose(opened->handle);
}
