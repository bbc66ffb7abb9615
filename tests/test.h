/* SPDX-License-Identifier: Apache-2.0 */
/* What every suite shares: Check, a main that runs one Suite, and checks of statuses. */
#ifndef CFD_TESTS_TEST_H
#define CFD_TESTS_TEST_H

#include "cfdtbd.h"

#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef fail /* Check's, deprecated; the library has its own */

/* Success, or the library's message. */
#define OK(expression)                                                                                               \
    do {                                                                                                             \
        cfd_status ok_status = (expression);                                                                         \
        ck_assert_msg(ok_status == CFD_OK, "%s: %s: %s", #expression, cfd_status_name(ok_status), cfd_last_error()); \
    } while (0)

/* The given failure, with a message that contains `part`. */
#define FAILS(expected, part, expression)                                                                               \
    do {                                                                                                                \
        cfd_status fails_status = (expression);                                                                         \
        ck_assert_msg(fails_status == (expected), "%s: %s, not %s (%s)", #expression, cfd_status_name(fails_status),    \
                      cfd_status_name(expected), cfd_last_error());                                                     \
        ck_assert_msg(strstr(cfd_last_error(), (part)) != NULL, "%s: the message does not say \"%s\": %s", #expression, \
                      (part), cfd_last_error());                                                                        \
    } while (0)

/* Runs a suite: define `static Suite *suite(void)`, then TEST_MAIN(suite). */
#define TEST_MAIN(make_suite)                             \
    int main(void)                                        \
    {                                                     \
        SRunner *runner = srunner_create(make_suite());   \
        srunner_run_all(runner, CK_ENV);                  \
        int failed = srunner_ntests_failed(runner);       \
        srunner_free(runner);                             \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE; \
    }

#endif
