/* SPDX-License-Identifier: Apache-2.0 */
/* cfdtbd.hpp in a program that is compiled without exceptions and without type information: the checks of expecting.cpp. */
#include "support.hpp"

int failures;

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    check_expecting(argv[1]);
    return failures != 0;
}
