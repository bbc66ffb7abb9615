/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of SPEC 4 to 6, one file each, forward and backward side by side in it; step.c runs them in order. */
#ifndef CFD_MODEL_SECTIONS_H
#define CFD_MODEL_SECTIONS_H

#include "model/model.h"

/* propagation.c (SPEC 4.1): e0 -> last, compact; or all rows of the last layer (*rows lies in m->layer). */
cfd_status propagation_forward(model *m);
cfd_status propagation_forward_all(model *m, const float **rows);
cfd_status propagation_backward(model *m); /* last_gradient and the penalty -> e0_gradient */

/* projection.c (SPEC 4.2): features -> y, or the items' rows of x for roles that are not whitened. */
cfd_status projection_forward(model *m);
cfd_status projection_backward(model *m); /* p_gradient's or x_gradient's items' rows -> role gradients */

/* whitening.c (SPEC 4.3): y -> items' rows of x. */
cfd_status whitening_forward(model *m);
cfd_status whitening_backward(model *m); /* x_gradient's items' rows -> p_gradient's items' rows */

/* heads.c (SPEC 4.4): x -> p. */
cfd_status heads_forward(model *m, bool all_rows);
cfd_status heads_backward(model *m); /* p_gradient, or p_rows_gradient without fusion, and the penalty -> x_gradient */
ops_view heads_rows(const model *m, int32_t column, int32_t width); /* P at the batch's rows */
ops_view heads_rows_gradient(const model *m, int32_t column, int32_t width);

/* fusion.c (SPEC 4.5): p -> s, compact; or all rows (*rows lies in m->p_gradient). */
cfd_status fusion_forward(model *m);
cfd_status fusion_forward_all(model *m, const float **rows);
cfd_status fusion_backward(model *m); /* s_gradient and p_rows_gradient -> p_gradient */

/* ranking.c, distillation.c, penalty.c (SPEC 5): losses and the gradients of the rows they look at. */
cfd_status ranking(model *m);                   /* sets last_gradient, p_rows_gradient, s_gradient */
cfd_status distillation(model *m);              /* adds to p_rows_gradient */
cfd_status penalty_after_propagation(model *m); /* adds to s_gradient */
/* What the penalty adds to e0_gradient and to x_gradient (all heads, or one), with its losses; NULL where it is off. */
typedef struct penalty_addend {
    ops_addend addend;
    float weights[CFD_MAX_MODALITIES];
    double *losses[CFD_MAX_MODALITIES];
} penalty_addend;
const ops_addend *penalty_of_ids(const model *m, penalty_addend *own);
const ops_addend *penalty_of_heads(const model *m, penalty_addend *own);
const ops_addend *penalty_of_head(const model *m, int32_t role, enum model_kind kind, penalty_addend *own);
int32_t distillation_pairs(const model *m);

/* adam.c (SPEC 6). */
cfd_status adam_update(model *m);

#endif
