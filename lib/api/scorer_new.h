/* SPDX-License-Identifier: Apache-2.0 */
/* The one way in which scorer handles come to be: from a model, from a file, from popularity, from another with new items.
 * And what all calls that ask them for lists check. */
#ifndef CFD_API_SCORER_NEW_H
#define CFD_API_SCORER_NEW_H

#include "api/handles.h"

/* Makes a handle over a snapshot in memory of the context's, and takes it over: also where it fails it is released. */
cfd_status scorer_handle_create(cfd_context *context, snapshot *data, cfd_scorer **out);

/* The caller's array of n rows of `columns` numbers must be possible. */
cfd_status scorer_check_extent(const char *rows_name, size_t rows, const char *name, size_t columns);
/* A caller's filter for n lists, read into *out. with_users: may it leave out what users have? */
cfd_status scorer_read_filter(const cfd_scorer *handle, const cfd_filter *filter, size_t n, bool with_users,
                              cfd_filter *out);

#endif
