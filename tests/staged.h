/* SPDX-License-Identifier: Apache-2.0 */
/* A backend whose memory is not the host's, for suites that hand over the host's: every operation's operands are copied to
 * device memory of just their size, the operation runs there, what it wrote is copied back. So the same suites hold for
 * every backend, and an access beyond an operand is one beyond an allocation. */
#ifndef CFD_TESTS_STAGED_H
#define CFD_TESTS_STAGED_H

#include "ops/ops.h"

/* Takes over `inner`. Memory that the instance itself allocates is the device's; all other pointers are the host's. */
ops *ops_create_staged(ops *inner);

/* An instance of the CUDA backend, real or simulated: its plugin lies in the folder that the environment's
 * TEST_CUDA_PLUGIN_FOLDER names, or where the build puts the simulated one. NULL: there is none. */
ops *ops_create_cuda_for_test(const memory_source *memory, thread_pool *pool);

/* Notes that this process has opened a backend, in the file that the environment's TEST_BACKENDS_FILE names, if any: Check
 * runs each test case in a process of its own, so lines are cases. */
void note_backend(const char *name);

/* A function of the simulated device (cudasim/cudasim.h) or of its runtime, by name. NULL: no such, or the device is real.
 */
void *simulated_symbol(const char *name);
/* Another order of threads, blocks and streams on a simulated device; nothing on a real one. */
void simulated_seed(unsigned seed);

/* The folder of the plugin for cfd_context_options; NULL: there is none. */
const char *cuda_plugin_folder(void);

#endif
