/* SPDX-License-Identifier: Apache-2.0 */
/* When things happen on the device, and what was done to each word of its memory. */
#ifndef CUDASIM_RACES_H
#define CUDASIM_RACES_H

#include <stddef.h>
#include <stdint.h>

namespace cudasim {

/* Moments number what happens on the device: every operation, every block and every interval between two barriers begins
 * with a moment of its own. */
uint32_t next_moment();

struct operation;
/* An operation begins, ends. */
void begin_access(const operation &o);
void end_access();
/* A block begins; a barrier of it was passed. */
void begin_block();
void begin_interval();
/* Nothing that happened so far needs to be told apart any more, as far as the host knows of it. */
void settle();

/* Of each place in the code a kind of fault is reported once; from here on once again. */
void forget_reports();

/* Like device_read (sim.h), of memory that need not have been written; then the copy has the same parts written. */
bool device_copied(const void *from, size_t bytes, const char *what);
void copy_written(void *to, const void *from, size_t bytes);

} /* namespace cudasim */

#endif
