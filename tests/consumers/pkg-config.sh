# SPDX-License-Identifier: Apache-2.0
# pkg-config/ against the installed tree, and against a tree that was moved. Called as `sh pkg-config.sh CONSUMERS TREE CC CXX`.
. "$1/helpers"
command -v "$3" >/dev/null && command -v "$4" >/dev/null || skip "no $3 or no $4"

# A tree that was moved after it was installed: nothing in it says where it was.
cp -a "$tree/prefix" "$work/was"
mv "$work/was" "$work/is"
for prefix in "$tree/prefix" "$work/is"; do
    PKG_CONFIG_PATH=$(folder_of "$prefix" cfdtbd.pc)
    LD_LIBRARY_PATH=$(folder_of "$prefix" libcfdtbd.so.1)
    export PKG_CONFIG_PATH LD_LIBRARY_PATH
    out=$work/out-of-$(basename "$prefix")
    mkdir "$out"
    quietly make -C "$consumers/pkg-config" OUT="$out" CC="$3" CXX="$4"
    for program in c cpp; do
        uses_library "$out/$program" "$prefix"
        recommends "$out/$program" 2
        uses_library "$out/$program-static" ""
        recommends "$out/$program-static" 3
    done
done
