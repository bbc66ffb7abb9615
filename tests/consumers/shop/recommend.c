/* SPDX-License-Identifier: Apache-2.0 */
/* The program that the projects beside this folder build in their ways; all must print the same. Called with the number of
 * threads. */
#include "job.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    static shop s;
    static shop_lists lists;
    job j;
    int failed;
    shop_fill(&s);
    failed = job_train(&j, &s, argc > 1 ? atoi(argv[1]) : 0) || job_recommend(&j, &s, &lists);
    if (failed) {
        fprintf(stderr, "recommend: %s\n", cfd_last_error());
    }
    job_close(&j);
    return failed || shop_print(&lists);
}
