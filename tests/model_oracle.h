/* SPDX-License-Identifier: Apache-2.0 */
/* SPEC 2, 4 and 5 written down a second time, as naively as possible: dense matrices, doubles, no gradient. What
 * the library computes is compared with this. It reads its settings from a cfd_config, key by key, and its
 * parameters from a model. */
#ifndef TEST_MODEL_ORACLE_H
#define TEST_MODEL_ORACLE_H

#include "model_support.h"

enum {
    ORACLE_NODES = 16,
    ORACLE_DIM = 6,
    ORACLE_ROLES = 3,
    ORACLE_COLUMNS = 8,
    ORACLE_TENSORS = 2 + 4 * ORACLE_ROLES,
    ORACLE_WIDTH = 2 * ORACLE_ROLES * ORACLE_DIM,
    ORACLE_MOST_PARAMETERS = ORACLE_TENSORS * ORACLE_NODES * ORACLE_DIM
};

/* ---- a tiny world ---- */

typedef struct tiny_modality {
    const char *name;
    int32_t columns;
    bool sparse;
    float features[ORACLE_NODES][ORACLE_COLUMNS]; /* items */
} tiny_modality;

typedef struct tiny_world {
    int32_t users, items;
    int32_t interactions;
    int32_t user_ids[64], item_ids[64]; /* repeats allowed */
    int32_t n_modalities;
    tiny_modality modalities[ORACLE_ROLES];
} tiny_world;

static inline cfd_dataset *dataset_of(cfd_context *context, const tiny_world *world)
{
    cfd_dataset *data;
    OK(cfd_dataset_create(context, world->users, world->items, &data));
    size_t n_interactions = (size_t)world->interactions;
    OK(cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, world->user_ids, world->item_ids, n_interactions));
    for (int32_t k = 0; k < world->n_modalities; k++) {
        const tiny_modality *m = &world->modalities[k];
        if (!m->sparse) {
            OK(cfd_dataset_add_dense_modality(data, m->name, m->features, CFD_FLOAT32, m->columns, ORACLE_COLUMNS));
            continue;
        }
        int64_t offsets[ORACLE_NODES + 1] = {0};
        int32_t columns[ORACLE_NODES * ORACLE_COLUMNS];
        float values[ORACLE_NODES * ORACLE_COLUMNS];
        int64_t n = 0;
        for (int32_t i = 0; i < world->items; i++) {
            for (int32_t c = m->columns - 1; c >= 0; c--) {
                if (m->features[i][c] != 0.0f) {
                    columns[n] = c;
                    values[n++] = m->features[i][c];
                }
            }
            offsets[i + 1] = n;
        }
        OK(cfd_dataset_add_sparse_modality(data, m->name, m->columns, offsets, columns, values));
    }
    return data;
}

/* ---- settings and parameters ---- */

typedef double oracle_rows[ORACLE_NODES][ORACLE_DIM];

typedef struct oracle_role {
    const tiny_modality *content;
    bool whitened;
    double lambda, mu, rho;
    const double *user[2], *projection[2]; /* common, differential; NULL where switched off */
} oracle_role;

enum { GRAPH_BASE, GRAPH_COMMON, GRAPH_DIFFERENTIAL, GRAPH_FUSED, GRAPHS };

typedef struct oracle {
    int32_t users, items, nodes, d, layers, batch_size, n_roles;
    bool fused, released, renormalised;
    double epsilon, decay, lambda_fused, mu_fused, rho_fused, eta_common, eta_differential;
    double graph[GRAPHS][ORACLE_NODES][ORACLE_NODES];
    const double *user_id, *item_id; /* NULL without the base branch */
    oracle_role roles[ORACLE_ROLES];
    double parameters[ORACLE_MOST_PARAMETERS];
    size_t n_parameters;
    /* forward */
    oracle_rows base;
    oracle_rows x[2 * ORACLE_ROLES], p[2 * ORACLE_ROLES], s[2 * ORACLE_ROLES]; /* head 2 r + kind */
} oracle;

static inline void oracle_text(const cfd_config *config, const char *key, const char *role, char text[128])
{
    char full[128];
    snprintf(full, sizeof full, "%s%s%s", key, role ? "." : "", role ? role : "");
    OK(cfd_config_get(config, full, text, 128, NULL));
}

static inline double oracle_number(const cfd_config *config, const char *key, const char *role)
{
    char text[128];
    oracle_text(config, key, role, text);
    return strtod(text, NULL);
}

static inline bool oracle_is(const cfd_config *config, const char *key, const char *role, const char *value)
{
    char text[128];
    oracle_text(config, key, role, text);
    return strcmp(text, value) == 0;
}

/* A(left, right) of SPEC 2. */
static inline void oracle_graph(oracle *o, const tiny_world *world, int graph, double left, double right)
{
    double a[ORACLE_NODES][ORACLE_NODES] = {{0}};
    double degree[ORACLE_NODES] = {0};
    for (int32_t k = 0; k < world->interactions; k++) {
        int32_t u = world->user_ids[k];
        int32_t i = o->users + world->item_ids[k];
        a[u][i] = a[i][u] = 1.0;
    }
    for (int32_t i = 0; i < o->nodes; i++) {
        a[i][i] = 1.0;
        for (int32_t j = 0; j < o->nodes; j++) {
            degree[i] += a[i][j];
        }
    }
    for (int32_t i = 0; i < o->nodes; i++) {
        for (int32_t j = 0; j < o->nodes; j++) {
            o->graph[graph][i][j] = pow(degree[i], left) * a[i][j] * pow(degree[j], right);
        }
    }
}

/* The model's tensor of that name as doubles, NULL if it has none. */
static inline const double *oracle_tensor(oracle *o, const cfd_model *model, const char *name, const char *role)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s", name, role);
    size_t at = 0;
    for (size_t i = 0; i < tensor_count(model); i++) {
        cfd_tensor_info info = tensor_at(model, i);
        if (strcmp(info.name, full) == 0) {
            return o->parameters + at;
        }
        at += tensor_size(&info);
    }
    return NULL;
}

static inline void oracle_load(oracle *o, const tiny_world *world, const cfd_config *config, const cfd_model *model)
{
    memset(o, 0, sizeof *o);
    float *values = all_parameters(model, &o->n_parameters);
    ck_assert_uint_le(o->n_parameters, ORACLE_MOST_PARAMETERS);
    for (size_t i = 0; i < o->n_parameters; i++) {
        o->parameters[i] = values[i];
    }
    free(values);
    o->users = world->users;
    o->items = world->items;
    o->nodes = world->users + world->items;
    ck_assert_int_le(o->nodes, ORACLE_NODES);
    o->d = (int32_t)oracle_number(config, "embedding_dim", NULL);
    ck_assert_int_le(o->d, ORACLE_DIM);
    o->layers = (int32_t)oracle_number(config, "layers", NULL);
    o->batch_size = (int32_t)oracle_number(config, "batch_size", NULL);
    o->fused = oracle_is(config, "branch.fused", NULL, "yes");
    o->released = oracle_is(config, "common_distillation", NULL, "released");
    o->renormalised = oracle_is(config, "missing.renormalise", NULL, "yes");
    o->epsilon = oracle_number(config, "whiten_epsilon", NULL);
    o->decay = oracle_number(config, "decay", NULL);
    o->lambda_fused = oracle_number(config, "lambda", "fused");
    o->mu_fused = oracle_number(config, "mu", "fused");
    o->rho_fused = oracle_number(config, "rho", "fused");
    o->eta_common = oracle_number(config, "eta", "common");
    o->eta_differential = oracle_number(config, "eta", "differential");
    static const char *const graphs[GRAPHS] = {"base_exponent", "common_exponent", "differential_exponent",
                                               "fused_exponent"};
    for (int g = 0; g < GRAPHS; g++) {
        oracle_graph(o, world, g, oracle_number(config, graphs[g], "left"), oracle_number(config, graphs[g], NULL));
    }
    o->user_id = oracle_tensor(o, model, "user.id", "");
    o->item_id = oracle_tensor(o, model, "item.id", "");
    int32_t limit = (int32_t)oracle_number(config, "modality_limit", NULL);
    o->n_roles = world->n_modalities < limit ? world->n_modalities : limit;
    for (int32_t r = 0; r < o->n_roles; r++) {
        oracle_role *role = &o->roles[r];
        const char *name = world->modalities[r].name;
        role->content = &world->modalities[r];
        role->whitened = oracle_is(config, "whiten", name, "yes") && oracle_is(config, "whitening", NULL, "yes");
        role->lambda = oracle_number(config, "lambda", name);
        role->mu = oracle_number(config, "mu", name);
        role->rho = oracle_number(config, "rho", name);
        role->user[0] = oracle_tensor(o, model, "user.common.", name);
        role->user[1] = oracle_tensor(o, model, "user.differential.", name);
        role->projection[0] = oracle_tensor(o, model, "proj.common.", name);
        role->projection[1] = oracle_tensor(o, model, "proj.differential.", name);
    }
}

/* ---- forward (SPEC 4) ---- */

static inline void oracle_hop(const oracle *o, int graph, const oracle_rows from, oracle_rows to)
{
    for (int32_t i = 0; i < o->nodes; i++) {
        for (int32_t c = 0; c < o->d; c++) {
            double sum = 0.0;
            for (int32_t j = 0; j < o->nodes; j++) {
                sum += o->graph[graph][i][j] * from[j][c];
            }
            to[i][c] = sum;
        }
    }
}

/* Y <- Y (Y^T Y / I + epsilon)^(-1/2); the eigenvectors by Jacobi's rotations. */
static inline void oracle_whiten(const oracle *o, double (*y)[ORACLE_DIM])
{
    int32_t d = o->d;
    double c[ORACLE_DIM][ORACLE_DIM];
    double q[ORACLE_DIM][ORACLE_DIM] = {{0}};
    for (int32_t a = 0; a < d; a++) {
        q[a][a] = 1.0;
        for (int32_t b = 0; b < d; b++) {
            c[a][b] = a == b ? o->epsilon : 0.0;
            for (int32_t i = 0; i < o->items; i++) {
                c[a][b] += y[i][a] * y[i][b] / o->items;
            }
        }
    }
    for (int sweep = 0; sweep < 30; sweep++) {
        for (int32_t a = 0; a < d; a++) {
            for (int32_t b = a + 1; b < d; b++) {
                if (c[a][b] == 0.0) {
                    continue;
                }
                double theta = 0.5 * atan2(2.0 * c[a][b], c[b][b] - c[a][a]);
                double cosine_of = cos(theta);
                double sine_of = sin(theta);
                for (int32_t k = 0; k < d; k++) {
                    double at_a = c[k][a];
                    double at_b = c[k][b];
                    c[k][a] = cosine_of * at_a - sine_of * at_b;
                    c[k][b] = sine_of * at_a + cosine_of * at_b;
                    at_a = q[k][a];
                    at_b = q[k][b];
                    q[k][a] = cosine_of * at_a - sine_of * at_b;
                    q[k][b] = sine_of * at_a + cosine_of * at_b;
                }
                for (int32_t k = 0; k < d; k++) {
                    double at_a = c[a][k];
                    double at_b = c[b][k];
                    c[a][k] = cosine_of * at_a - sine_of * at_b;
                    c[b][k] = sine_of * at_a + cosine_of * at_b;
                }
            }
        }
    }
    for (int32_t i = 0; i < o->items; i++) {
        double row[ORACLE_DIM] = {0};
        for (int32_t e = 0; e < d; e++) {
            double along = 0.0;
            for (int32_t k = 0; k < d; k++) {
                along += y[i][k] * q[k][e];
            }
            for (int32_t k = 0; k < d; k++) {
                row[k] += along / sqrt(c[e][e]) * q[k][e];
            }
        }
        memcpy(y[i], row, sizeof row);
    }
}

static inline void oracle_head(oracle *o, int32_t role, int kind)
{
    const oracle_role *r = &o->roles[role];
    double(*x)[ORACLE_DIM] = o->x[2 * role + kind];
    memset(x, 0, sizeof(oracle_rows));
    for (int32_t c = 0; c < o->d; c++) {
        for (int32_t u = 0; u < o->users; u++) {
            x[u][c] = r->user[kind][u * o->d + c];
        }
        for (int32_t i = 0; i < o->items; i++) {
            for (int32_t k = 0; k < r->content->columns; k++) {
                x[o->users + i][c] += (double)r->content->features[i][k] * r->projection[kind][k * o->d + c];
            }
        }
    }
    if (r->whitened) {
        oracle_whiten(o, x + o->users);
    }
    oracle_hop(o, kind == 0 ? GRAPH_COMMON : GRAPH_DIFFERENTIAL, x, o->p[2 * role + kind]);
    oracle_hop(o, GRAPH_FUSED, o->p[2 * role + kind], o->s[2 * role + kind]);
}

static inline void oracle_forward(oracle *o)
{
    if (o->user_id) {
        oracle_rows from;
        for (int32_t c = 0; c < o->d; c++) {
            for (int32_t i = 0; i < o->nodes; i++) {
                o->base[i][c] = i < o->users ? o->user_id[i * o->d + c] : o->item_id[(i - o->users) * o->d + c];
            }
        }
        for (int32_t l = 0; l < o->layers; l++) {
            memcpy(from, o->base, sizeof from);
            oracle_hop(o, GRAPH_BASE, from, o->base);
        }
    }
    for (int32_t r = 0; r < o->n_roles; r++) {
        for (int kind = 0; kind < 2; kind++) {
            if (o->roles[r].user[kind]) {
                oracle_head(o, r, kind);
            }
        }
    }
}

static inline double oracle_dot(const oracle *o, double (*rows)[ORACLE_DIM], int32_t a, int32_t b)
{
    double sum = 0.0;
    for (int32_t c = 0; c < o->d; c++) {
        sum += rows[a][c] * rows[b][c];
    }
    return sum;
}

/* V_m.V_m or, with `s`, S.S of role m. A head that is switched off stays zero. */
static inline double oracle_role_dot(oracle *o, bool s, int32_t role, int32_t a, int32_t b)
{
    double sum = 0.0;
    for (int kind = 0; kind < 2; kind++) {
        sum += oracle_dot(o, s ? o->s[2 * role + kind] : o->p[2 * role + kind], a, b);
    }
    return sum;
}

/* Items whose features are all zeros lack the modality. */
static inline bool oracle_has(const oracle *o, int32_t role, int32_t item)
{
    bool has = false;
    for (int32_t k = 0; k < o->roles[role].content->columns; k++) {
        has = has || o->roles[role].content->features[item][k] != 0.0f;
    }
    return has;
}

/* What the lambdas of the modalities that an item has are multiplied by. */
static inline double oracle_scale(const oracle *o, int32_t item)
{
    double all = 0.0;
    double present = 0.0;
    for (int32_t r = 0; r < o->n_roles; r++) {
        all += o->roles[r].lambda;
        present += oracle_has(o, r, item) ? o->roles[r].lambda : 0.0;
    }
    return o->renormalised && present > 0.0 ? all / present : 1.0;
}

static inline double oracle_score(oracle *o, int32_t user, int32_t item)
{
    int32_t node = o->users + item;
    double score = o->user_id ? oracle_dot(o, o->base, user, node) : 0.0;
    for (int32_t r = 0; r < o->n_roles; r++) {
        double scale = oracle_has(o, r, item) ? oracle_scale(o, item) : 1.0;
        score += scale * o->roles[r].lambda * oracle_role_dot(o, false, r, user, node);
        score += o->fused ? o->lambda_fused * oracle_role_dot(o, true, r, user, node) : 0.0;
    }
    return score;
}

/* ---- losses (SPEC 5) ---- */

static inline double oracle_softplus(double x)
{
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Half the squared norms that the batch's triple k adds to a penalty. */
static inline double oracle_norms(oracle *o, double (*rows)[ORACLE_DIM], const int32_t nodes[3])
{
    return 0.5 * (oracle_dot(o, rows, nodes[0], nodes[0]) + oracle_dot(o, rows, nodes[1], nodes[1]) +
                  oracle_dot(o, rows, nodes[2], nodes[2]));
}

static inline double oracle_cosine(oracle *o, double (*x)[ORACLE_DIM], double (*y)[ORACLE_DIM], int32_t node, bool *has)
{
    double product = 0.0;
    for (int32_t c = 0; c < o->d; c++) {
        product += x[node][c] * y[node][c];
    }
    double norms = sqrt(oracle_dot(o, x, node, node) * oracle_dot(o, y, node, node));
    *has = norms > 0.0;
    return *has ? product / norms : 0.0;
}

static inline void oracle_add_triple(oracle *o, const int32_t nodes[3], double share, cfd_losses *losses)
{
    double decay = o->decay / o->batch_size;
    double behind_fused = 0.0; /* by how much the negative scores above the positive */
    for (int32_t r = 0; r < o->n_roles; r++) {
        const oracle_role *role = &o->roles[r];
        double behind = oracle_role_dot(o, false, r, nodes[0], nodes[2]) - oracle_role_dot(o, false, r, nodes[0], nodes[1]);
        losses->ranking_modality[r] += share * role->mu * oracle_softplus(behind);
        behind_fused += oracle_role_dot(o, true, r, nodes[0], nodes[2]) - oracle_role_dot(o, true, r, nodes[0], nodes[1]);
        for (int kind = 0; kind < 2; kind++) {
            losses->penalty_modality[r] += decay * role->rho * oracle_norms(o, o->x[2 * r + kind], nodes);
            losses->penalty_fused += o->fused ? decay * o->rho_fused * oracle_norms(o, o->s[2 * r + kind], nodes) : 0.0;
        }
    }
    if (o->fused && o->n_roles > 0) {
        losses->ranking_fused += share * o->mu_fused * oracle_softplus(behind_fused);
    }
    if (o->user_id) {
        double behind = oracle_dot(o, o->base, nodes[0], nodes[2]) - oracle_dot(o, o->base, nodes[0], nodes[1]);
        losses->ranking_base += share * oracle_softplus(behind);
    }
    double pairs = o->n_roles * (o->n_roles - 1) / 2.0;
    for (int32_t a = 0; a < o->n_roles; a++) {
        for (int32_t b = a + 1; b < o->n_roles; b++) {
            for (int side = 0; side < 2; side++) {
                int32_t item = nodes[side] - o->users;
                if (item >= 0 && (!oracle_has(o, a, item) || !oracle_has(o, b, item))) {
                    continue;
                }
                bool has;
                double c = oracle_cosine(o, o->p[2 * a], o->p[2 * b], nodes[side], &has);
                losses->common += has ? share / pairs * (o->released ? c : 1.0 - c) : 0.0;
                c = oracle_cosine(o, o->p[2 * a + 1], o->p[2 * b + 1], nodes[side], &has);
                losses->differential += has ? share / pairs * sqrt(c * c + 1e-8) : 0.0;
            }
        }
    }
}

/* The base penalty acts on the ids themselves. */
static inline double oracle_base_penalty(const oracle *o, const int32_t nodes[3])
{
    double sum = 0.0;
    for (int k = 0; k < 3; k++) {
        bool is_user = nodes[k] < o->users;
        const double *row = is_user ? o->user_id + nodes[k] * o->d : o->item_id + (nodes[k] - o->users) * o->d;
        for (int32_t c = 0; c < o->d; c++) {
            sum += 0.5 * row[c] * row[c];
        }
    }
    return o->decay / o->batch_size * sum;
}

/* Forward and all losses of the batch. */
static inline cfd_losses oracle_losses(oracle *o, const cfd_batch *batch)
{
    cfd_losses losses = CFD_LOSSES_INIT;
    oracle_forward(o);
    for (size_t k = 0; k < batch->size; k++) {
        const int32_t nodes[3] = {batch->users[k], o->users + batch->positives[k], o->users + batch->negatives[k]};
        oracle_add_triple(o, nodes, 1.0 / (double)batch->size, &losses);
        losses.penalty_base += o->user_id ? oracle_base_penalty(o, nodes) : 0.0;
    }
    losses.ranking = losses.ranking_base + losses.ranking_fused;
    losses.penalty = losses.penalty_base + losses.penalty_fused;
    for (int32_t r = 0; r < o->n_roles; r++) {
        losses.ranking += losses.ranking_modality[r];
        losses.penalty += losses.penalty_modality[r];
    }
    losses.total = losses.ranking + losses.penalty + o->eta_common * losses.common +
                   o->eta_differential * losses.differential;
    return losses;
}

#endif
