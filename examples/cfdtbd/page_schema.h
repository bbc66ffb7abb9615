/* SPDX-License-Identifier: Apache-2.0 */
/* What a report must look like before anything is drawn of it. */
#ifndef PAGE_SCHEMA_H
#define PAGE_SCHEMA_H

#include <jansson.h>

/* Returns EXIT_DONE, or EXIT_FAILED after a message with the file, the place in it and what is wanted there. */
int schema_check(const char *file, const json_t *root);

#endif
