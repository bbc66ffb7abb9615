/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for files that nobody keeps. SIGINT, SIGTERM and SIGHUP wait while it is there: whoever works with it asks now
 * and then whether one does (held_signals.h), and gives up. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>

enum { SCRATCH_BYTES = 1024 };

/* Makes one in $TMPDIR, or /tmp. Returns EXIT_DONE, or the exit code after its message. */
int scratch_make(char path[SCRATCH_BYTES]);
/* Removes it with the files in it, and the files in directories in it; a signal that waited acts. Does nothing for "". */
void scratch_remove(const char *path);
/* path = directory/name. */
void scratch_path(char path[SCRATCH_BYTES], const char *directory, const char *name);

#endif
