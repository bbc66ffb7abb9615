/* SPDX-License-Identifier: Apache-2.0 */
/* Users and items by name or number, in arguments and in what is printed. */
#ifndef NAMED_H
#define NAMED_H

#include "json.h"

#include <cfdtbd.h>

/* The one of that name; where none bears it, the one of that number. Returns EXIT_DONE, or EXIT_FAILED after its message. */
int find_user(const cfd_dataset *dataset, const char *directory, const char *text, int32_t *user);
int find_item(const cfd_dataset *dataset, const char *directory, const char *text, int32_t *item);

/* The name, or the number where it has none (NULL). */
void print_named(const char *name, int32_t id);
void json_named(json *j, const char *key, const char *name, int32_t id);

#endif
