/* SPDX-License-Identifier: Apache-2.0 */
/* The table of keys. What is not here cannot be set. */
#include "model/settings_keys.h"

#define AT(member) offsetof(settings, member)
#define OF(member) offsetof(role_settings, member)

/* clang-format off */
#define INTEGER(key, member, low, high, standard, help) \
    {key, false, KEY_INTEGER, AT(member), low, high, false, NULL, standard, help, key, #low " to " #high}
#define NUMBER(key, member, low, high, standard, help) \
    {key, false, KEY_NUMBER, AT(member), low, high, false, NULL, standard, help, key, #low " to " #high}
#define POSITIVE(key, member, high, standard, help) \
    {key, false, KEY_NUMBER, AT(member), 0, high, true, NULL, standard, help, key, "above 0, to " #high}
#define YES_NO(key, member, standard, help) \
    {key, false, KEY_YES_NO, AT(member), 0, 1, false, "no|yes", standard, help, key, "yes or no"}
#define CHOICE(key, member, choices, standard, help) \
    {key, false, KEY_CHOICE, AT(member), 0, 0, false, choices, standard, help, key, choices}
#define TEXT(key, member, range, standard, help) \
    {key, false, KEY_TEXT, AT(member), 0, sizeof(((settings *)0)->member), false, NULL, standard, help, key, range}
#define ROLE_NUMBER(key, member, low, high, standard, help) \
    {key, true, KEY_NUMBER, OF(member), low, high, false, NULL, standard, help, key ".ROLE", #low " to " #high}
#define ROLE_YES_NO(key, member, standard, help) \
    {key, true, KEY_YES_NO, OF(member), 0, 1, false, "no|yes", standard, help, key ".ROLE", "yes or no"}
#define ROLE_TEXT(key, member, range, standard, help) \
    {key, true, KEY_TEXT, OF(member), 0, sizeof(((role_settings *)0)->member), false, NULL, standard, help, \
     key ".ROLE", range}
/* clang-format on */

const key_row settings_keys[] = {
    /* ---- shape (SPEC 1 to 4) ---- */
    INTEGER("embedding_dim", embedding_dim, 1, 1024, "64", "width d of every embedding"),
    INTEGER("layers", layers, 1, 32, "4",
            "propagation steps L of the base branch: how many hops of the graph reach a score"),
    TEXT("modalities", modalities, "ROLE=NAME,... or none", "",
         "modalities of the data set that take part, in order, and their roles; empty: all, by their own names"),
    INTEGER("modality_limit", modality_limit, 0, 8, "8",
            "only the first so many of those take part; 0: none, the graph alone"),
    NUMBER("base_exponent", base.right, -2, 2, "-0.4",
           "exponent b of the base graph A(a, b), of the neighbour's degree: the lower, the less a popular one counts"),
    NUMBER("base_exponent.left", base.left, -2, 2, "-0.5", "exponent a of the base graph, of the node's own degree"),
    NUMBER("common_exponent", common.right, -2, 2, "-0.5",
           "exponent b of the graph of the common parts, of the neighbour's degree"),
    NUMBER("common_exponent.left", common.left, -2, 2, "-0.5",
           "exponent a of the graph of the common parts, of the node's own degree"),
    NUMBER("differential_exponent", differential.right, -2, 2, "-0.5",
           "exponent b of the graph of the differential parts, of the neighbour's degree"),
    NUMBER("differential_exponent.left", differential.left, -2, 2, "-0.5",
           "exponent a of the graph of the differential parts, of the node's own degree"),
    NUMBER("fused_exponent", fused.right, -2, 2, "-0.5",
           "exponent b of the graph of the fused branch, of the neighbour's degree"),
    NUMBER("fused_exponent.left", fused.left, -2, 2, "-0.5",
           "exponent a of the graph of the fused branch, of the node's own degree"),
    YES_NO("branch.base", branch_base, "yes", "the base branch: ids propagated over the graph"),
    YES_NO("branch.common", branch_common, "yes", "the common part of every modality"),
    YES_NO("branch.differential", branch_differential, "yes", "the differential part of every modality"),
    YES_NO("branch.fused", branch_fused, "yes", "the fused branch: all parts side by side, propagated once more"),
    ROLE_NUMBER("drop", drop, 0, 1, "0",
                "share of the items that lose their features of this modality, drawn by the seed, before all else: a test"),
    ROLE_TEXT("transform", transform, "none, or a list of center, l2, standardize, svd:K", "none",
              "what is done to the features of a modality when the model is made, in the order given: center (column means "
              "to 0), l2 (rows to length 1), standardize (column means to 0, deviations to 1), svd:K (to K columns)"),
    YES_NO("whitening", whitening, "yes", "no: no modality is whitened, whatever whiten.ROLE says"),
    ROLE_YES_NO("whiten", whiten, "yes", "projected features of this modality are whitened"),
    POSITIVE("whiten_epsilon", whiten_epsilon, 1, "1e-05", "added to the eigenvalues in whitening"),
    /* ---- scores (SPEC 4) ---- */
    ROLE_NUMBER("lambda", lambda, 0, 1000, "1",
                "weight of this modality, its common and its differential part, in the score"),
    NUMBER("lambda.fused", lambda_fused, 0, 1000, "1", "weight of the fused branch in the score"),
    YES_NO("missing.renormalise", renormalise_missing, "no",
           "yes: where an item lacks modalities, the lambdas of those it has are scaled up to the sum of all"),
    /* ---- loss (SPEC 5) ---- */
    ROLE_NUMBER("mu", mu, 0, 1000, "1", "weight of this modality in the ranking loss"),
    NUMBER("mu.fused", mu_fused, 0, 1000, "2", "weight of the fused branch in the ranking loss"),
    NUMBER("decay", decay, 0, 1000, "0.001",
           "weight of the penalty on squared norms: the higher, the smaller embeddings stay"),
    ROLE_NUMBER("rho", rho, 0, 1000, "0.5", "weight of this modality in the penalty, on top of decay"),
    NUMBER("rho.fused", rho_fused, 0, 1000, "0.3", "weight of the fused branch in the penalty, on top of decay"),
    CHOICE("common_distillation", common_distillation, "align|released", "align",
           "align pulls common parts together (1 - cos); released is the sign of the published script (+cos)"),
    NUMBER("eta.common", eta_common, 0, 1000, "1", "weight of the common distillation in the loss; 0: it is not computed"),
    NUMBER("eta.differential", eta_differential, 0, 1000, "0.3",
           "weight of the differential distillation in the loss; 0: it is not computed"),
    /* ---- training (SPEC 6) ---- */
    INTEGER("batch_size", batch_size, 1, 1048576, "2048",
            "triples B of a step: a user, an item that the user has, one that the user does not have"),
    CHOICE("sampler", sampler, "users|interactions", "users",
           "users: distinct users, one interaction each; interactions: all of them, shuffled once an epoch"),
    INTEGER("epochs", epochs, 0, 1000000, "500", "epochs at most; an epoch is about interactions / batch_size steps"),
    INTEGER("eval_every", eval_every, 1, 1000000, "10", "epochs between evaluations"),
    INTEGER("patience", patience, 1, 1000000, "5", "evaluations without improvement after which training stops"),
    CHOICE("select", select, "validation|test|none", "validation",
           "split whose HR@5 + NDCG@5 decides which epoch is kept; none: the last one"),
    CHOICE("protocol", protocol, "full|sampled", "full",
           "how that split is evaluated: full, against all items that the user does not have; sampled, against negatives of "
           "them"),
    INTEGER("negatives", negatives, 1, 100000, "99", "how many items the sampled protocol ranks each held-out one against"),
    YES_NO("merge_validation", merge_validation, "no",
           "train on train and validation together; select must then not be validation"),
    POSITIVE("learning_rate", learning_rate, 1000, "0.001", "step size of Adam"),
    {"beta1", false, KEY_NUMBER, AT(beta1), 0, 0.999999, false, NULL, "0.9", "decay of Adam's first moment", "beta1",
     "0 to 0.999999"},
    {"beta2", false, KEY_NUMBER, AT(beta2), 0, 0.999999, false, NULL, "0.999", "decay of Adam's second moment", "beta2",
     "0 to 0.999999"},
    POSITIVE("epsilon", epsilon, 1, "1e-08", "added to the root of Adam's second moment"),
    /* ---- computing (docs/performance.md) ---- */
    CHOICE("precision", precision, "float32|bf16x3|bf16|tf32|auto", "float32",
           "products with dense features: bf16x3 splits each number in two bfloat16, bf16 rounds it to one, tf32 (GPUs "
           "only) to "
           "11 bits; auto: bf16x3 where that is faster than float32"),
    CHOICE("feature_storage", feature_storage, "source|float16|bfloat16", "source",
           "how the model keeps dense features: as they were given, or rounded to a type of half the memory"),
    /* ---- serving (docs/serving.md) ---- */
    YES_NO("keep.nodes", keep_nodes, "yes",
           "scorers and model files keep what new users and items, searches and explanations are computed from"),
    YES_NO("keep.history", keep_history, "no",
           "they keep who has which items, to leave these out of lists and to explain scores"),
};

const size_t settings_keys_count = sizeof settings_keys / sizeof settings_keys[0];
