/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets share: bytes as a file without a disk, memory that ends soon, and what must never be. */
#ifndef CFD_TESTS_FUZZ_H
#define CFD_TESTS_FUZZ_H

#include "base/memory.h"
#include "cfdtbd.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Ends the run: libFuzzer keeps the input. */
#define FUZZ_REQUIRE(what)                                                                       \
    do {                                                                                         \
        if (!(what)) {                                                                           \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #what);             \
            fprintf(stderr, "the last message: %s\n", cfd_last_error() ? cfd_last_error() : ""); \
            abort();                                                                             \
        }                                                                                        \
    } while (0)

/* A failure has a message, of one line. */
void fuzz_check(cfd_status status);
/* The path of a file of these bytes, valid until the next call or fuzz_forget_file; nothing is written to a disk. */
const char *fuzz_file(const uint8_t *bytes, size_t n);
void fuzz_forget_file(void);
/* Of 64 MiB at most: what an input wants beyond that is refused, as a host's allocator may. */
const memory_source *fuzz_memory(void);
/* One thread, that memory, the cpu; made once. */
cfd_context *fuzz_context(void);

#endif
