/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the text of `apt-cache dumpavail`: packages, what they ask for, what is said of them. */
#ifndef PACKAGES_H
#define PACKAGES_H

#include "../common/complaint.h"
#include "../common/interactions.h"
#include "../common/names.h"

#include <stddef.h>
#include <stdint.h>

/* What is said of one package, as offsets into the text below; 0 is the empty text. */
typedef struct package {
    int32_t name;                /* number in the table of names; -1 for names that are only mentioned */
    size_t description, debtags; /* the one-line description; the tags with commas between */
} package;

/* Zero-initialise; packages_release in the end. */
typedef struct packages {
    name_table names; /* of packages and of what they mention */
    package *of_name; /* one for each name */
    int32_t of_name_capacity;
    int32_t n;                  /* packages */
    interaction_list relations; /* user: a package; item: a package that it asks for; repeated ones and all */
    char *text;
    size_t n_text, text_capacity;
} packages;

/* Of several stanzas for one package the first counts. Relations to names that no stanza describes (virtual
 * packages, those of other releases) are dropped, those of a package to itself too. */
int packages_read(packages *all, const char *path, complaint *problem);
void packages_release(packages *all);

#endif
