/* SPDX-License-Identifier: Apache-2.0 */
/* seeds FOLDER: writes FOLDER/TARGET/NAME for each target, small sound inputs that libFuzzer begins from. */
#include "cfdtbd.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;

static FILE *open_seed(const char *target, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    return fopen(path, "wb");
}

static int seed(const char *target, const char *name, const void *bytes, size_t n)
{
    FILE *file = open_seed(target, name);
    int written = file && fwrite(bytes, 1, n, file) == n;
    return (!file || fclose(file) == 0) && written;
}

static int text(const char *target, const char *name, const char *bytes)
{
    return seed(target, name, bytes, strlen(bytes));
}

/* A 3 x 2 array of zeros in NumPy's format; `prefix`: what goes before it. */
static int array(const char *target, const char *name, const char *prefix, int version, const char *descr, int fortran)
{
    unsigned char bytes[256] = {0};
    char header[128];
    size_t at = strlen(prefix);
    size_t head = version == 1 ? 10 : 12;
    memcpy(bytes, prefix, at);
    int n = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': (3, 2), }", descr,
                     fortran ? "True" : "False");
    size_t padded = (head + (size_t)n + 1 + 63) / 64 * 64 - head;
    memcpy(bytes + at, "\x93NUMPY", 6);
    bytes[at + 6] = (unsigned char)version;
    bytes[at + 8] = (unsigned char)padded;
    memset(bytes + at + head, ' ', padded - 1);
    memcpy(bytes + at + head, header, (size_t)n);
    bytes[at + head + padded - 1] = '\n';
    return seed(target, name, bytes, at + head + padded + 6 * (size_t)(descr[2] - '0'));
}

/* ---- models ---- */

enum { USERS = 4, ITEMS = 5, PAIRS = 8 };

static int model(const char *name, const char *const *settings)
{
    static const int32_t users[PAIRS] = {0, 0, 1, 1, 2, 2, 3, 3}, items[PAIRS] = {0, 1, 1, 2, 2, 3, 3, 4};
    static const float pictures[ITEMS][2] = {{1, 0}, {0, 1}, {1, 1}, {0, 0}, {1, 2}};
    static const int64_t offsets[ITEMS + 1] = {0, 1, 2, 4, 4, 5};
    static const int32_t tags[5] = {0, 1, 0, 2, 1};
    char path[4096];
    cfd_context_options options = CFD_CONTEXT_OPTIONS_INIT;
    options.device = "reference";
    options.threads = 1;
    cfd_context *context = NULL;
    cfd_config *config = NULL;
    cfd_dataset *data = NULL;
    cfd_model *made = NULL;
    FILE *file = open_seed("model", name);
    int failed = !file || fclose(file) || cfd_context_create(&options, &context) || cfd_config_create(&config) ||
                 cfd_config_set(config, "embedding_dim", "2") || cfd_config_set(config, "layers", "1") ||
                 cfd_config_set(config, "batch_size", "4") || cfd_config_set(config, "epochs", "1") ||
                 cfd_config_set(config, "select", "none");
    for (; !failed && settings[0]; settings += 2) {
        failed = cfd_config_set(config, settings[0], settings[1]);
    }
    snprintf(path, sizeof path, "%s/model/%s", folder, name);
    failed = failed || cfd_dataset_create(context, USERS, ITEMS, &data) ||
             cfd_dataset_add_interactions(data, CFD_SPLIT_TRAIN, users, items, PAIRS) ||
             cfd_dataset_add_dense_modality(data, "visual", pictures, CFD_FLOAT32, 2, 2) ||
             cfd_dataset_add_sparse_modality(data, "textual", 3, offsets, tags, NULL) ||
             cfd_model_create(context, config, data, &made) || cfd_train(made, NULL, NULL) || cfd_model_save(made, path);
    if (failed) {
        fprintf(stderr, "seeds: model %s: %s\n", name, cfd_last_error());
    }
    cfd_model_destroy(made);
    cfd_dataset_destroy(data);
    cfd_config_destroy(config);
    cfd_context_destroy(context);
    return !failed;
}

static int models(void)
{
    static const char *const plain[] = {NULL};
    static const char *const kept[] = {"keep.history", "yes", "transform.visual", "standardize,svd:2", NULL};
    static const char *const bare[] = {"keep.nodes", "no", "whitening", "no", "branch.fused", "no", NULL};
    static const char *const base[] = {"modalities", "none", "keep.history", "yes", NULL};
    return model("plain", plain) && model("kept", kept) && model("bare", bare) && model("base", base);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "seeds: a folder wanted\n");
        return 2;
    }
    folder = argv[1];
    (void)mkdir(folder, 0777);
    int fine = text("json", "object",
                    "{\"a\": [1, -2, \"b\\u00e9\\ud83d\\ude00\\n\"], \"c\": {\"d\": \"\", \"e\": []}, \"f\": "
                    "9223372036854775807}") &&
               text("json", "header",
                    "{\"__metadata__\":{\"k\":\"v\"},\"t\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}") &&
               text("json", "number", " 0 ") && text("json", "deep", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]") &&
               array("npy", "f4", "", 1, "<f4", 0) && array("npy", "f8", "", 2, ">f8", 1) &&
               array("npy", "f2", "", 3, "<f2", 0) && array("npy", "f4-columns", "", 1, "<f4", 1) &&
               array("directory", "npy", "\x05", 1, "<f4", 0) &&
               seed("directory", "train",
                    "\0"
                    "0 3 1\n2\t2 0\r\n\n7 4",
                    19) &&
               seed("directory", "test",
                    "\1"
                    "0 2\n1 0\n",
                    9) &&
               seed("directory", "tags",
                    "\2"
                    "0 5 6 6\n1 7\n",
                    13) &&
               seed("directory", "users",
                    "\3"
                    "anna\nb\xc3\xa9\n",
                    11) &&
               seed("directory", "items",
                    "\4"
                    "one\r\n\ntwo\n",
                    11) &&
               text("config", "keys",
                    "layers=3\nlambda.visual=0.5\nmodalities=visual=a,textual=b\ntransform.visual=center,svd:30\nmu.fused="
                    "1e-3\nwhitening=no\nsampler=interactions") &&
               text("config", "names", "beauty\nbase only\nno distillation\ntaobao\nlayers=33\nwhiten.a=maybe") && models();
    return fine ? 0 : 1;
}
