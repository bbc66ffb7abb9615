/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a directory all at once: see output.h. */
#define _POSIX_C_SOURCE 200809L

#include "output.h"

#include "held_signals.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* a, b and c in one new string; NULL without memory. */
static char *joined(const char *a, const char *b, const char *c)
{
    size_t bytes = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(bytes);
    if (text != NULL) {
        snprintf(text, bytes, "%s%s%s", a, b, c);
    }
    return text;
}

static int is_known(const output *out, const char *name)
{
    for (size_t i = 0; out->known[i] != NULL; i++) {
        if (strcmp(out->known[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Whether the target may be put in place: it does not exist, is empty, or may be replaced. */
static int check_target(const output *out, int replace, complaint *problem)
{
    DIR *directory = opendir(out->target);
    if (directory == NULL) {
        return errno == ENOENT ? 0 : complain(problem, "%s: %s", out->target, strerror(errno));
    }
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (!replace) {
            result = complain(problem, "%s: directory is not empty (--force replaces an earlier result)", out->target);
        } else if (!is_known(out, entry->d_name)) {
            result = complain(problem, "%s: not replaced: %s in it is no file that this command writes", out->target,
                              entry->d_name);
        }
    }
    closedir(directory);
    return result;
}

/* Makes a new directory beside the target, with the permissions that the caller's umask gives. */
static int make_building(output *out, complaint *problem)
{
    char suffix[64];
    for (int attempt = 0; attempt < 100; attempt++) {
        snprintf(suffix, sizeof(suffix), ".partial-%ld-%d", (long)getpid(), attempt);
        out->building = joined(out->target, suffix, "");
        if (out->building == NULL) {
            return complain_of_memory(problem);
        }
        if (mkdir(out->building, 0777) == 0) {
            return 0;
        }
        int reason = errno;
        free(out->building);
        out->building = NULL;
        if (reason != EEXIST) {
            return complain(problem, "%s: cannot write a directory beside it: %s", out->target, strerror(reason));
        }
    }
    return complain(problem, "%s: leftovers of earlier runs beside it", out->target);
}

int output_begin(output *out, const char *target, const char *const *known, int replace, complaint *problem)
{
    memset(out, 0, sizeof(*out));
    out->known = known;
    if (target[0] == '\0') {
        return complain(problem, "the output directory's name is empty");
    }
    out->target = joined(target, "", "");
    if (out->target == NULL) {
        return complain_of_memory(problem);
    }
    for (size_t n = strlen(out->target); n > 1 && out->target[n - 1] == '/'; n--) {
        out->target[n - 1] = '\0';
    }
    signals_hold();
    int code = check_target(out, replace, problem) != 0 || make_building(out, problem) != 0 ? -1 : 0;
    if (code == 0) {
        rmdir(out->building);
        free(out->building);
        out->building = NULL;
        signals_let_go();
    } else {
        output_abandon(out);
    }
    return code;
}

int output_start(output *out, complaint *problem)
{
    signals_hold();
    return make_building(out, problem);
}

static int check_signals(complaint *problem)
{
    return signals_waiting() ? complain(problem, "interrupted") : 0;
}

int output_open_file(output *out, const char *name, complaint *problem)
{
    if (check_signals(problem) != 0) {
        return -1;
    }
    out->path = joined(out->building, "/", name);
    if (out->path == NULL) {
        return complain_of_memory(problem);
    }
    out->stream = fopen(out->path, "w");
    if (out->stream == NULL) {
        return complain(problem, "%s: %s", out->path, strerror(errno));
    }
    return 0;
}

int output_close_file(output *out, complaint *problem)
{
    /* On the disk before the directory gets its name: a crash leaves the whole or nothing. */
    errno = 0;
    int failed = ferror(out->stream) != 0 || fflush(out->stream) != 0 || fsync(fileno(out->stream)) != 0;
    int reason = errno;
    if (fclose(out->stream) != 0 && !failed) {
        failed = 1;
        reason = errno;
    }
    out->stream = NULL;
    if (failed) {
        return complain(problem, "%s: %s", out->path, reason != 0 ? strerror(reason) : "cannot be written");
    }
    free(out->path);
    out->path = NULL;
    return check_signals(problem);
}

int output_interactions(output *out, const interaction_list *list, const unsigned char *splits, complaint *problem)
{
    static const char *const file_names[SPLITS] = {"train.txt", "validation.txt", "test.txt"};
    for (int split = 0; split < SPLITS; split++) {
        if (split != SPLIT_TRAIN && (list->n == 0 || memchr(splits, split, list->n) == NULL)) {
            continue;
        }
        if (output_open_file(out, file_names[split], problem) != 0) {
            return -1;
        }
        int32_t user = -1;
        for (size_t i = 0; i < list->n; i++) {
            if (splits[i] != split) {
                continue;
            }
            if (list->rows[i].user != user) {
                fprintf(out->stream, user < 0 ? "%ld" : "\n%ld", (long)list->rows[i].user);
                user = list->rows[i].user;
            }
            fprintf(out->stream, " %ld", (long)list->rows[i].item);
        }
        fputc('\n', out->stream);
        if (output_close_file(out, problem) != 0) {
            return -1;
        }
    }
    return 0;
}

int output_names(output *out, const char *file_name, const name_table *names, const id_map *ids, complaint *problem)
{
    if (output_open_file(out, file_name, problem) != 0) {
        return -1;
    }
    for (int32_t i = 0; i < ids->n; i++) {
        fprintf(out->stream, "%s\n", names_at(names, ids->old_ids[i]));
    }
    return output_close_file(out, problem);
}

/* Removes a directory that holds known files only. */
static void remove_directory(const output *out, const char *directory)
{
    for (size_t i = 0; out->known[i] != NULL; i++) {
        char *path = joined(directory, "/", out->known[i]);
        if (path != NULL) {
            unlink(path);
            free(path);
        }
    }
    rmdir(directory);
}

int output_finish(output *out, complaint *problem)
{
    char suffix[64];
    if (rename(out->building, out->target) != 0) { /* takes the place of nothing, or of an empty directory */
        if (errno != ENOTEMPTY && errno != EEXIST) {
            return complain(problem, "%s: %s", out->target, strerror(errno));
        }
        snprintf(suffix, sizeof(suffix), ".replaced-%ld", (long)getpid());
        char *former = joined(out->target, suffix, "");
        if (former == NULL) {
            return complain_of_memory(problem);
        }
        if (rename(out->target, former) != 0) {
            int reason = errno;
            free(former);
            return complain(problem, "%s: %s", out->target, strerror(reason));
        }
        if (rename(out->building, out->target) != 0) {
            int reason = errno;
            int restored = rename(former, out->target) == 0;
            complain(problem, "%s: %s%s%s", out->target, strerror(reason), restored ? "" : "; what was there is in ",
                     restored ? "" : former);
            free(former);
            return -1;
        }
        remove_directory(out, former);
        free(former);
    }
    free(out->building);
    out->building = NULL;
    output_abandon(out);
    return 0;
}

void output_abandon(output *out)
{
    if (out->stream != NULL) {
        (void)fclose(out->stream);
    }
    if (out->building != NULL) {
        remove_directory(out, out->building);
    }
    free(out->path);
    free(out->building);
    free(out->target);
    memset(out, 0, sizeof(*out));
    signals_let_go();
}
