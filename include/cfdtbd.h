/* SPDX-License-Identifier: Apache-2.0 */
/** @file cfdtbd.h
 * libcfdtbd: training and serving of CFDTBD, cross-modal feature disentangling via bidirectional
 * distillation, a recommender for items with several modalities of content.
 *
 * The way of the data, and of this header:
 *
 *     context  ->  config + dataset  ->  model  ->  train, evaluate  ->  scorer  ->  scores, lists
 *
 * What holds for every function:
 *
 * - Fallible functions return a cfd_status. On failure no output argument is touched, every handle stays
 *   valid, and cfd_last_error() names the culprit (file, line, field, value) to the calling thread.
 * - Functions that create a handle give it to the caller, who destroys it. Destroying NULL does nothing.
 *   A handle keeps what it needs of its parents alive, so the order of destruction is free.
 * - A public struct begins with struct_size, is set up by its _INIT macro and only ever grows at its end.
 *   NULL in its place, or missing tail fields, mean the defaults. An unknown tail that is not zero is refused.
 * - Ids are int32_t, counted from 0. Matrices are row-major float32 unless said otherwise.
 * - The library has no mutable global state but the thread's last message. It prints nothing, installs no
 *   signal handler, changes neither locale nor floating-point mode, and never ends the process.
 * - Unless said otherwise a handle is used by one thread at a time; different handles may be used at once.
 *
 * "SPEC" in a comment is docs/model.md, which fixes the mathematics section by section. */
#ifndef CFDTBD_H
#define CFDTBD_H

#include <stddef.h>
#include <stdint.h>

#if defined(CFD_BUILD_SHARED) && defined(__GNUC__)
#define CFD_API __attribute__((visibility("default")))
#else
/** Before every function that the library exports. */
#define CFD_API
#endif

/** The version of this header (docs/abi-policy.md says what each number promises); cfd_version() is that of the library. */
#define CFD_VERSION_MAJOR 1
#define CFD_VERSION_MINOR 0
#define CFD_VERSION_PATCH 0
/** The three as text. */
#define CFD_VERSION_STRING "1.0.0"
/** The three as one number, for comparisons in the preprocessor: 1.2.3 is 10203. */
#define CFD_VERSION_NUMBER (CFD_VERSION_MAJOR * 10000 + CFD_VERSION_MINOR * 100 + CFD_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

/* ================================================================================================
 * Status
 * ============================================================================================== */

/** What became of a call. The numbers are part of the ABI: they never change. */
typedef enum cfd_status {
    CFD_OK = 0,
    CFD_ERROR_ARGUMENT = 1,  /**< The caller's mistake: NULL, an id out of range, a size that does not fit. */
    CFD_ERROR_CONFIG = 2,    /**< A key that does not exist, or a value that is not of its type or range. */
    CFD_ERROR_MEMORY = 3,    /**< The allocator returned NULL, or a size overflows. */
    CFD_ERROR_FILE = 4,      /**< A file or directory cannot be opened, read or written. */
    CFD_ERROR_FORMAT = 5,    /**< A file was read and is not what it should be: named with line and reason. */
    CFD_ERROR_DATA = 6,      /**< Each part is well-formed, but they do not fit together or cannot be used. */
    CFD_ERROR_DEVICE = 7,    /**< The device asked for does not exist, or failed. */
    CFD_ERROR_NUMERIC = 8,   /**< A computation left the finite numbers. */
    CFD_ERROR_SYSTEM = 9     /**< The operating system refused something else (a thread, say). */
} cfd_status;

/** The message of the calling thread's last failed call: one line, never NULL, "" before any failure.
 * Valid until the thread's next failing call. Thread-safe. Since 1.0. */
CFD_API const char *cfd_last_error(void);

/** The name of a status, "CFD_ERROR_FILE" for instance; "unknown status" for any other number.
 * A static string. Thread-safe. Since 1.0. */
CFD_API const char *cfd_status_name(cfd_status status);

/** The version of the library that runs, "1.0.0"; CFD_VERSION_STRING is that of the header that was compiled
 * against. A static string. Thread-safe. Since 1.0. */
CFD_API const char *cfd_version(void);

/* ================================================================================================
 * Context: device, threads, seed, log, memory
 * ============================================================================================== */

/** A device, its threads and its memory. Contexts share no mutable state. Any number of handles may be made
 * from one context, and used from different threads at the same time. */
typedef struct cfd_context cfd_context;

/** How much a log message matters. */
typedef enum cfd_log_level {
    CFD_LOG_INFO = 0,    /**< What was found, chosen, counted. */
    CFD_LOG_WARNING = 1  /**< Legal, but probably not meant: leakage, a setting without effect. */
} cfd_log_level;

/** Receives one message, without newline. Called on a thread that is inside a call of this library; must not
 * call back into it. @param user  The pointer given in the options. @param level  How much it matters.
 * @param message  The text, valid during the call. */
typedef void (*cfd_log_function)(void *user, cfd_log_level level, const char *message);

/** Returns at least `bytes` bytes aligned for any object, or NULL. Called from any thread. */
typedef void *(*cfd_allocate_function)(void *user, size_t bytes);
/** Gives back what the allocate function returned; never called with NULL. Called from any thread. */
typedef void (*cfd_release_function)(void *user, void *memory);

/** Options of cfd_context_create. */
typedef struct cfd_context_options {
    size_t struct_size;             /**< sizeof(cfd_context_options). */
    const char *device;             /**< "cpu"; "cuda" or "cuda:1", the first or second GPU; "auto" (also NULL), the first
                                         GPU, or the cpu where there is none, which is logged; "reference" computes
                                         every operation in plain double-accumulating C, slowly, for checks. */
    int32_t threads;                /**< Threads that may compute at once, the caller's included; 0 = as many as
                                         processors are available to the process. Results do not depend on it. */
    int32_t reserved;               /**< 0. */
    uint64_t seed;                  /**< Every random number of this context's handles derives from it. */
    cfd_log_function log;           /**< NULL: silent. */
    void *log_user;                 /**< Handed to log. */
    cfd_allocate_function allocate; /**< NULL: malloc and free (then release must be NULL too). */
    cfd_release_function release;   /**< Gives back what allocate returned. */
    void *allocator_user;           /**< Handed to allocate and release. */
    const char *instructions;       /**< Of the cpu's own loops: NULL or "auto", the best that the processor has;
                                         "baseline", "avx2", "avx512": these, or CFD_ERROR_DEVICE. For tests and
                                         comparisons; the library for dense products chooses for itself. */
    const char *scoring;            /**< How top-K sorts out items before it scores the rest in float32: NULL or
                                         "auto", in int8 where the processor multiplies that faster (AVX512_VNNI);
                                         "int8", slow elsewhere, CFD_ERROR_DEVICE on "reference"; "float32": not at
                                         all. Lists, their order and scores do not depend on it. */
    int32_t profile;                /**< 1: the time of every operation is taken: cfd_context_get_profile. Else 0. */
    int32_t reserved2;              /**< 0. */
    void *cuda_stream;              /**< On a CUDA device: the cudaStream_t, of that device, in which steps are put; work of
                                         the caller's in it is ordered before and after them. It outlives the context's
                                         handles. NULL: each model has a stream of its own. */
    const char *plugin_folder;      /**< Where libcfdtbd_cuda.so lies, the CUDA backend. NULL: in cfdtbd/ beside this
                                         library (or beside the program that it was linked into). */
} cfd_context_options;

#define CFD_CONTEXT_OPTIONS_INIT \
    {sizeof(cfd_context_options), NULL, 0, 0, 2024, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, NULL, NULL}

/** Creates a context.
 *
 * @param options  NULL means CFD_CONTEXT_OPTIONS_INIT. Not kept.
 * @param context  Out: the new context, the caller's.
 *
 * Starts no thread: the workers start at the first computation that is large enough to share out. After fork() a
 * child computes on its calling thread. Errors: CFD_ERROR_ARGUMENT, CFD_ERROR_DEVICE, CFD_ERROR_MEMORY.
 * Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_context_create(const cfd_context_options *options, cfd_context **context);

/** Drops the caller's hold on a context; it ends, with its threads, when the last handle made from it does. */
CFD_API void cfd_context_destroy(cfd_context *context);

/** What a context runs on. All strings live as long as the context. */
typedef struct cfd_context_info {
    size_t struct_size;
    const char *device;          /**< "cpu", "reference" or "cuda:0". */
    const char *instruction_set; /**< Of the library's own loops: "avx512", "avx2", "baseline", "reference"; "sm_90". */
    const char *gemm;            /**< The library behind dense products and its version, or "own loops". */
    int32_t threads;             /**< Threads that may compute at once. */
    int32_t reserved;
    uint64_t seed;               /**< As given. */
    const char *bfloat16;        /**< How bfloat16 is multiplied: "none", "native" (AVX512_BF16), "matrix" (AMX). */
    const char *scoring;         /**< How top-K sorts out: "float32" (not at all), "int8". */
} cfd_context_info;

#define CFD_CONTEXT_INFO_INIT {sizeof(cfd_context_info), NULL, NULL, NULL, 0, 0, 0, NULL, NULL}

/** Fills *info, whose struct_size the caller has set. Thread-safe. Errors: CFD_ERROR_ARGUMENT. Since 1.0. */
CFD_API cfd_status cfd_context_get_info(const cfd_context *context, cfd_context_info *info);

/** What the operations of one kind have taken since the context was made or its profile was last reset, where the options
 * asked for a profile. All handles of the context add to it. The strings live as long as the context. */
typedef struct cfd_profile_entry {
    size_t struct_size;
    const char *operation; /**< "sparse product", "project", "adam": what is computed. */
    const char *detail;    /**< The shape, as far as it tells the kinds apart: "64 columns, listed rows", "4096 x 128", "". */
    int64_t calls;         /**< That succeeded. */
    double seconds;        /**< Of real time; where several threads score at once, the sum of theirs. */
    double operations;     /**< Floating-point operations of the mathematics, however they are carried out. */
    double bytes;          /**< Least traffic of memory: every operand read once, every result written once. */
} cfd_profile_entry;

#define CFD_PROFILE_ENTRY_INIT {sizeof(cfd_profile_entry), NULL, NULL, 0, 0, 0, 0}

/** How many kinds of operations the context's profile knows; 0 without a profile, or for NULL. Kinds are numbered in the order
 * in which they first occurred and keep their numbers. There are 256 at most: the last, "other", takes all further ones.
 * Thread-safe. Since 1.0. */
CFD_API size_t cfd_context_profile_count(const cfd_context *context);
/** Fills *entry, whose struct_size the caller has set, for kind `index`. A profile costs some microseconds for each
 * operation, outside its time, and changes no result.
 * Errors: CFD_ERROR_ARGUMENT (there is no such kind). Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_context_get_profile(const cfd_context *context, size_t index, cfd_profile_entry *entry);
/** Sets all counts to zero; the kinds stay. Does nothing without a profile, or for NULL. Thread-safe. Since 1.0. */
CFD_API void cfd_context_reset_profile(cfd_context *context);

/** What a probe times: one bare operation, with nothing of a model around it. */
typedef enum cfd_probe_kind {
    CFD_PROBE_COPY = 0,     /**< `rows` bytes copied from memory to memory; inner, columns and precision do not matter. */
    CFD_PROBE_PROJECT = 1,  /**< Y = F W: rows x inner times inner x columns. */
    CFD_PROBE_GRADIENT = 2, /**< W' = F^T G: F is rows x inner, G rows x columns. */
    CFD_PROBE_SCORES = 3    /**< Q K^T: rows x inner times the transpose of columns x inner. */
} cfd_probe_kind;

/** An operation to be timed. */
typedef struct cfd_probe {
    size_t struct_size;
    int32_t kind;          /**< A cfd_probe_kind. */
    int32_t reserved;      /**< 0. */
    const char *precision; /**< Of a product: "float32" (also NULL); "bf16", one product of bfloat16 operands; "bf16x3",
                                the two that split operands take: the left one's high part with both parts of the right
                                one, its low part with the high part; "tf32", of operands rounded to 11 bits, on GPUs.
                                Sums are float32. */
    int64_t rows, inner, columns; /**< Each from 1 to 2^31 - 1; the bytes of a copy may be more. */
} cfd_probe;

#define CFD_PROBE_INIT {sizeof(cfd_probe), CFD_PROBE_COPY, 0, NULL, 0, 0, 0}

/** Most repetitions of one probe. */
#define CFD_MAX_PROBE_REPETITIONS 1000

/** Times an operation as the device does it when it is left to itself: a product is one call (bf16x3: two, on a GPU three) of
 * the library for dense products, over all threads of the context; a copy is shared out among them. What steps and scores are
 * measured against, and the ceilings that a profile stands under.
 *
 * @param probe    The operation and its shape.
 * @param seconds  Out: real time of each of n repetitions, after one that is not counted. Products are timed in every order
 *                 in which the operands can be handed over (as it stands or transposed, the smaller operand stored either
 *                 way round), in turn: these are of the order whose median is the least. Untouched on failure.
 * @param n        1 to CFD_MAX_PROBE_REPETITIONS.
 *
 * The operands are the probe's own, small random numbers, and freed before it returns. The device "reference" computes in
 * plain loops, whatever the precision. Not part of a profile. Thread-safe, though two at once disturb each other.
 * Errors: CFD_ERROR_ARGUMENT, CFD_ERROR_MEMORY, CFD_ERROR_DEVICE (the device does not multiply so). Since 1.0. */
CFD_API cfd_status cfd_context_probe(cfd_context *context, const cfd_probe *probe, double *seconds, size_t n);

/* ================================================================================================
 * Config: every setting of model, training and evaluation, by key
 * ============================================================================================== */

/** A complete set of settings. Keys are plain words ("layers", "lambda.visual"); `cfdtbd config` prints them all.
 * In a key that ends in ROLE, ROLE is the name under which the model knows a modality. */
typedef struct cfd_config cfd_config;

/** Creates a config with every key at its default. Errors: CFD_ERROR_MEMORY. Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_config_create(cfd_config **config);
/** A copy of its own. Errors: CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_config_copy(const cfd_config *config, cfd_config **copy);
/** Ends a config. Models made with it have copies. Since 1.0. */
CFD_API void cfd_config_destroy(cfd_config *config);

/** Sets the published numbers of a data set (SPEC 7): "taobao", "art" or "beauty". Keys that the preset does not
 * name keep their values. Errors: CFD_ERROR_CONFIG (the message lists the presets). Since 1.0. */
CFD_API cfd_status cfd_config_load_preset(cfd_config *config, const char *name);

/** Switches parts of the model off, for comparison: "base only", "no common", "no differential",
 * "no distillation", "no whitening", "no fusion" or "one modality" (keeps the first).
 * Errors: CFD_ERROR_CONFIG (the message lists the names). Since 1.0. */
CFD_API cfd_status cfd_config_load_ablation(cfd_config *config, const char *name);

/** Sets one key from text. Numbers are read with '.', whatever the locale.
 * Errors: CFD_ERROR_CONFIG: no such key (the nearest is named), not of its type, out of its range. Since 1.0. */
CFD_API cfd_status cfd_config_set(cfd_config *config, const char *key, const char *value);

/** Writes the value of a key as text, such that cfd_config_set reads the same value back.
 *
 * @param key       As cfd_config_set takes it.
 * @param capacity  Bytes that value has room for.
 * @param value     Out: NUL-terminated text, at most capacity bytes with the NUL; may be NULL if capacity is 0.
 * @param length    Out: the text's length without NUL, so that a caller can ask first. May be NULL.
 * Errors: CFD_ERROR_CONFIG (no such key), CFD_ERROR_ARGUMENT (capacity too small and not 0). Since 1.0. */
CFD_API cfd_status cfd_config_get(const cfd_config *config, const char *key, char *value, size_t capacity,
                                  size_t *length);

/** One row of the table of keys. All strings are static. */
typedef struct cfd_config_key {
    size_t struct_size;
    const char *name;          /**< "layers", "lambda.ROLE". */
    const char *type;          /**< "integer", "number", "yes/no", "choice", "text". */
    const char *range;         /**< "1 to 64", "align or released". */
    const char *default_value; /**< As text. */
    const char *help;          /**< One line. */
} cfd_config_key;

#define CFD_CONFIG_KEY_INIT {sizeof(cfd_config_key), NULL, NULL, NULL, NULL, NULL}

/** How many rows the table of keys has. Thread-safe. Since 1.0. */
CFD_API size_t cfd_config_key_count(void);
/** Row `index` of the table of keys. Errors: CFD_ERROR_ARGUMENT. Thread-safe. Since 1.0. */
CFD_API cfd_status cfd_config_get_key(size_t index, cfd_config_key *key);

/** How many roles the config has values of its own for, and the name of each (valid until the config changes;
 * NULL beyond the last). Since 1.0. */
CFD_API size_t cfd_config_role_count(const cfd_config *config);
CFD_API const char *cfd_config_role(const cfd_config *config, size_t index);

/* ================================================================================================
 * Dataset: interactions, modalities, names
 * ============================================================================================== */

/** Users, items, their interactions in three splits, and the items' content. Reading it is safe from any number
 * of threads; adding to it is not. */
typedef struct cfd_dataset cfd_dataset;

/** The parts of a data set's interactions: trained on, selected on, tested on. */
typedef enum cfd_split {
    CFD_SPLIT_TRAIN = 0,
    CFD_SPLIT_VALIDATION = 1,
    CFD_SPLIT_TEST = 2
} cfd_split;

/** How the numbers of a feature matrix in the caller's memory are stored. */
typedef enum cfd_element {
    CFD_FLOAT32 = 0,
    CFD_FLOAT64 = 1,
    CFD_FLOAT16 = 2, /**< IEEE 754 binary16. */
    CFD_BFLOAT16 = 3 /**< The upper half of a float32. */
} cfd_element;

/** Most modalities that one model takes. */
#define CFD_MAX_MODALITIES 8

/** Opens a data set directory (docs/file-formats.md): train.txt and optionally validation.txt, test.txt,
 * NAME.npy or NAME.tags.txt per modality, users.names.txt, items.names.txt. Modalities are ordered by name.
 * A float32 or float16 .npy in row order is mapped, not read: leave the file alone while the data set lives.
 *
 * Repeated interactions count once. Errors: CFD_ERROR_FILE, CFD_ERROR_FORMAT (file, line, reason),
 * CFD_ERROR_DATA, CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_dataset_open(cfd_context *context, const char *directory, cfd_dataset **dataset);

/** Creates an empty data set in memory. n_users and n_items from 1 to 2^31 - 2. Errors: CFD_ERROR_ARGUMENT,
 * CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_dataset_create(cfd_context *context, int32_t n_users, int32_t n_items, cfd_dataset **dataset);
/** Drops the caller's hold on a data set; models made of it keep it alive. Thread-safe. Since 1.0. */
CFD_API void cfd_dataset_destroy(cfd_dataset *dataset);

/** Adds n interactions (users[k], items[k]) to a split. Repeated pairs count once. Refused once a model was made.
 * Takes time in proportion to n and to what the split holds already: hand over many at a time.
 * Errors: CFD_ERROR_ARGUMENT (the message names position and id), CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_dataset_add_interactions(cfd_dataset *dataset, cfd_split split, const int32_t *users,
                                                const int32_t *items, size_t n);

/** Adds a modality of dense features, one row per item, copied. Float16 and bfloat16 stay what they are, two bytes a
 * number; float64 becomes float32.
 *
 * @param name     1 to 63 letters, digits, '_' or '-'; new to this data set.
 * @param features Its numbers, n_items rows of columns, stride apart. @param element  Their type.
 * @param columns  Width d_m, at least 1.
 * @param stride   Elements from one row to the next, at least columns.
 * Errors: CFD_ERROR_ARGUMENT; CFD_ERROR_DATA (NaN or infinity, named by row and column); CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_dataset_add_dense_modality(cfd_dataset *dataset, const char *name, const void *features,
                                                  cfd_element element, int32_t columns, size_t stride);

/** Adds a modality of sparse features in CSR form, one row per item, copied, never densified.
 *
 * @param name         As of a dense modality. @param columns  Width d_m, at least 1.
 * @param row_offsets  n_items + 1 ascending offsets, the first 0.
 * @param column_ids   Of each nonzero, in [0, columns). A column that repeats within a row is summed.
 * @param values       Of each nonzero; NULL means tags: 1 each, then weighted by TF-IDF and L2-normalised
 *                     (docs/file-formats.md), as NAME.tags.txt is.
 * Errors: as for dense modalities. Since 1.0. */
CFD_API cfd_status cfd_dataset_add_sparse_modality(cfd_dataset *dataset, const char *name, int32_t columns,
                                                   const int64_t *row_offsets, const int32_t *column_ids,
                                                   const float *values);

/** Gives every user, or every item, a name: what users.names.txt and items.names.txt are to a directory. Replaces earlier names.
 *
 * @param names  One for each id, in order, copied; NULL or "" where an id has none. Any bytes but NUL.
 * Refused once a model was made. Errors: CFD_ERROR_ARGUMENT, CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_dataset_set_user_names(cfd_dataset *dataset, const char *const *names);
CFD_API cfd_status cfd_dataset_set_item_names(cfd_dataset *dataset, const char *const *names);

/** What a data set holds. */
typedef struct cfd_dataset_info {
    size_t struct_size;
    int32_t n_users, n_items; /**< How many ids there are of each. */
    int32_t n_modalities;    /**< cfd_dataset_get_modality has each. */
    int32_t has_user_names, has_item_names; /**< 1 where there are names, else 0. */
    int32_t cold_test_items; /**< Test items without any training interaction. */
    int64_t n_train, n_validation, n_test; /**< Distinct interactions. */
    int64_t duplicates;      /**< Repeated interactions that were dropped, all splits. */
    int64_t leaked_test;     /**< Test interactions that stand in train too. */
    int32_t leaked_users;    /**< Users with at least one of those. */
    int32_t reserved;
} cfd_dataset_info;

#define CFD_DATASET_INFO_INIT {sizeof(cfd_dataset_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/** Fills *info, whose struct_size the caller has set. Errors: CFD_ERROR_ARGUMENT. Since 1.0. */
CFD_API cfd_status cfd_dataset_get_info(const cfd_dataset *dataset, cfd_dataset_info *info);

/** One modality of a data set. */
typedef struct cfd_modality_info {
    size_t struct_size;
    const char *name;       /**< Lives as long as the data set. */
    int32_t columns;        /**< Width d_m. */
    int32_t is_sparse;      /**< 1: in CSR form; 0: dense. */
    int64_t nonzeros;       /**< Stored numbers: rows x columns where dense. */
    int32_t empty_items;    /**< Items whose row is zero: they lack this modality. */
    int32_t reserved;
    int32_t element;        /**< A cfd_element: how its numbers are kept. Sparse ones are CFD_FLOAT32. */
    int32_t reserved2;      /**< 0. */
} cfd_modality_info;

#define CFD_MODALITY_INFO_INIT {sizeof(cfd_modality_info), NULL, 0, 0, 0, 0, 0, 0, 0}

/** Modality `index` of a data set. Errors: CFD_ERROR_ARGUMENT. Since 1.0. */
CFD_API cfd_status cfd_dataset_get_modality(const cfd_dataset *dataset, size_t index, cfd_modality_info *info);

/** The items of a user in a split, ascending, without repeats.
 * @param split  The split. @param user  The user's id.
 * @param items  Out: borrowed, lives until the data set changes. @param n  Out: how many.
 * Errors: CFD_ERROR_ARGUMENT. Since 1.0. */
CFD_API cfd_status cfd_dataset_user_items(const cfd_dataset *dataset, cfd_split split, int32_t user,
                                          const int32_t **items, size_t *n);

/** The name of a user or item, from the data set's names file or as it was set; NULL where it has none. Borrowed. Since 1.0. */
CFD_API const char *cfd_dataset_user_name(const cfd_dataset *dataset, int32_t user);
CFD_API const char *cfd_dataset_item_name(const cfd_dataset *dataset, int32_t item);
/** The id of the user or item of that name, the first if several bear it; -1 if none does. Since 1.0. */
CFD_API int32_t cfd_dataset_find_user(const cfd_dataset *dataset, const char *name);
CFD_API int32_t cfd_dataset_find_item(const cfd_dataset *dataset, const char *name);

/* ================================================================================================
 * Model
 * ============================================================================================== */

/** Parameters, optimizer state and graph of a model that is being trained. One thread at a time. */
typedef struct cfd_model cfd_model;

/** Creates a model with freshly drawn parameters (SPEC 3) from the context's seed.
 *
 * @param config   NULL means all defaults. Copied.
 * @param dataset  Kept alive, and unchangeable from now on.
 *
 * The config's "modalities" says which modalities take part and under which roles; "transform.ROLE" is applied to
 * their features here. Errors: CFD_ERROR_CONFIG (a key names a role that the model does not have, settings
 * that exclude each other), CFD_ERROR_DATA (no training interactions, ...), CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_model_create(cfd_context *context, const cfd_config *config, cfd_dataset *dataset,
                                    cfd_model **model);
/** A model that goes on where another is, with more users, items and interactions: what was learnt is kept (parameters, Adam's
 * moments, the place in the sequence of batches), what is new begins as it would in a new model. The other stays as it is.
 *
 * @param model     The other.
 * @param dataset   Its first users and items are those of the model's own data set, with the same ids; so are its modalities by name,
 *                  and the columns of their features, to which more may be added where "transform.ROLE" is none. Transforms stay as
 *                  they were fitted; the weights of tags are those of this data set. Kept alive, and unchangeable from now on.
 * @param extended  Out: the new model, in the same context, the caller's.
 * Errors: CFD_ERROR_DATA (it has fewer users, items, columns, or other modalities), CFD_ERROR_MEMORY, CFD_ERROR_DEVICE.
 * Since 1.0. */
CFD_API cfd_status cfd_model_extend(cfd_model *model, cfd_dataset *dataset, cfd_model **extended);
/** Drops the caller's hold on a model; it ends with the last view of it (cfd_model_dlpack). Scorers made of it live on.
 * Since 1.0. */
CFD_API void cfd_model_destroy(cfd_model *model);

/** What a model is made of. */
typedef struct cfd_model_info {
    size_t struct_size;
    int32_t n_users, n_items;  /**< Of its data set. */
    int32_t n_modalities;      /**< Roles in order: cfd_model_role. */
    int32_t embedding_dim;     /**< Width d. */
    int32_t score_width;       /**< Columns of the query and key rows (SPEC 4). */
    int32_t batch_size;        /**< Triples of a step. */
    int64_t n_train;           /**< Interactions trained on (with validation, if merged). */
    int64_t n_parameters;      /**< Numbers that are learnt. */
    int64_t steps_per_epoch;   /**< Of library-drawn batches. */
    int64_t steps_done;        /**< The next library-drawn batch follows from it. */
    size_t n_tensors;          /**< Parameter tensors: cfd_model_get_tensor_info. */
    const char *precision;     /**< Of products with dense features: "float32", "bf16x3", "bf16", "tf32"; what auto came
                                    to. */
    int64_t parameter_bytes;   /**< Device memory of parameters, Adam's moments, and gradients of projections. */
    int64_t constant_bytes;    /**< Of graphs, sampler, and features that are not used where the data set has them. */
    int64_t workspace_bytes;   /**< Of all else that a step needs: planned when the model is made, but for scratch
                                    memory of the device, which has its size after the first step. */
} cfd_model_info;

#define CFD_MODEL_INFO_INIT {sizeof(cfd_model_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0}

/** Fills *info, whose struct_size the caller has set. Errors: CFD_ERROR_ARGUMENT. Since 1.0. */
CFD_API cfd_status cfd_model_get_info(const cfd_model *model, cfd_model_info *info);
/** The role of modality `index` of the model; NULL beyond the last. Lives as long as the model. Since 1.0. */
CFD_API const char *cfd_model_role(const cfd_model *model, size_t index);

/** One parameter tensor, named as in SPEC 3: user.id, item.id, user.common.ROLE, user.differential.ROLE,
 * proj.common.ROLE, proj.differential.ROLE. */
typedef struct cfd_tensor_info {
    size_t struct_size;
    const char *name;          /**< Lives as long as the model. */
    int64_t rows, columns;     /**< Its shape. */
} cfd_tensor_info;

#define CFD_TENSOR_INFO_INIT {sizeof(cfd_tensor_info), NULL, 0, 0}

/** Fills *info for parameter tensor `index`. Errors: CFD_ERROR_ARGUMENT. Since 1.0. */
CFD_API cfd_status cfd_model_get_tensor_info(const cfd_model *model, size_t index, cfd_tensor_info *info);

/** Copies a parameter out of or into the model, row-major.
 * @param name  cfd_tensor_info.name. @param values  The caller's array.
 * @param n  Numbers in the caller's array: must be rows x columns of the tensor.
 * Errors: CFD_ERROR_ARGUMENT (no such name: the message lists them; wrong n), CFD_ERROR_DATA (a NaN or infinity
 * is not taken in). Writing leaves Adam's moments as they are. Since 1.0. */
CFD_API cfd_status cfd_model_get_parameter(const cfd_model *model, const char *name, float *values, size_t n);
CFD_API cfd_status cfd_model_set_parameter(cfd_model *model, const char *name, const float *values, size_t n);
/** Copies out the gradient that the last cfd_compute_gradients or cfd_train_step left. It is there until the model is used
 * for anything else than reading and writing parameters and gradients. Errors: as above, and CFD_ERROR_ARGUMENT where there
 * is none. Since 1.0. */
CFD_API cfd_status cfd_model_get_gradient(const cfd_model *model, const char *name, float *values, size_t n);

/** A tensor as DLPack hands it from program to program (https://dmlc.github.io/dlpack): include its dlpack.h for the fields.
 * NumPy, PyTorch, JAX and others take it over from Python in a PyCapsule of the name "dltensor". */
struct DLManagedTensor;

/** A view of a parameter where it lies, nothing copied: float32, rows x columns, the numbers of a row side by side, rows
 * strides[0] numbers apart, which may be more than the columns. In host memory (kDLCPU), or, of a model on a GPU, in that
 * GPU's (kDLCUDA and its number).
 *
 * @param name    A parameter's.
 * @param tensor  Out: the view, the caller's or whoever's it is given to, ended by its deleter, which any thread may call.
 *
 * The view keeps the model's memory alive, also after cfd_model_destroy. It shows every change: steps, cfd_train,
 * cfd_model_set_parameter. What is written through it counts from the next call on; numbers that are not finite are not
 * refused. A view is a use of the model: one thread at a time. On a GPU all that was asked of the model is done when this
 * returns; later, call cfd_model_synchronise before the view is read, and let what writes to it end before the model's
 * next call. Errors: CFD_ERROR_ARGUMENT (no such name: the message lists them), CFD_ERROR_MEMORY, CFD_ERROR_DEVICE,
 * CFD_ERROR_NUMERIC (as cfd_model_synchronise). Since 1.0. */
CFD_API cfd_status cfd_model_dlpack(cfd_model *model, const char *name, struct DLManagedTensor **tensor);

/** Copies out a propagated embedding at the present parameters, one row per node, users first (SPEC 4):
 * "base" (E, width d), "common.ROLE" and "differential.ROLE" (P, width d), "heads" (V_m of every modality side by side, in the
 * order of cfd_model_role: its common columns, then its differential ones), "projected" (X, what "heads" was before it was
 * propagated, in the same columns: those of a modality that an item lacks are zero), "fused" (S, all heads side by side).
 * @param name  One of these names. @param values  Out: the rows.
 * @param n  (n_users + n_items) x width. Errors: CFD_ERROR_ARGUMENT, CFD_ERROR_MEMORY, CFD_ERROR_NUMERIC (features or
 * parameters are too large to be whitened). Since 1.0. */
CFD_API cfd_status cfd_model_get_embedding(cfd_model *model, const char *name, float *values, size_t n);

/* ================================================================================================
 * Training
 * ============================================================================================== */

/** A batch of the caller's own: size triples of (user, positive item, negative item). */
typedef struct cfd_batch {
    size_t struct_size;
    const int32_t *users, *positives, *negatives; /**< size ids each; users may repeat. */
    size_t size;                                  /**< 1 to the config's batch_size. */
} cfd_batch;

#define CFD_BATCH_INIT {sizeof(cfd_batch), NULL, NULL, NULL, 0}

/** The terms of the loss (SPEC 5). A term whose weight (eta, rho, decay) is 0 is not computed and reads 0. total = ranking + penalty + eta.common * common
 * + eta.differential * differential; ranking and penalty are the sums of their branches below. */
typedef struct cfd_losses {
    size_t struct_size;
    double total, ranking, penalty, common, differential;                     /**< The five terms. */
    double ranking_base, ranking_fused, ranking_modality[CFD_MAX_MODALITIES]; /**< Weighted by mu. */
    double penalty_base, penalty_fused, penalty_modality[CFD_MAX_MODALITIES]; /**< Weighted by decay and rho. */
} cfd_losses;

#define CFD_LOSSES_INIT {sizeof(cfd_losses), 0, 0, 0, 0, 0, 0, 0, {0}, 0, 0, {0}}

/** One step: forward, backward, Adam (SPEC 4 to 6).
 *
 * @param batch   NULL: the library draws it (SPEC 6), the next of the seed's sequence.
 * @param losses  Out, at the parameters before the step. NULL if not wanted, which spares a wait on a GPU.
 *
 * Errors: CFD_ERROR_ARGUMENT (an id out of range: position and id are named), CFD_ERROR_MEMORY, CFD_ERROR_DEVICE;
 * CFD_ERROR_DATA (no batch can be drawn: every user has every item), CFD_ERROR_NUMERIC (features or parameters too large to
 * be whitened, or losses that were asked for and are not finite; then there was no update). Since 1.0. */
CFD_API cfd_status cfd_train_step(cfd_model *model, const cfd_batch *batch, cfd_losses *losses);

/** Losses without a wait: after a cfd_train_step whose losses were NULL, request them, go on with further steps, and receive
 * them later (cfd_model_receive_losses). A request replaces the one before. Errors: CFD_ERROR_MEMORY, CFD_ERROR_DEVICE.
 * Since 1.0. */
CFD_API cfd_status cfd_model_request_losses(cfd_model *model);
/** The losses that were requested.
 *
 * @param wait    Not 0: returns when they have come. 0: returns at once.
 * @param losses  Out: of the step before the request; untouched where they have not come.
 * @param ready   Out: 1 if they have come, else 0. Once they have, they can be received again.
 * Errors: CFD_ERROR_ARGUMENT (none were requested), CFD_ERROR_MEMORY, CFD_ERROR_DEVICE. Since 1.0. */
CFD_API cfd_status cfd_model_receive_losses(cfd_model *model, int wait, cfd_losses *losses, int *ready);

/** Waits until the device has done everything that was asked of the model, and reports what went wrong with it: a
 * cfd_train_step without losses on a GPU returns before its work is done. Errors: CFD_ERROR_DEVICE, CFD_ERROR_NUMERIC.
 * Since 1.0. */
CFD_API cfd_status cfd_model_synchronise(cfd_model *model);

/** As cfd_train_step, without the update: for checks and for optimizers of the caller's own. Since 1.0. */
CFD_API cfd_status cfd_compute_gradients(cfd_model *model, const cfd_batch *batch, cfd_losses *losses);

/** Ranking metrics at one cut-off (SPEC 7), means over the evaluated users. Fixed layout. */
typedef struct cfd_metrics {
    int32_t k; /**< The cut-off. */
    int32_t reserved;
    double hr, ndcg, recall, precision, map, mrr; /**< Each from 0 to 1, at k. */
} cfd_metrics;

/** What cfd_train tells its callback. Everything it points to lives during the call only. */
typedef struct cfd_progress {
    size_t struct_size;
    int32_t epoch, n_epochs;     /**< epoch from 1. */
    int64_t step, n_steps;       /**< Within the epoch; step from 1. */
    double seconds;              /**< Since cfd_train began. */
    int32_t epoch_ended;         /**< 1 once an epoch, after its last step (and evaluation); else 0. */
    int32_t improved;            /**< epoch_ended: this evaluation is the best so far. */
    double epoch_seconds;        /**< epoch_ended: training only, without evaluation. */
    double evaluation_seconds;   /**< epoch_ended: 0 where nothing was evaluated. */
    const cfd_losses *losses;    /**< epoch_ended: means over the epoch's steps; else NULL. */
    const cfd_metrics *metrics;  /**< epoch_ended and evaluated: one for each of the options' ks; else NULL. */
    size_t n_metrics;            /**< How many of them. */
} cfd_progress;

/** Called after every step and once more at the end of every epoch, on the thread that called cfd_train.
 * Return 0 to go on, anything else to stop: cfd_train then keeps the best parameters so far and returns CFD_OK.
 *
 * At the end of an epoch (epoch_ended) it may look at the model that is trained, as it is then: cfd_model_get_parameter,
 * cfd_model_get_embedding, cfd_evaluate, cfd_scorer_create, cfd_model_save. Training goes on as if it had not, bit by bit.
 * It must not change the model, train or destroy it; between steps it leaves the model alone. */
typedef int (*cfd_progress_function)(void *user, const cfd_progress *progress);

/** Options of cfd_train. How long, when to evaluate, on what to select: that is the config's
 * ("epochs", "eval_every", "patience", "select", "protocol"). */
typedef struct cfd_train_options {
    size_t struct_size;
    cfd_progress_function progress; /**< NULL: none. */
    void *progress_user;            /**< Handed to progress. */
    const int32_t *ks;              /**< Cut-offs to report, each 1 to 1000; NULL means 5, 10 and 20. */
    size_t n_ks;                    /**< 1 to 1000; 0 where ks is NULL. */
} cfd_train_options;

#define CFD_TRAIN_OPTIONS_INIT {sizeof(cfd_train_options), NULL, NULL, NULL, 0}

/** How a training run ended. */
typedef struct cfd_train_summary {
    size_t struct_size;
    int32_t epochs_done;       /**< In this call. */
    int32_t best_epoch;        /**< selected: the epoch whose parameters the model now has; else epochs_done. */
    int32_t selected;          /**< 1: by evaluation; 0: nothing was evaluated, the last parameters stay. */
    int32_t stopped_early;     /**< 1: "patience" ran out. */
    int32_t stopped_by_caller; /**< 1: the callback asked. */
    int32_t reserved;
    double best_score;         /**< HR@5 + NDCG@5 of the best epoch, where selected. */
    double seconds;            /**< Of real time, evaluations included. */
} cfd_train_summary;

#define CFD_TRAIN_SUMMARY_INIT {sizeof(cfd_train_summary), 0, 0, 0, 0, 0, 0, 0, 0}

/** The whole loop: epochs of steps, evaluation, early stopping (SPEC 6). Afterwards the model has the parameters
 * of its best evaluation, or the last ones if it was never evaluated. Can be called again to train on: from these
 * parameters, with Adam's moments and the sequence of batches as they were at the last step.
 * @param options  NULL means defaults. @param summary  Out; may be NULL.
 * Errors: as cfd_train_step; CFD_ERROR_CONFIG, CFD_ERROR_DATA (select names a split without interactions, or one that is
 * trained on); CFD_ERROR_NUMERIC (the loss left the finite numbers; the model has its best parameters, if it was
 * evaluated before). Since 1.0. */
CFD_API cfd_status cfd_train(cfd_model *model, const cfd_train_options *options, cfd_train_summary *summary);

/** Writes the model as one safetensors file, atomically: beside the target, synchronised, then renamed. It holds
 * parameters, configuration, transforms, and the query and key matrices of serving (docs/file-formats.md).
 * Errors: CFD_ERROR_FILE, CFD_ERROR_MEMORY, CFD_ERROR_NUMERIC (embeddings that are not finite cannot serve).
 * Since 1.0. */
CFD_API cfd_status cfd_model_save(cfd_model *model, const char *path);

/* Scorers, lists, new users and items: */
#include "cfdtbd_serving.h"

/* ================================================================================================
 * Evaluation
 * ============================================================================================== */

/** How held-out items are ranked. */
typedef enum cfd_protocol {
    CFD_PROTOCOL_FULL = 0,   /**< Rank against all items but the user's known ones (SPEC 7). */
    CFD_PROTOCOL_SAMPLED = 1 /**< Rank each held-out item against sampled negatives (SPEC 7). */
} cfd_protocol;

/** Options of the evaluation. */
typedef struct cfd_evaluate_options {
    size_t struct_size;
    cfd_split split;         /**< CFD_SPLIT_VALIDATION or CFD_SPLIT_TEST. */
    cfd_protocol protocol;   /**< How held-out items are ranked. */
    const int32_t *ks;       /**< Cut-offs, each 1 to 1000; NULL means 5, 10 and 20. */
    size_t n_ks;             /**< 1 to 1000; 0 where ks is NULL. */
    int32_t negatives;       /**< Sampled protocol: items to rank against; 0 means 99. */
    int32_t reserved;
    uint64_t seed;           /**< Sampled protocol: of the draw; 0 means the context's. */
} cfd_evaluate_options;

#define CFD_EVALUATE_OPTIONS_INIT {sizeof(cfd_evaluate_options), CFD_SPLIT_TEST, CFD_PROTOCOL_FULL, NULL, 0, 0, 0, 0}

/** Metrics of a model, or of a scorer, on a split of a data set. Ties count against the model; a score that is
 * not a number is the worst. While the validation split is evaluated the test split is not looked at.
 *
 * @param options  NULL means defaults. @param metrics  Out: one for each of ks.
 * @param n_users  Out: how many users have held-out items, over which the metrics are means. May be NULL.
 * Errors: CFD_ERROR_DATA (the split is empty; the model does not fit the data set), CFD_ERROR_ARGUMENT,
 * CFD_ERROR_MEMORY. Since 1.0. */
CFD_API cfd_status cfd_evaluate(cfd_model *model, const cfd_dataset *dataset, const cfd_evaluate_options *options,
                                cfd_metrics *metrics, size_t *n_users);
CFD_API cfd_status cfd_evaluate_scorer(const cfd_scorer *scorer, const cfd_dataset *dataset,
                                       const cfd_evaluate_options *options, cfd_metrics *metrics, size_t *n_users);

#ifdef __cplusplus
}
#endif

#endif /* CFDTBD_H */
