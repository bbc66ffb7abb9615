/* SPDX-License-Identifier: Apache-2.0 */
/* Every setting of model, training and evaluation: one struct, one table of keys (settings_keys.c), presets with the
 * published numbers (settings_presets.c). */
#ifndef CFD_MODEL_SETTINGS_H
#define CFD_MODEL_SETTINGS_H

#include "base/text.h"

#define SETTINGS_ROLE_BYTES 64
#define SETTINGS_TEXT_BYTES 1088 /* of any value: a list of eight "ROLE=NAME" with names of 63 letters, and some more */
#define SETTINGS_TRANSFORM_BYTES 256
#define SETTINGS_MAX_ROLES 16 /* roles that a config may mention; a model takes CFD_MAX_MODALITIES of them */

enum settings_sampler { SAMPLER_USERS = 0, SAMPLER_INTERACTIONS = 1 };
enum settings_distillation { DISTILLATION_ALIGN = 0, DISTILLATION_RELEASED = 1 };
enum settings_precision {
    PRECISION_FLOAT32 = 0,
    PRECISION_BF16X3 = 1,
    PRECISION_BF16 = 2,
    PRECISION_TF32 = 3,
    PRECISION_AUTO = 4
};
enum settings_storage { STORAGE_SOURCE = 0, STORAGE_FLOAT16 = 1, STORAGE_BFLOAT16 = 2 };
enum settings_select { SELECT_VALIDATION = 0, SELECT_TEST = 1, SELECT_NONE = 2 };

/* What a modality's role has of its own. */
typedef struct role_settings {
    char role[SETTINGS_ROLE_BYTES];
    bool explicitly_set; /* by cfd_config_set, not by a preset: then a model without this role refuses the config */
    double drop;
    double lambda, mu, rho;
    int32_t whiten;
    char transform[SETTINGS_TRANSFORM_BYTES];
} role_settings;

/* Graph exponents: A(left, right) of SPEC 2. */
typedef struct exponents {
    double left, right;
} exponents;

typedef struct settings {
    /* shape */
    int32_t embedding_dim, layers;
    char modalities[SETTINGS_TEXT_BYTES]; /* "ROLE=NAME,..."; "": all, by their own names; "none": no modality */
    int32_t modality_limit;               /* the first so many take part */
    exponents base, common, differential, fused;
    int32_t branch_base, branch_common, branch_differential, branch_fused;
    int32_t whitening; /* no: whiten.ROLE is not looked at */
    double whiten_epsilon;
    /* loss */
    int32_t common_distillation;
    double eta_common, eta_differential, decay;
    double lambda_fused, mu_fused, rho_fused;
    int32_t renormalise_missing;
    /* training */
    int32_t batch_size, sampler, epochs, eval_every, patience, select, protocol, negatives, merge_validation;
    double learning_rate, beta1, beta2, epsilon;
    /* computing */
    int32_t precision, feature_storage;
    /* serving: what scorers and model files keep */
    int32_t keep_nodes, keep_history;
    /* by role */
    role_settings roles[SETTINGS_MAX_ROLES];
    int32_t n_roles;
} settings;

void settings_init(settings *values); /* every key at its default */
cfd_status settings_set(settings *values, const char *key, const char *value);
/* The value as text, into a buffer of SETTINGS_TEXT_BYTES. */
cfd_status settings_get(const settings *values, const char *key, char text[SETTINGS_TEXT_BYTES]);
cfd_status settings_load_preset(settings *values, const char *name);
cfd_status settings_load_ablation(settings *values, const char *name);
/* A role's values: its own, or the defaults. */
role_settings settings_role(const settings *values, const char *role);

/* The same, and from now on the role has values of its own, so that settings_visit names them; a preset's or default values
 * do not count as explicitly set. Where there is no room for another role, only the values are returned. */
role_settings settings_own_role(settings *values, const char *role);

/* The table of keys, for documentation and enumeration. */
size_t settings_key_count(void);
void settings_key(size_t index, cfd_config_key *key);

/* Calls visit for every key with its value as text: plain keys, then the keys of every role that has values. */
typedef cfd_status (*settings_visitor)(void *user, const char *key, const char *value);
cfd_status settings_visit(const settings *values, settings_visitor visit, void *user);

/* What "missing.renormalise" multiplies the lambdas of the roles that an item has by: the sum of all n lambdas over the sum
 * of theirs; 1 where those are 0, or the key says no. */
double settings_missing_scale(const settings *values, const double *lambdas, const bool *has, int32_t n);

/* Columns of a query or key row of a model with these settings and so many roles (SPEC 4): base, heads, the heads fused. */
int32_t settings_score_width(const settings *values, int32_t n_roles);

/* One stage of "transform.ROLE": see data/transform.h for what each does. */
enum transform_kind { TRANSFORM_CENTER, TRANSFORM_STANDARDIZE, TRANSFORM_L2, TRANSFORM_SVD };
#define SETTINGS_MAX_STAGES 8

typedef struct transform_step {
    enum transform_kind kind;
    int32_t rank; /* svd:K */
} transform_step;

/* Reads "none", or stages separated by commas, in order. `key` names the culprit in messages. */
cfd_status settings_read_transform(const char *key, const char *text, transform_step out[SETTINGS_MAX_STAGES], int32_t *n);

/* One "ROLE=NAME" of "modalities". */
typedef struct role_name {
    char role[SETTINGS_ROLE_BYTES], name[SETTINGS_ROLE_BYTES];
} role_name;

/* Reads "modalities": a list of ROLE=NAME or NAME, which plays the role of its own name; "" and "none" give none. Refuses
 * bad names, "fused", repeated roles, more than CFD_MAX_MODALITIES. */
cfd_status settings_read_roles(const char *text, role_name out[CFD_MAX_MODALITIES], int32_t *n);

/* Which modalities take part, in order. */
typedef struct role_assignment {
    char role[SETTINGS_ROLE_BYTES];
    int32_t modality; /* index in the data set */
} role_assignment;

/* Resolves "modalities" against the names that a data set has. Refuses unknown names, repeated roles, too many. */
cfd_status settings_assign_roles(const settings *values, const char *const *names, int32_t n_names,
                                 role_assignment out[CFD_MAX_MODALITIES], int32_t *n);

#endif
