/* SPDX-License-Identifier: Apache-2.0 */
/* "cfdtbd prepare": from a table of interactions to a data set directory (docs/prepare.md). */
#ifndef PREPARE_H
#define PREPARE_H

/* argv[0] is "prepare". Returns the exit code. */
int prepare_command(int argc, char **argv);

#endif
