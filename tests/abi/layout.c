/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and offsets of the public structs, and the numbers of the public enums, where pointers and size_t have 64 bits: they
 * are part of the ABI (docs/abi-policy.md). Checked while this is compiled. A struct with struct_size may grow: its size
 * here then grows, too, by fields of its own. None ends in padding, into which a new field could slip unseen. */
#include <cfdtbd.h>

#if defined(__LP64__)
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define FIELD(type, field, at, bytes)                                                      \
    _Static_assert(offsetof(type, field) == (at) && sizeof(((type *)0)->field) == (bytes), \
                   "offset or size of " #type "." #field)
#define LAST(type, field) \
    _Static_assert(offsetof(type, field) + sizeof(((type *)0)->field) == sizeof(type), #type " ends in padding")
#define VALUE(name, number) _Static_assert((name) == (number), "value of " #name)

/* limits that structs and callers count on */
VALUE(CFD_MAX_MODALITIES, 8);
VALUE(CFD_MAX_PROBE_REPETITIONS, 1000);

/* cfd_context_options */
SIZE(cfd_context_options, 112);
FIELD(cfd_context_options, struct_size, 0, 8);
FIELD(cfd_context_options, device, 8, 8);
FIELD(cfd_context_options, threads, 16, 4);
FIELD(cfd_context_options, reserved, 20, 4);
FIELD(cfd_context_options, seed, 24, 8);
FIELD(cfd_context_options, log, 32, 8);
FIELD(cfd_context_options, log_user, 40, 8);
FIELD(cfd_context_options, allocate, 48, 8);
FIELD(cfd_context_options, release, 56, 8);
FIELD(cfd_context_options, allocator_user, 64, 8);
FIELD(cfd_context_options, instructions, 72, 8);
FIELD(cfd_context_options, scoring, 80, 8);
FIELD(cfd_context_options, profile, 88, 4);
FIELD(cfd_context_options, reserved2, 92, 4);
FIELD(cfd_context_options, cuda_stream, 96, 8);
FIELD(cfd_context_options, plugin_folder, 104, 8);
LAST(cfd_context_options, plugin_folder);

/* cfd_context_info */
SIZE(cfd_context_info, 64);
FIELD(cfd_context_info, struct_size, 0, 8);
FIELD(cfd_context_info, device, 8, 8);
FIELD(cfd_context_info, instruction_set, 16, 8);
FIELD(cfd_context_info, gemm, 24, 8);
FIELD(cfd_context_info, threads, 32, 4);
FIELD(cfd_context_info, reserved, 36, 4);
FIELD(cfd_context_info, seed, 40, 8);
FIELD(cfd_context_info, bfloat16, 48, 8);
FIELD(cfd_context_info, scoring, 56, 8);
LAST(cfd_context_info, scoring);

/* cfd_profile_entry */
SIZE(cfd_profile_entry, 56);
FIELD(cfd_profile_entry, struct_size, 0, 8);
FIELD(cfd_profile_entry, operation, 8, 8);
FIELD(cfd_profile_entry, detail, 16, 8);
FIELD(cfd_profile_entry, calls, 24, 8);
FIELD(cfd_profile_entry, seconds, 32, 8);
FIELD(cfd_profile_entry, operations, 40, 8);
FIELD(cfd_profile_entry, bytes, 48, 8);
LAST(cfd_profile_entry, bytes);

/* cfd_probe */
SIZE(cfd_probe, 48);
FIELD(cfd_probe, struct_size, 0, 8);
FIELD(cfd_probe, kind, 8, 4);
FIELD(cfd_probe, reserved, 12, 4);
FIELD(cfd_probe, precision, 16, 8);
FIELD(cfd_probe, rows, 24, 8);
FIELD(cfd_probe, inner, 32, 8);
FIELD(cfd_probe, columns, 40, 8);
LAST(cfd_probe, columns);

/* cfd_config_key */
SIZE(cfd_config_key, 48);
FIELD(cfd_config_key, struct_size, 0, 8);
FIELD(cfd_config_key, name, 8, 8);
FIELD(cfd_config_key, type, 16, 8);
FIELD(cfd_config_key, range, 24, 8);
FIELD(cfd_config_key, default_value, 32, 8);
FIELD(cfd_config_key, help, 40, 8);
LAST(cfd_config_key, help);

/* cfd_dataset_info */
SIZE(cfd_dataset_info, 80);
FIELD(cfd_dataset_info, struct_size, 0, 8);
FIELD(cfd_dataset_info, n_users, 8, 4);
FIELD(cfd_dataset_info, n_items, 12, 4);
FIELD(cfd_dataset_info, n_modalities, 16, 4);
FIELD(cfd_dataset_info, has_user_names, 20, 4);
FIELD(cfd_dataset_info, has_item_names, 24, 4);
FIELD(cfd_dataset_info, cold_test_items, 28, 4);
FIELD(cfd_dataset_info, n_train, 32, 8);
FIELD(cfd_dataset_info, n_validation, 40, 8);
FIELD(cfd_dataset_info, n_test, 48, 8);
FIELD(cfd_dataset_info, duplicates, 56, 8);
FIELD(cfd_dataset_info, leaked_test, 64, 8);
FIELD(cfd_dataset_info, leaked_users, 72, 4);
FIELD(cfd_dataset_info, reserved, 76, 4);
LAST(cfd_dataset_info, reserved);

/* cfd_modality_info */
SIZE(cfd_modality_info, 48);
FIELD(cfd_modality_info, struct_size, 0, 8);
FIELD(cfd_modality_info, name, 8, 8);
FIELD(cfd_modality_info, columns, 16, 4);
FIELD(cfd_modality_info, is_sparse, 20, 4);
FIELD(cfd_modality_info, nonzeros, 24, 8);
FIELD(cfd_modality_info, empty_items, 32, 4);
FIELD(cfd_modality_info, reserved, 36, 4);
FIELD(cfd_modality_info, element, 40, 4);
FIELD(cfd_modality_info, reserved2, 44, 4);
LAST(cfd_modality_info, reserved2);

/* cfd_model_info */
SIZE(cfd_model_info, 104);
FIELD(cfd_model_info, struct_size, 0, 8);
FIELD(cfd_model_info, n_users, 8, 4);
FIELD(cfd_model_info, n_items, 12, 4);
FIELD(cfd_model_info, n_modalities, 16, 4);
FIELD(cfd_model_info, embedding_dim, 20, 4);
FIELD(cfd_model_info, score_width, 24, 4);
FIELD(cfd_model_info, batch_size, 28, 4);
FIELD(cfd_model_info, n_train, 32, 8);
FIELD(cfd_model_info, n_parameters, 40, 8);
FIELD(cfd_model_info, steps_per_epoch, 48, 8);
FIELD(cfd_model_info, steps_done, 56, 8);
FIELD(cfd_model_info, n_tensors, 64, 8);
FIELD(cfd_model_info, precision, 72, 8);
FIELD(cfd_model_info, parameter_bytes, 80, 8);
FIELD(cfd_model_info, constant_bytes, 88, 8);
FIELD(cfd_model_info, workspace_bytes, 96, 8);
LAST(cfd_model_info, workspace_bytes);

/* cfd_tensor_info */
SIZE(cfd_tensor_info, 32);
FIELD(cfd_tensor_info, struct_size, 0, 8);
FIELD(cfd_tensor_info, name, 8, 8);
FIELD(cfd_tensor_info, rows, 16, 8);
FIELD(cfd_tensor_info, columns, 24, 8);
LAST(cfd_tensor_info, columns);

/* cfd_batch */
SIZE(cfd_batch, 40);
FIELD(cfd_batch, struct_size, 0, 8);
FIELD(cfd_batch, users, 8, 8);
FIELD(cfd_batch, positives, 16, 8);
FIELD(cfd_batch, negatives, 24, 8);
FIELD(cfd_batch, size, 32, 8);
LAST(cfd_batch, size);

/* cfd_losses */
SIZE(cfd_losses, 208);
FIELD(cfd_losses, struct_size, 0, 8);
FIELD(cfd_losses, total, 8, 8);
FIELD(cfd_losses, ranking, 16, 8);
FIELD(cfd_losses, penalty, 24, 8);
FIELD(cfd_losses, common, 32, 8);
FIELD(cfd_losses, differential, 40, 8);
FIELD(cfd_losses, ranking_base, 48, 8);
FIELD(cfd_losses, ranking_fused, 56, 8);
FIELD(cfd_losses, ranking_modality, 64, 64);
FIELD(cfd_losses, penalty_base, 128, 8);
FIELD(cfd_losses, penalty_fused, 136, 8);
FIELD(cfd_losses, penalty_modality, 144, 64);
LAST(cfd_losses, penalty_modality);

/* cfd_metrics */
SIZE(cfd_metrics, 56);
FIELD(cfd_metrics, k, 0, 4);
FIELD(cfd_metrics, reserved, 4, 4);
FIELD(cfd_metrics, hr, 8, 8);
FIELD(cfd_metrics, ndcg, 16, 8);
FIELD(cfd_metrics, recall, 24, 8);
FIELD(cfd_metrics, precision, 32, 8);
FIELD(cfd_metrics, map, 40, 8);
FIELD(cfd_metrics, mrr, 48, 8);
LAST(cfd_metrics, mrr);

/* cfd_progress */
SIZE(cfd_progress, 88);
FIELD(cfd_progress, struct_size, 0, 8);
FIELD(cfd_progress, epoch, 8, 4);
FIELD(cfd_progress, n_epochs, 12, 4);
FIELD(cfd_progress, step, 16, 8);
FIELD(cfd_progress, n_steps, 24, 8);
FIELD(cfd_progress, seconds, 32, 8);
FIELD(cfd_progress, epoch_ended, 40, 4);
FIELD(cfd_progress, improved, 44, 4);
FIELD(cfd_progress, epoch_seconds, 48, 8);
FIELD(cfd_progress, evaluation_seconds, 56, 8);
FIELD(cfd_progress, losses, 64, 8);
FIELD(cfd_progress, metrics, 72, 8);
FIELD(cfd_progress, n_metrics, 80, 8);
LAST(cfd_progress, n_metrics);

/* cfd_train_options */
SIZE(cfd_train_options, 40);
FIELD(cfd_train_options, struct_size, 0, 8);
FIELD(cfd_train_options, progress, 8, 8);
FIELD(cfd_train_options, progress_user, 16, 8);
FIELD(cfd_train_options, ks, 24, 8);
FIELD(cfd_train_options, n_ks, 32, 8);
LAST(cfd_train_options, n_ks);

/* cfd_train_summary */
SIZE(cfd_train_summary, 48);
FIELD(cfd_train_summary, struct_size, 0, 8);
FIELD(cfd_train_summary, epochs_done, 8, 4);
FIELD(cfd_train_summary, best_epoch, 12, 4);
FIELD(cfd_train_summary, selected, 16, 4);
FIELD(cfd_train_summary, stopped_early, 20, 4);
FIELD(cfd_train_summary, stopped_by_caller, 24, 4);
FIELD(cfd_train_summary, reserved, 28, 4);
FIELD(cfd_train_summary, best_score, 32, 8);
FIELD(cfd_train_summary, seconds, 40, 8);
LAST(cfd_train_summary, seconds);

/* cfd_evaluate_options */
SIZE(cfd_evaluate_options, 48);
FIELD(cfd_evaluate_options, struct_size, 0, 8);
FIELD(cfd_evaluate_options, split, 8, 4);
FIELD(cfd_evaluate_options, protocol, 12, 4);
FIELD(cfd_evaluate_options, ks, 16, 8);
FIELD(cfd_evaluate_options, n_ks, 24, 8);
FIELD(cfd_evaluate_options, negatives, 32, 4);
FIELD(cfd_evaluate_options, reserved, 36, 4);
FIELD(cfd_evaluate_options, seed, 40, 8);
LAST(cfd_evaluate_options, seed);

/* cfd_scorer_info */
SIZE(cfd_scorer_info, 32);
FIELD(cfd_scorer_info, struct_size, 0, 8);
FIELD(cfd_scorer_info, n_users, 8, 4);
FIELD(cfd_scorer_info, n_items, 12, 4);
FIELD(cfd_scorer_info, width, 16, 4);
FIELD(cfd_scorer_info, n_modalities, 20, 4);
FIELD(cfd_scorer_info, steps_done, 24, 8);
LAST(cfd_scorer_info, steps_done);

/* cfd_filter */
SIZE(cfd_filter, 72);
FIELD(cfd_filter, struct_size, 0, 8);
FIELD(cfd_filter, exclude_offsets, 8, 8);
FIELD(cfd_filter, exclude_items, 16, 8);
FIELD(cfd_filter, allow_items, 24, 8);
FIELD(cfd_filter, n_allow_items, 32, 8);
FIELD(cfd_filter, deny_items, 40, 8);
FIELD(cfd_filter, n_deny_items, 48, 8);
FIELD(cfd_filter, exclude_seen, 56, 4);
FIELD(cfd_filter, has_min_score, 60, 4);
FIELD(cfd_filter, min_score, 64, 4);
FIELD(cfd_filter, reserved, 68, 4);
LAST(cfd_filter, reserved);

/* cfd_item_features */
SIZE(cfd_item_features, 64);
FIELD(cfd_item_features, struct_size, 0, 8);
FIELD(cfd_item_features, role, 8, 8);
FIELD(cfd_item_features, dense, 16, 8);
FIELD(cfd_item_features, stride, 24, 8);
FIELD(cfd_item_features, row_offsets, 32, 8);
FIELD(cfd_item_features, column_ids, 40, 8);
FIELD(cfd_item_features, values, 48, 8);
FIELD(cfd_item_features, columns, 56, 4);
FIELD(cfd_item_features, element, 60, 4);
LAST(cfd_item_features, element);

/* cfd_new_items */
SIZE(cfd_new_items, 48);
FIELD(cfd_new_items, struct_size, 0, 8);
FIELD(cfd_new_items, n_items, 8, 8);
FIELD(cfd_new_items, features, 16, 8);
FIELD(cfd_new_items, n_features, 24, 8);
FIELD(cfd_new_items, user_offsets, 32, 8);
FIELD(cfd_new_items, users, 40, 8);
LAST(cfd_new_items, users);

/* cfd_explanation */
SIZE(cfd_explanation, 160);
FIELD(cfd_explanation, struct_size, 0, 8);
FIELD(cfd_explanation, score, 8, 8);
FIELD(cfd_explanation, base, 16, 8);
FIELD(cfd_explanation, fused, 24, 8);
FIELD(cfd_explanation, common, 32, 64);
FIELD(cfd_explanation, differential, 96, 64);
LAST(cfd_explanation, differential);

/* cfd_status */
SIZE(cfd_status, 4);
VALUE(CFD_OK, 0);
VALUE(CFD_ERROR_ARGUMENT, 1);
VALUE(CFD_ERROR_CONFIG, 2);
VALUE(CFD_ERROR_MEMORY, 3);
VALUE(CFD_ERROR_FILE, 4);
VALUE(CFD_ERROR_FORMAT, 5);
VALUE(CFD_ERROR_DATA, 6);
VALUE(CFD_ERROR_DEVICE, 7);
VALUE(CFD_ERROR_NUMERIC, 8);
VALUE(CFD_ERROR_SYSTEM, 9);

/* cfd_log_level */
SIZE(cfd_log_level, 4);
VALUE(CFD_LOG_INFO, 0);
VALUE(CFD_LOG_WARNING, 1);

/* cfd_probe_kind */
SIZE(cfd_probe_kind, 4);
VALUE(CFD_PROBE_COPY, 0);
VALUE(CFD_PROBE_PROJECT, 1);
VALUE(CFD_PROBE_GRADIENT, 2);
VALUE(CFD_PROBE_SCORES, 3);

/* cfd_split */
SIZE(cfd_split, 4);
VALUE(CFD_SPLIT_TRAIN, 0);
VALUE(CFD_SPLIT_VALIDATION, 1);
VALUE(CFD_SPLIT_TEST, 2);

/* cfd_element */
SIZE(cfd_element, 4);
VALUE(CFD_FLOAT32, 0);
VALUE(CFD_FLOAT64, 1);
VALUE(CFD_FLOAT16, 2);
VALUE(CFD_BFLOAT16, 3);

/* cfd_protocol */
SIZE(cfd_protocol, 4);
VALUE(CFD_PROTOCOL_FULL, 0);
VALUE(CFD_PROTOCOL_SAMPLED, 1);

/* cfd_export_format */
SIZE(cfd_export_format, 4);
VALUE(CFD_EXPORT_SAFETENSORS, 0);
VALUE(CFD_EXPORT_NPY, 1);

/* cfd_part */
SIZE(cfd_part, 4);
VALUE(CFD_PART_BASE, 0);
VALUE(CFD_PART_COMMON, 1);
VALUE(CFD_PART_DIFFERENTIAL, 2);
VALUE(CFD_PART_FUSED, 3);

#endif
