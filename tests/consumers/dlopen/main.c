/* SPDX-License-Identifier: Apache-2.0 */
/* A host that takes the library in at run time and is not linked to it. Called as
 *     dlopen-recommend ROUNDS LIBRARY [OTHER]
 * Opens LIBRARY, trains, recommends, destroys, closes, so many times: the library's threads must have ended with the
 * context, the library must be gone from memory, and rounds must not grow the process. OTHER is a second library with the
 * same functions (another copy, a plug-in that has the archive inside), open at the same time as the first: both compute the
 * same. */
#include "library.h"
#include "shop.h"

#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>

/* The library that calls go to. */
static library now;
#define cfd_last_error now.cfd_last_error
#define cfd_context_create now.cfd_context_create
#define cfd_context_destroy now.cfd_context_destroy
#define cfd_config_create now.cfd_config_create
#define cfd_config_set now.cfd_config_set
#define cfd_config_destroy now.cfd_config_destroy
#define cfd_dataset_create now.cfd_dataset_create
#define cfd_dataset_add_interactions now.cfd_dataset_add_interactions
#define cfd_dataset_add_dense_modality now.cfd_dataset_add_dense_modality
#define cfd_dataset_add_sparse_modality now.cfd_dataset_add_sparse_modality
#define cfd_dataset_destroy now.cfd_dataset_destroy
#define cfd_model_create now.cfd_model_create
#define cfd_train now.cfd_train
#define cfd_model_destroy now.cfd_model_destroy
#define cfd_scorer_create now.cfd_scorer_create
#define cfd_recommend now.cfd_recommend
#define cfd_scorer_release now.cfd_scorer_release
#include "job.h"

/* A context and a model of the shop hold several hundred KiB. Measured: 8 KiB more, and levelling off. */
enum { THREADS = 2, SETTLED = 5, MOST_GROWTH = 64 << 10 };

static shop data;

static int fail(const char *what)
{
    fprintf(stderr, "dlopen: %s\n", what);
    return 1;
}

static int count_threads(void)
{
    int n = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *entry = tasks ? readdir(tasks) : NULL; entry; entry = readdir(tasks)) {
        n += entry->d_name[0] != '.';
    }
    if (tasks) {
        closedir(tasks);
    }
    return n;
}

/* Whether a file of that name is mapped. */
static int is_mapped(const char *path)
{
    char line[4096];
    int found = 0;
    const char *slash = strrchr(path, '/');
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && !found && fgets(line, sizeof line, maps)) {
        found = strstr(line, slash ? slash : path) != NULL;
    }
    if (maps) {
        fclose(maps);
    }
    return found;
}

/* Bytes that were allocated in this process and not freed. */
static long allocated(void)
{
    struct mallinfo2 all = mallinfo2();
    return (long)(all.uordblks + all.hblkhd);
}

static int train_and_recommend(shop_lists *lists)
{
    job j;
    int failed = job_train(&j, &data, THREADS) || job_recommend(&j, &data, lists);
    if (failed) {
        fail(cfd_last_error());
    } else if (count_threads() != THREADS) {
        failed = fail("the library should have started a thread");
    }
    job_close(&j);
    return failed;
}

static int round_of(const char *path, shop_lists *lists)
{
    if (library_open(&now, path) || train_and_recommend(lists)) {
        return 1;
    }
    if (count_threads() != 1) {
        return fail("a thread of the library outlives its context");
    }
    if (!is_mapped(path)) {
        return fail("the library that was opened is not the one that is mapped");
    }
    if (library_close(&now) != 0 || is_mapped(path)) {
        return fail("the library is still mapped after dlclose");
    }
    return 0;
}

/* The library stays open while the other computes, and computes again after it. */
static int side_by_side(const char *path, const char *other_path, const shop_lists *expected)
{
    static shop_lists lists[3];
    library other;
    int failed = library_open(&now, path) || library_open(&other, other_path) || train_and_recommend(&lists[0]);
    library first = now;
    if (failed || first.handle == other.handle) {
        return failed ? 1 : fail("both libraries are the same");
    }
    now = other;
    failed = train_and_recommend(&lists[1]);
    now = first;
    failed = failed || train_and_recommend(&lists[2]);
    for (int i = 0; i < 3 && !failed; i++) {
        failed = memcmp(&lists[i], expected, sizeof *expected) != 0 ? fail("two libraries compute differently") : 0;
    }
    return library_close(&first) || library_close(&other) || failed;
}

int main(int argc, char **argv)
{
    static shop_lists first;
    static shop_lists lists;
    long before = 0;
    if (argc < 3) {
        return fail("ROUNDS LIBRARY [OTHER] wanted");
    }
    int rounds = atoi(argv[1]);
    shop_fill(&data);
    for (int i = 0; i < rounds; i++) {
        if (round_of(argv[2], i == 0 ? &first : &lists)) {
            return 1;
        }
        if (i > 0 && memcmp(&first, &lists, sizeof first) != 0) {
            return fail("another round computes differently");
        }
        before = i < SETTLED ? allocated() : before;
    }
    if (allocated() - before > MOST_GROWTH) {
        fprintf(stderr, "dlopen: %ld bytes more after %d rounds than after %d\n", allocated() - before, rounds, SETTLED);
        return 1;
    }
    return (argc > 3 && side_by_side(argv[2], argv[3], &first)) || shop_print(&first);
}
