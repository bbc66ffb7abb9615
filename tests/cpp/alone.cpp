/* SPDX-License-Identifier: Apache-2.0 */
/* The header alone, twice. */
#include <cfdtbd.hpp>
#include <cfdtbd.hpp>

int main()
{
    return 0;
}
