#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Code for every target must be in the plugin, and PTX of the last for those to come.
#
# targets.sh PLUGIN CUOBJDUMP TARGET...   TARGET: 75-real, 120-virtual, as CUDA_ARCHITECTURES takes them.
set -eu
plugin=$1
dump=$2
shift 2
elf=$("$dump" --list-elf "$plugin")
ptx=$("$dump" --list-ptx "$plugin")
for target in "$@"; do
    number=${target%%-*}
    case $target in
    *-virtual) where=$ptx ;;
    *) where=$elf ;;
    esac
    echo "$where" | grep -q "sm_$number\b" || { echo "$plugin holds nothing for $target" >&2; exit 1; }
    echo "$target: $(echo "$where" | grep -c "sm_$number\b") objects"
done
