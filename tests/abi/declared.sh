# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For scripts to read in.
# declared FOLDER: the names of the functions that FOLDER/cfdtbd.h declares, sorted. What is left of the preprocessed header
# when everything in braces is taken away, and has a parenthesis, is a function or a typedef.
declared()
{
    "${CC:-cc}" -E -P "$1/cfdtbd.h" | tr '\n' ' ' |
        sed -e ':inner' -e 's/{[^{}]*}//' -e 't inner' | tr ';' '\n' |
        sed -n -e '/^ *typedef /d' -e 's/^\([^(]*[ *]\)\{0,1\}\([A-Za-z_][A-Za-z_0-9]*\) *(.*/\2/p' | LC_ALL=C sort
}
