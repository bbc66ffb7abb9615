/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a profile: a table of fixed size under a lock. It has a few dozen kinds at most in practice, so that
 * looking one up is a walk along them. */
#include "ops/profile.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef struct record {
    profile_kind kind;
    char detail[PROFILE_DETAIL_BYTES];
    profile_sums sums;
} record;

struct profile {
    const memory_source *memory;
    pthread_mutex_t mutex; /* guards what follows */
    size_t n;
    record records[PROFILE_KINDS];
};

cfd_status profile_create(const memory_source *memory, profile **out)
{
    profile *p;
    TRY(memory_allocate_zero(memory, 1, sizeof *p, "a profile", &p));
    p->memory = memory;
    if (pthread_mutex_init(&p->mutex, NULL) != 0) {
        memory_release(memory, p);
        return fail(CFD_ERROR_SYSTEM, "the system refuses a lock for a profile");
    }
    *out = p;
    return CFD_OK;
}

void profile_destroy(profile *p)
{
    if (p) {
        pthread_mutex_destroy(&p->mutex);
        memory_release(p->memory, p);
    }
}

static bool same_kind(const profile_kind *a, const profile_kind *b)
{
    if (a->n != b->n || strcmp(a->operation, b->operation) != 0 || strcmp(a->note, b->note) != 0) {
        return false;
    }
    for (int32_t k = 0; k < a->n; k++) {
        if (a->numbers[k] != b->numbers[k]) {
            return false;
        }
    }
    return true;
}

static void write_detail(const profile_kind *kind, char detail[PROFILE_DETAIL_BYTES])
{
    size_t length = 0;
    for (int32_t k = 0; k < kind->n; k++) {
        length += (size_t)snprintf(detail + length, PROFILE_DETAIL_BYTES - length, "%s%lld", k > 0 ? " x " : "",
                                   (long long)kind->numbers[k]); /* at most 23 bytes: three always fit */
    }
    snprintf(detail + length, PROFILE_DETAIL_BYTES - length, "%s", kind->note);
}

/* The kind's record, new where it is met for the first time. Under the lock. */
static record *find_record(profile *p, const profile_kind *kind)
{
    for (size_t i = 0; i < p->n; i++) {
        if (same_kind(&p->records[i].kind, kind)) {
            return &p->records[i];
        }
    }
    record *r = &p->records[PROFILE_KINDS - 1];
    if (p->n == PROFILE_KINDS) {
        return r;
    }
    r = &p->records[p->n++];
    r->kind = p->n < PROFILE_KINDS ? *kind : (profile_kind){"other", {0}, 0, ""};
    write_detail(&r->kind, r->detail);
    return r;
}

void profile_add(profile *p, const profile_kind *kind, const profile_sums *more)
{
    pthread_mutex_lock(&p->mutex);
    profile_sums *sums = &find_record(p, kind)->sums;
    sums->calls += more->calls;
    sums->seconds += more->seconds;
    sums->operations += more->operations;
    sums->bytes += more->bytes;
    pthread_mutex_unlock(&p->mutex);
}

size_t profile_count(profile *p)
{
    pthread_mutex_lock(&p->mutex);
    size_t n = p->n;
    pthread_mutex_unlock(&p->mutex);
    return n;
}

void profile_get(profile *p, size_t index, const char **operation, const char **detail, profile_sums *sums)
{
    pthread_mutex_lock(&p->mutex);
    const record *r = &p->records[index];
    *operation = r->kind.operation;
    *detail = r->detail; /* never changes again */
    *sums = r->sums;
    pthread_mutex_unlock(&p->mutex);
}

void profile_reset(profile *p)
{
    pthread_mutex_lock(&p->mutex);
    for (size_t i = 0; i < p->n; i++) {
        p->records[i].sums = (profile_sums){0};
    }
    pthread_mutex_unlock(&p->mutex);
}
