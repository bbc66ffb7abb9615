/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd bench load: how long data set directories take to open, by kind of file. They are written to a temporary place
 * first, so the system has them in memory: this measures reading, not the disk. */
#define _POSIX_C_SOURCE 200809L
#include "../common/held_signals.h"
#include "bench.h"
#include "scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEFAULT_RUNS = 5, MOST_RUNS = 1000, KINDS = 4 };

typedef struct load_choices {
    const char *dense, *sparse;
    int32_t runs;
    bool json;
    synthetic data;
    machine on;
} load_choices;

/* A directory, and what opening it took. `whole`: with all files; else with those of one kind, and a line of training. */
typedef struct directory {
    const char *name, *title;
    bool interactions, dense, sparse;
    char path[SCRATCH_BYTES];
    double bytes; /* of its files */
    spread seconds;
} directory;

/* ---- writing ---- */

static int finish_file(FILE *file, const char *path, double *bytes)
{
    errno = 0;
    long size = ftell(file);
    bool written = !ferror(file) && size >= 0;
    int reason = errno;
    if (fclose(file) != 0 || !written) {
        return failed("%s: cannot be written: %s", path, strerror(reason ? reason : errno));
    }
    *bytes += (double)size;
    return signals_waiting() ? failed("interrupted") : EXIT_DONE;
}

static FILE *begin_file(const directory *d, const char *name, char path[SCRATCH_BYTES])
{
    scratch_path(path, d->path, name);
    FILE *file = fopen(path, "wb");
    if (!file) {
        failed("%s: %s", path, strerror(errno));
    }
    return file;
}

/* A number at a time is slow with printf where there are many millions. */
static void write_number(FILE *file, char before, int64_t number)
{
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    if (before) {
        putc(before, file);
    }
    fwrite(text + at, 1, sizeof text - at, file);
}

/* "row id id ..." of every row that has ids. */
static int write_rows(const directory *d, const char *name, int32_t rows, const int64_t *offsets, const int32_t *ids,
                      double *bytes)
{
    char path[SCRATCH_BYTES];
    FILE *file = begin_file(d, name, path);
    if (!file) {
        return EXIT_FAILED;
    }
    for (int32_t row = 0; row < rows; row++) {
        write_number(file, 0, row);
        for (int64_t p = offsets[row]; p < offsets[row + 1]; p++) {
            write_number(file, ' ', ids[p]);
        }
        putc('\n', file);
    }
    return finish_file(file, path, bytes);
}

/* Row by row, little-endian float32: what this program's machine has anyway. */
static int write_npy(const directory *d, const synthetic *s, size_t modality, double *bytes)
{
    char path[SCRATCH_BYTES], name[32], description[118];
    const synthetic_modality *m = &s->modalities[modality];
    float *row = malloc((size_t)m->columns * sizeof *row);
    if (!row) {
        return out_of_memory();
    }
    snprintf(name, sizeof name, "%s.npy", m->role);
    FILE *file = begin_file(d, name, path);
    if (!file) {
        free(row);
        return EXIT_FAILED;
    }
    snprintf(description, sizeof description, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", (int)s->items,
             (int)m->columns);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
    fprintf(file, "%-117s\n", description);
    for (int32_t i = 0; i < s->items; i++) {
        synthetic_row(s, modality, i, row);
        fwrite(row, sizeof *row, (size_t)m->columns, file);
    }
    free(row);
    return finish_file(file, path, bytes);
}

/* One user with the last item: a data set has training interactions, and as many items as its features. */
static int write_one_line(const directory *d, const synthetic *s, double *bytes)
{
    const int64_t offsets[] = {0, 1};
    const int32_t last = s->items - 1;
    return write_rows(d, "train.txt", 1, offsets, &last, bytes);
}

static int write_directory(const synthetic *s, const char *parent, directory *d)
{
    int64_t *offsets = NULL;
    int32_t *ids = NULL;
    double small = 0;
    scratch_path(d->path, parent, d->name);
    if (mkdir(d->path, 0700) != 0) {
        return failed("%s: %s", d->path, strerror(errno));
    }
    int code = d->interactions ? synthetic_interactions(s, &offsets, &ids) : write_one_line(d, s, &small);
    if (code == EXIT_DONE && d->interactions) {
        code = write_rows(d, "train.txt", s->users, offsets, ids, &d->bytes);
    }
    free(offsets);
    free(ids);
    for (size_t k = 0; k < s->n && code == EXIT_DONE; k++) {
        const synthetic_modality *m = &s->modalities[k];
        if (m->per_item && d->sparse) {
            char name[32];
            offsets = NULL;
            ids = NULL;
            snprintf(name, sizeof name, "%s.tags.txt", m->role);
            code = synthetic_tags(s, k, &offsets, &ids);
            code = code == EXIT_DONE ? write_rows(d, name, s->items, offsets, ids, &d->bytes) : code;
            free(offsets);
            free(ids);
        } else if (!m->per_item && d->dense) {
            code = write_npy(d, s, k, &d->bytes);
        }
    }
    return code;
}

/* ---- opening ---- */

/* Whether what was read is what was written. */
static int check(const synthetic *s, const directory *d, const cfd_dataset *dataset)
{
    cfd_dataset_info info = CFD_DATASET_INFO_INIT;
    (void)cfd_dataset_get_info(dataset, &info);
    int64_t wanted = d->interactions ? s->interactions : 1;
    if (info.n_train != wanted || info.duplicates != 0) {
        return failed("%s: %lld interactions were read, not %lld", d->path, (long long)info.n_train, (long long)wanted);
    }
    return EXIT_DONE;
}

/* One directory after the other in every run; the first run is not counted. */
static int measure(const load_choices *c, cfd_context *context, directory *directories, double *seconds)
{
    int code = EXIT_DONE;
    for (int32_t run = -1; run < c->runs && code == EXIT_DONE; run++) {
        for (int k = 0; k < KINDS && code == EXIT_DONE; k++) {
            directory *d = &directories[k];
            cfd_dataset *dataset = NULL;
            if (d->bytes <= 0) {
                continue;
            }
            double begun = seconds_now();
            cfd_status status = cfd_dataset_open(context, d->path, &dataset);
            double took = seconds_now() - begun;
            code = status != CFD_OK ? failed_in_library() : check(&c->data, d, dataset);
            cfd_dataset_destroy(dataset);
            if (run >= 0) {
                seconds[k * c->runs + run] = took;
            }
            code = code == EXIT_DONE && signals_waiting() ? failed("interrupted") : code;
        }
    }
    for (int k = 0; k < KINDS && code == EXIT_DONE; k++) {
        if (directories[k].bytes > 0) {
            directories[k].seconds = spread_of(seconds + (size_t)k * (size_t)c->runs, (size_t)c->runs);
        }
    }
    return code;
}

/* ---- results ---- */

static void print_results(const load_choices *c, cfd_context *context, const directory *directories)
{
    if (!c->json) {
        report_machine(context);
        report_synthetic(&c->data);
        printf("\nopening                        MB   seconds  (least and most)      MB/s\n");
        for (int k = 0; k < KINDS; k++) {
            const directory *d = &directories[k];
            if (d->bytes > 0) {
                printf("%-24s  %8.1f  %8.4f  (%.4f, %.4f)  %8.0f\n", d->title, d->bytes * 1e-6, d->seconds.median,
                       d->seconds.least, d->seconds.most, d->bytes / d->seconds.median * 1e-6);
            }
        }
        return;
    }
    json j = json_begin(stdout, true);
    json_open(&j, NULL, '{');
    for (int k = 0; k < KINDS; k++) {
        const directory *d = &directories[k];
        if (d->bytes > 0) {
            json_open(&j, d->name, '{');
            json_number(&j, "bytes", d->bytes);
            spread_json(&j, "seconds", &d->seconds);
            json_number(&j, "mb_per_second", d->bytes / d->seconds.median * 1e-6);
            json_close(&j, '}');
        }
    }
    json_signed(&j, "runs", c->runs);
    machine_json(&j, context);
    synthetic_json(&j, &c->data);
    json_close(&j, '}');
    json_end(&j);
}

static int bench(const load_choices *c)
{
    directory directories[KINDS] = {
        {.name = "interactions", .title = "train.txt", .interactions = true},
        {.name = "npy", .title = "dense features (.npy)", .dense = true},
        {.name = "tags", .title = "tags (.tags.txt)", .sparse = true},
        {.name = "whole", .title = "everything", .interactions = true, .dense = true, .sparse = true},
    };
    cfd_context *context = NULL;
    char parent[SCRATCH_BYTES] = "";
    double *seconds = malloc((size_t)c->runs * KINDS * sizeof *seconds);
    int code = seconds ? open_context(&c->on, &context) : out_of_memory();
    code = code == EXIT_DONE ? scratch_make(parent) : code;
    for (int k = 0; k < KINDS && code == EXIT_DONE; k++) {
        code = write_directory(&c->data, parent, &directories[k]);
    }
    code = code == EXIT_DONE ? measure(c, context, directories, seconds) : code;
    if (code == EXIT_DONE) {
        print_results(c, context, directories);
    }
    free(seconds);
    cfd_context_destroy(context);
    scratch_remove(parent);
    return code;
}

int bench_load(int argc, char **argv)
{
    load_choices c = {.runs = DEFAULT_RUNS,
                      .on = MACHINE_INIT,
                      .data = {.users = 100000, .items = 50000, .interactions = 2000000}};
    const option options[] = {
        DATA_OPTIONS(&c.data),
        {"dense", "A,B,...", "modalities of dense features, so many columns each (default: 256)", OPTION_TEXT, &c.dense, 0,
         0},
        {"sparse", "COLUMNS:NONZEROS,...", "modalities of tags, so many of each item (default: 5000:12)", OPTION_TEXT,
         &c.sparse, 0, 0},
        {"runs", "N", "of each directory (default: 5)", OPTION_INTEGER, &c.runs, 1, MOST_RUNS},
        {"seed", "S", "of the data (default: 2024)", OPTION_SEED, &c.on.seed, 0, 0},
        {"json", NULL, "print JSON", OPTION_FLAG, &c.json, 0, 0},
        MACHINE_OPTIONS(&c.on),
    };
    const command_line line = {"bench load",
                               "Times opening a data set directory, by kind of file.",
                               NULL,
                               0,
                               0,
                               options,
                               sizeof options / sizeof options[0],
                               "The directories are written in $TMPDIR (else /tmp) and removed in the end."};
    int code = options_parse(&line, argc, argv, NULL);
    if (code < 0) {
        bool none = !c.dense && !c.sparse;
        c.data.seed = c.on.seed;
        code = synthetic_modalities(line.command, none ? "256" : c.dense, none ? "5000:12" : c.sparse, &c.data);
    }
    if (code < 0) {
        code = synthetic_check(line.command, &c.data);
    }
    return code < 0 ? bench(&c) : code;
}
