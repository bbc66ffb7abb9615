/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: see explain.h. The last propagation step of every branch is a weighted sum over the user's items and the
 * user itself, so the score is one, too. */
#include "serve/explain.h"

#include <math.h>

static double product(const float *a, const float *b, int32_t n)
{
    double sum = 0.0;
    for (int32_t c = 0; c < n; c++) {
        sum += (double)a[c] * b[c];
    }
    return sum;
}

void explain_parts(const snapshot *s, int32_t user, int32_t item, cfd_explanation *out)
{
    score_layout l = snapshot_layout(s);
    const float *q = s->queries + (size_t)user * (size_t)s->width;
    const float *k = s->keys + (size_t)item * (size_t)s->width;
    out->base = l.has_base ? product(q, k, l.d) : 0.0;
    out->fused = l.has_fused ? product(q + l.fused_at, k + l.fused_at, l.head_columns) : 0.0;
    out->score = out->base + out->fused;
    for (int32_t role = 0; role < s->n_roles; role++) {
        double *parts[SNAPSHOT_KINDS] = {&out->common[role], &out->differential[role]};
        for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
            int32_t at = layout_part(&l, role, kind);
            *parts[kind] = at >= 0 ? product(q + at, k + at, l.d) : 0.0;
            out->score += *parts[kind];
        }
    }
}

/* ---- items ---- */

/* Weights of a neighbour in one graph: what belongs to the user, once, and what to the item. */
static double weight(const snapshot *s, exponents of, int32_t user, int32_t node)
{
    return pow((double)s->nodes.degrees[user], of.left) * pow((double)s->nodes.degrees[node], of.right);
}

void explain_items(const snapshot *s, int32_t user, int32_t item, const int32_t *items, size_t n, float *contributions)
{
    score_layout l = snapshot_layout(s);
    size_t nodes = (size_t)s->users + (size_t)s->items;
    const float *key = s->keys + (size_t)item * (size_t)s->width;
    double lambdas[CFD_MAX_MODALITIES] = {0};
    for (int32_t role = 0; role < s->n_roles; role++) {
        lambdas[role] = settings_role(&s->values, s->roles[role]).lambda;
    }
    for (size_t i = 0; i < n; i++) {
        int32_t node = s->users + items[i];
        const float *x = s->n_roles > 0 ? s->nodes.heads + (size_t)node * (size_t)l.head_columns : NULL;
        double sum = 0.0;
        if (l.has_base) {
            const float *last = s->nodes.layers + ((size_t)(l.layers - 1) * nodes + (size_t)node) * (size_t)l.d;
            sum += weight(s, s->values.base, user, node) * product(last, key, l.d);
        }
        for (int32_t role = 0; role < s->n_roles; role++) {
            for (int kind = 0; kind < SNAPSHOT_KINDS; kind++) {
                int32_t at = layout_part(&l, role, kind);
                if (at >= 0) {
                    sum += lambdas[role] * weight(s, kind == 0 ? s->values.common : s->values.differential, user, node) *
                           product(x + (at - l.heads_at), key + at, l.d);
                }
            }
        }
        if (l.has_fused) {
            const float *p = s->nodes.hops + (size_t)node * (size_t)l.head_columns;
            sum += s->values.lambda_fused * weight(s, s->values.fused, user, node) *
                   product(p, key + l.fused_at, l.head_columns);
        }
        contributions[i] = (float)sum;
    }
}
