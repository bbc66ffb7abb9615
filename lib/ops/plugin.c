/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the plugin of the CUDA backend: by absolute path, from the folder that the caller names or the one beside this
 * library. What was opened stays in the process: instances may live in it as long as they like. */
#define _GNU_SOURCE /* dladdr */
#include "ops/plugin.h"
#include "ops/plugin_open.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN_FILE "libcfdtbd_cuda.so"
#define PLUGIN_FOLDER "cfdtbd" /* beside the library */

/* ---- what a plugin may call ---- */

static void host_set_message(const char *text)
{
    set_message("%s", text);
}

static cfd_status host_create_like(const ops *like, ops **out)
{
    return like->table->create(like, out);
}

static const ops_plugin_host *host_functions(ops_plugin_host *host)
{
    *host = (ops_plugin_host){ops_plugin_version_here(), host_set_message, memory_allocate, memory_release,
                              host_create_like};
    return host;
}

/* ---- where it lies ---- */

static cfd_status path_is_long(const char *folder)
{
    return fail(CFD_ERROR_DEVICE, "the path of %s in %.60s... is too long", PLUGIN_FILE, folder);
}

/* The file that this code was loaded from: the library, or the program that it was linked into. */
static bool own_file(char path[PATH_MAX])
{
    static const char inside = 0;
    Dl_info info;
    if (dladdr(&inside, &info) && info.dli_fname && info.dli_fname[0] == '/') {
        return realpath(info.dli_fname, path) != NULL;
    }
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1); /* a program's name may be relative to where it began */
    if (n <= 0) {
        return false;
    }
    path[n] = '\0';
    return true;
}

static cfd_status plugin_path(const char *folder, char path[PATH_MAX])
{
    if (folder) {
        char whole[PATH_MAX];
        if (!realpath(folder, whole)) {
            return fail(CFD_ERROR_DEVICE, "options.plugin_folder \"%.200s\" is not there", folder);
        }
        int n = snprintf(path, PATH_MAX, "%s/%s", whole, PLUGIN_FILE);
        return n > 0 && n < PATH_MAX ? CFD_OK : path_is_long(folder);
    }
    char own[PATH_MAX];
    if (!own_file(own)) {
        return fail(CFD_ERROR_DEVICE, "cannot tell where the library lies, and so where %s would be", PLUGIN_FILE);
    }
    *strrchr(own, '/') = '\0';
    int n = snprintf(path, PATH_MAX, "%s/%s/%s", own, PLUGIN_FOLDER, PLUGIN_FILE);
    return n > 0 && n < PATH_MAX ? CFD_OK : path_is_long(own);
}

/* ---- opening ---- */

static cfd_status open_instance(void *plugin, const char *path, const ops_plugin_request *request, ops **out)
{
    union { /* a data pointer from dlsym, a function's from here on */
        void *data;
        ops_plugin_open function;
    } symbol = {dlsym(plugin, OPS_PLUGIN_SYMBOL)};
    if (!symbol.data) {
        return fail(CFD_ERROR_DEVICE, "%s is no plugin of this library: it lacks %s", path, OPS_PLUGIN_SYMBOL);
    }
    ops_plugin_host host;
    return symbol.function(host_functions(&host), request, out);
}

static cfd_status open_plugin(const char *folder, const ops_plugin_request *request, ops **out)
{
    char path[PATH_MAX];
    TRY(plugin_path(folder, path));
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!plugin) {
        const char *why = dlerror(); // NOLINT(concurrency-mt-unsafe): the C libraries keep it by thread
        return fail(CFD_ERROR_DEVICE, "no CUDA backend: %s", why ? why : path);
    }
    cfd_status status = open_instance(plugin, path, request, out);
    dlclose(plugin);
    return status;
}

cfd_status plugin_open_cuda(const char *folder, const ops_plugin_request *request, ops **out)
{
    cfd_status status = open_plugin(folder, request, out);
    if (status != CFD_OK) {
        request->cpu->table->destroy(request->cpu);
    }
    return status;
}

bool plugin_cuda_driver(void)
{
    void *driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver) {
        dlclose(driver);
    }
    return driver != NULL;
}
