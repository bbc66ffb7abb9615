/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that end the program (SIGINT, SIGTERM, SIGHUP), held back while something stands on the disk that must not
 * stay there half-written. */
#ifndef EXAMPLES_COMMON_HELD_SIGNALS_H
#define EXAMPLES_COMMON_HELD_SIGNALS_H

/* From now on such a signal waits. Signals that are ignored stay so. Not to be nested. */
void signals_hold(void);
/* Whether one waits: time to give up. */
int signals_waiting(void);
/* From now on they act again, and one that waits does so within this call. Does nothing if none are held. */
void signals_let_go(void);

#endif
