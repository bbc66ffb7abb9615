/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to questions, as JSON: where the service calls the library. */
#ifndef SERVICE_ANSWERS_H
#define SERVICE_ANSWERS_H

#include "questions.h"

#include <stdio.h>

/* Writes the answer of one of the library's endpoints, or of /health. On failure nothing is written, and cfd_last_error()
 * says why, except where memory ran out (CFD_ERROR_MEMORY). */
cfd_status answer(const question *q, const cfd_scorer *scorer, FILE *out);
/* {"error": MESSAGE} */
void answer_error(const char *message, FILE *out);

#endif
