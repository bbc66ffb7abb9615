/* SPDX-License-Identifier: Apache-2.0 */
/* Every function that the header declares has an address. With a library's path: opened at run time it has them, too, with
 * the version CFDTBD_1.0. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

typedef struct entry {
    const char *name;
    void (*function)(void);
} entry;
extern const entry every_function[]; /* every_function.sh writes it */

static int check(void *library, const entry *e)
{
    if (!e->function) {
        fprintf(stderr, "%s was not linked\n", e->name);
        return 1;
    }
    if (library && !dlsym(library, e->name)) {
        fprintf(stderr, "%s is not found by dlsym\n", e->name);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    void *library = NULL;
    if (argc > 1 && !(library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL))) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    if (library && !dlvsym(library, "cfd_version", "CFDTBD_1.0")) {
        fprintf(stderr, "cfd_version has not the version CFDTBD_1.0\n");
        return 1;
    }
    int failed = 0;
    int n = 0;
    for (; every_function[n].name; n++) {
        failed += check(library, &every_function[n]);
    }
    printf("%d functions\n", n);
    return failed > 0 || n == 0;
}
