/* SPDX-License-Identifier: Apache-2.0 */
/* Files of NumPy: every number that the header promises can be read. */
#include "fuzz.h"

#include "io/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    npy_file file = {0};
    cfd_status status = npy_open(fuzz_file(bytes, n), &file);
    fuzz_check(status);
    if (status == CFD_OK) {
        size_t numbers = (size_t)file.rows * (size_t)file.columns;
        void *copy = NULL;
        const unsigned char *place = npy_in_place(&file);
        FUZZ_REQUIRE(file.rows > 0 && file.columns > 0);
        status = npy_convert(fuzz_memory(), &file, &copy);
        fuzz_check(status);
        if (status == CFD_OK && place) {
            FUZZ_REQUIRE(memcmp(place, copy, numbers * (size_t)npy_read_bytes(&file)) == 0);
        }
        memory_release(fuzz_memory(), copy);
    }
    npy_close(&file);
    return 0;
}
