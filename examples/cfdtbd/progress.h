/* SPDX-License-Identifier: Apache-2.0 */
/* How far training has come, on stderr: on a terminal one line that is redrawn, else a plain line an epoch. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <cfdtbd.h>

/* To be called with everything that cfd_train's callback gets. `split` names what is evaluated, for the lines. */
void progress_show(const cfd_progress *progress, const char *split);

/* Takes the line off the terminal, so that something else can be printed. Does nothing if there is none. */
void progress_clear(void);

#endif
