/* SPDX-License-Identifier: Apache-2.0 */
/* The one way in which scorer handles come to be: from a model, from a file, from popularity. */
#ifndef CFD_API_SCORER_NEW_H
#define CFD_API_SCORER_NEW_H

#include "api/handles.h"

/* Makes a handle over queries (users x width) and keys (items x width), memory of the context's, and takes them
 * over: also where it fails they are released. `values` and `roles` are copied. */
cfd_status scorer_handle_create(cfd_context *context, const settings *values, const char roles[][SETTINGS_ROLE_BYTES],
                                int32_t n_roles, int64_t steps_done, int32_t users, int32_t items, int32_t width,
                                float *queries, float *keys, cfd_scorer **out);

#endif
