/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage: the names of the kernels that ran are appended to the file that CUDASIM_COVERAGE names, each as soon as it runs
 * for the first time in a process, so that a process that is killed has said so. */
#include "kernel.h"

#include <set>
#include <stdio.h>
#include <stdlib.h>

namespace cudasim {

void note_kernel(const kernel_call &call)
{
    static const char *path = getenv("CUDASIM_COVERAGE");
    static std::set<const void *> &noted = *new std::set<const void *>;
    if (path == nullptr || !noted.insert(call.kernel).second) {
        return;
    }
    FILE *file = fopen(path, "a");
    if (file == nullptr) {
        perror(path);
        abort();
    }
    std::string name = function_name(call.kernel);
    fprintf(file, "%s\n", name.empty() ? call.name : name.c_str());
    fclose(file);
}

} /* namespace cudasim */
