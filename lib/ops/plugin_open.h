/* SPDX-License-Identifier: Apache-2.0 */
/* The library's side of the plugin. */
#ifndef CFD_OPS_PLUGIN_OPEN_H
#define CFD_OPS_PLUGIN_OPEN_H

#include "ops/plugin.h"

/* An instance for questions and to make others from; it computes nothing itself. The plugin is FOLDER/libcfdtbd_cuda.so;
 * NULL: cfdtbd/libcfdtbd_cuda.so beside this library. Takes over request->cpu, also where it fails. CFD_ERROR_DEVICE: there
 * is no plugin, it is another version's, or there is no such device. */
cfd_status plugin_open_cuda(const char *folder, const ops_plugin_request *request, ops **out);

/* Is the driver's library there? Without it no device is, and the plugin, which brings large libraries along, need not be
 * tried. */
bool plugin_cuda_driver(void);

#endif
