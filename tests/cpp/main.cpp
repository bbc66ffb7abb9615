/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd.hpp in one program in every way that failures may go, from files that chose differently: who owns what, sizes that
 * differ, failures. What functions compute is tested in C. Called with the path of a file that it may write. */
#include "support.hpp"

#include <exception>

int failures;

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    try {
        check_throwing(argv[1]);
        check_throwing_again();
        check_expecting(argv[1]);
        check_expecting_std(argv[1]);
    } catch (const std::exception &problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
    return failures != 0;
}
