#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# every_function.sh HEADERS OUT: writes a C file with a table of every function that the header declares, name and address.
set -eu
# shellcheck source=tests/abi/declared.sh
. "$(dirname "$0")/declared.sh"

names=$(declared "$1")
{
    echo '/* SPDX-License-Identifier: Apache-2.0 */'
    echo '/* Written by every_function.sh. */'
    echo '#include "cfdtbd.h"'
    echo 'typedef struct entry {'
    echo '    const char *name;'
    echo '    void (*function)(void);'
    echo '} entry;'
    echo 'extern const entry every_function[];'
    echo 'const entry every_function[] = {'
    for name in $names; do
        echo "    {\"$name\", (void (*)(void))$name},"
    done
    echo '    {NULL, NULL}};'
} >"$2"
