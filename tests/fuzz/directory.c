/* SPDX-License-Identifier: Apache-2.0 */
/* Data set directories: the first byte says which file the rest is. A set that is taken can be read through. */
#define _XOPEN_SOURCE 700 /* mkdtemp */
#include "fuzz.h"

#include <fcntl.h>
#include <unistd.h>

static const char *const names[] = {"train.txt", "test.txt", "a.tags.txt", "users.names.txt", "items.names.txt", "b.npy"};
enum { NAMES = sizeof names / sizeof names[0] };

static char folder[] = "/tmp/cfdtbd-fuzz-XXXXXX";

static void remove_folder(void)
{
    for (int i = 0; i < NAMES; i++) {
        char file[64];
        snprintf(file, sizeof file, "%s/%s", folder, names[i]);
        unlink(file);
    }
    rmdir(folder);
}

static void write_file(const char *name, const void *bytes, size_t n)
{
    char file[64];
    snprintf(file, sizeof file, "%s/%s", folder, name);
    int descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FUZZ_REQUIRE(descriptor >= 0 && write(descriptor, bytes, n) == (ssize_t)n);
    close(descriptor);
}

static void read_through(const cfd_dataset *data)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    FUZZ_REQUIRE(cfd_dataset_get_info(data, &info) == CFD_OK);
    for (int32_t u = 0; u < info.n_users && u < 1000; u++) {
        const int32_t *items;
        size_t n;
        FUZZ_REQUIRE(cfd_dataset_user_items(data, CFD_SPLIT_TRAIN, u, &items, &n) == CFD_OK);
        for (size_t i = 0; i < n; i++) {
            FUZZ_REQUIRE(items[i] >= 0 && items[i] < info.n_items && (i == 0 || items[i] > items[i - 1]));
        }
        const char *name = cfd_dataset_user_name(data, u);
        FUZZ_REQUIRE(!name || strlen(name) > 0);
    }
    for (int32_t i = 0; i < info.n_items && i < 1000; i++) {
        const char *name = cfd_dataset_item_name(data, i);
        FUZZ_REQUIRE(!name || strlen(name) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static bool made;
    if (!made) {
        FUZZ_REQUIRE(mkdtemp(folder));
        atexit(remove_folder);
        made = true;
    }
    if (n == 0) {
        return 0;
    }
    const char *name = names[bytes[0] % NAMES];
    static const char sound[] = "0 0 1\n1 1\n";
    write_file("train.txt", sound, sizeof sound - 1);
    write_file(name, bytes + 1, n - 1);
    cfd_dataset *data = NULL;
    cfd_status status = cfd_dataset_open(fuzz_context(), folder, &data);
    fuzz_check(status);
    if (status == CFD_OK) {
        read_through(data);
    }
    cfd_dataset_destroy(data);
    char file[64];
    snprintf(file, sizeof file, "%s/%s", folder, name);
    unlink(file);
    return 0;
}
