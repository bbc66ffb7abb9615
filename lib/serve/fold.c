/* SPDX-License-Identifier: Apache-2.0 */
/* One node's propagation: see fold.h. The degree counts the node itself, as everywhere (SPEC 2). Sums are double. */
#include "serve/fold.h"

#include <math.h>
#include <string.h>

size_t fold_room(const snapshot *s)
{
    score_layout l = snapshot_layout(s);
    return (size_t)(l.d > l.head_columns ? l.d : l.head_columns) * 2;
}

/* sums = deg^left * (sum over neighbours of deg_j^right * row_j + deg^right * self) for columns [first, first + n) of rows.
 */
static void hop(const snapshot *s, const folded_node *node, exponents of, const float *rows, int64_t ld, int32_t first,
                int32_t n, const double *self, double *sums)
{
    double degree = (double)node->n + 1.0;
    double own = pow(degree, of.right);
    for (int32_t c = 0; c < n; c++) {
        sums[c] = self ? own * self[c] : 0.0;
    }
    for (size_t k = 0; k < node->n; k++) {
        int32_t other = node->neighbours[k];
        double weight = pow((double)s->nodes.degrees[other], of.right);
        const float *row = rows + (int64_t)other * ld + first;
        for (int32_t c = 0; c < n; c++) {
            sums[c] += weight * row[c];
        }
    }
    double scale = pow(degree, of.left);
    for (int32_t c = 0; c < n; c++) {
        sums[c] *= scale;
    }
}

static void store(const double *from, int32_t n, float *to)
{
    for (int32_t c = 0; c < n && to; c++) {
        to[c] = (float)from[c];
    }
}

static void fold_base(const snapshot *s, const score_layout *l, const folded_node *node, double *room)
{
    size_t rows = (size_t)(s->users + s->items) * (size_t)l->d;
    double *self = room;
    double *next = room + l->d;
    memset(self, 0, (size_t)l->d * sizeof *self);
    for (int32_t layer = 0; layer < l->layers; layer++) {
        store(self, l->d, node->layers ? node->layers + (size_t)layer * (size_t)l->d : NULL);
        hop(s, node, s->values.base, s->nodes.layers + (size_t)layer * rows, l->d, 0, l->d, self, next);
        double *swap = self;
        self = next;
        next = swap;
    }
    store(self, l->d, node->base);
}

static void fold_heads(const snapshot *s, const score_layout *l, const folded_node *node, double *room)
{
    int64_t ld = l->head_columns;
    double *x = room;
    double *p = room + l->head_columns;
    for (int32_t c = 0; c < l->head_columns; c++) {
        x[c] = node->own ? node->own[c] : 0.0;
    }
    for (int32_t role = 0; role < s->n_roles; role++) {
        for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
            int32_t column = layout_part(l, role, kind) - l->heads_at;
            if (l->kinds[kind] >= 0) {
                hop(s, node, kind == 0 ? s->values.common : s->values.differential, s->nodes.heads, ld, column, l->d,
                    x + column, p + column);
            }
        }
    }
    store(p, l->head_columns, node->hops);
    if (l->has_fused && node->fused) {
        hop(s, node, s->values.fused, s->nodes.hops, ld, 0, l->head_columns, p, x);
        store(x, l->head_columns, node->fused);
    }
}

void fold_node(const snapshot *s, const folded_node *node, double *room)
{
    score_layout l = snapshot_layout(s);
    if (l.has_base) {
        fold_base(s, &l, node, room);
    }
    if (l.head_columns > 0) {
        fold_heads(s, &l, node, room);
    }
}

/* Folds the lambdas into a row that begins as a key row does. */
static void weigh_query(const snapshot *s, const score_layout *l, float *query)
{
    int32_t columns = l->n_kinds * l->d;
    for (int32_t role = 0; role < s->n_roles; role++) {
        float lambda = (float)settings_role(&s->values, s->roles[role]).lambda;
        for (int32_t c = 0; c < columns; c++) {
            query[l->heads_at + role * columns + c] *= lambda;
        }
    }
    for (int32_t c = 0; c < l->head_columns && l->has_fused; c++) {
        query[l->fused_at + c] *= (float)s->values.lambda_fused;
    }
}

static cfd_status check_finite(const float *row, int32_t n)
{
    for (int32_t c = 0; c < n; c++) {
        if (!isfinite(row[c])) {
            return fail(CFD_ERROR_NUMERIC, "the folded-in row is not finite at column %d", (int)c);
        }
    }
    return CFD_OK;
}

cfd_status fold_user(const snapshot *s, const int32_t *items, size_t n, float *query)
{
    score_layout l = snapshot_layout(s);
    unsigned char *room;
    size_t width = (size_t)s->width;
    size_t doubles = fold_room(s) * sizeof(double);
    TRY(memory_allocate(s->memory, doubles + width * sizeof(float) + n * sizeof(int32_t), 1, "a new user", &room));
    float *row = (float *)(void *)(room + doubles);
    int32_t *nodes = (int32_t *)(void *)(row + width);
    for (size_t k = 0; k < n; k++) {
        nodes[k] = s->users + items[k];
    }
    folded_node node = {.neighbours = nodes, .n = n, .base = row, .hops = row + l.heads_at, .fused = row + l.fused_at};
    fold_node(s, &node, (double *)(void *)room);
    weigh_query(s, &l, row);
    cfd_status status = check_finite(row, s->width);
    if (status == CFD_OK) {
        memcpy(query, row, width * sizeof *row);
    }
    memory_release(s->memory, room);
    return status;
}
