#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cfdtbd.pc, the CMake package and the program's path in other layouts than this build's. A second tree is configured
# for each and given this build's libraries.
# shellcheck source=tests/packages/common.sh
. "$(dirname "$0")/common.sh"
need pkg-config realpath

# layout NAME OPTION...: a tree in $work/NAME that can be installed, component by component.
layout()
{
    name=$1
    shift
    quiet "$CMAKE" -S "$SOURCE" -B "$work/$name" -DCMAKE_BUILD_TYPE="$BUILD_TYPE" -DCFDTBD_CUDA=off -DCFDTBD_GEMM=onednn "$@"
    cp -P "$BUILD"/lib/libcfdtbd.* "$work/$name/lib/"
}

# install_into DESTDIR NAME: the libraries and what is for programs that use them.
install_into()
{
    for component in runtime development; do
        quiet env DESTDIR="$1" "$CMAKE" --install "$work/$2" --component "$component"
    done
}

# program_path NAME: the rpath that the program would be installed with.
program_path()
{
    sed -n 's/^ *NEW_RPATH "\(.*\)").*/\1/p' "$work/$1/examples/cmake_install.cmake" | head -n 1
}

relative=$work/relative/tree
layout relative -DCMAKE_INSTALL_PREFIX="$relative" -DCMAKE_INSTALL_LIBDIR=lib64/deep -DCMAKE_INSTALL_INCLUDEDIR=include/one
install_into '' relative
pc=$relative/lib64/deep/pkgconfig
equal "relative folders" "-I$relative/include/one -L$relative/lib64/deep -lcfdtbd" "$(flags "$pc" --cflags --libs)"
for file in include/one/cfdtbd.h lib64/deep/libcfdtbd.a lib64/deep/cmake/cfdtbd/cfdtbdConfig.cmake; do
    [ -f "$relative/$file" ] || die "relative folders: no $file"
done
equal "the program, relative folders" "/../lib64/deep" "$(program_path relative | sed 's,.*ORIGIN,,')"
# shellcheck disable=SC2016 # pkg-config's variable
grep -qF 'prefix=${pcfiledir}/' "$pc/cfdtbd.pc" || die "relative folders: the tree cannot be moved"
no_paths "$relative"

# Absolute folders, staged by DESTDIR, which nothing may mention.
layout absolute -DCMAKE_INSTALL_PREFIX=/opt/one -DCMAKE_INSTALL_LIBDIR=/opt/two/lib -DCMAKE_INSTALL_INCLUDEDIR=/opt/three
install_into "$work/stage" absolute
pc=$work/stage/opt/two/lib/pkgconfig
equal "absolute folders" "-I/opt/three -L/opt/two/lib -lcfdtbd" "$(flags "$pc" --cflags --libs)"
equal "absolute folders, prefix" /opt/one "$(flags "$pc" --variable=prefix)"
equal "absolute folders, below a system root" "-I/mnt/opt/three -L/mnt/opt/two/lib -lcfdtbd" \
    "$(PKG_CONFIG_SYSROOT_DIR=/mnt flags "$pc" --cflags --libs)"
equal "the program, absolute folders" /opt/two/lib "$(program_path absolute)"
! grep -rlF "$work" "$work/stage" || die "these mention the folder that they were staged in"

# Half of each.
layout mixed -DCMAKE_INSTALL_PREFIX=/opt/one -DCMAKE_INSTALL_LIBDIR=/opt/two/lib
quiet env DESTDIR="$work/mixed/stage" "$CMAKE" --install "$work/mixed" --component development --prefix /opt/other
equal "headers below the prefix that is installed to" "-I/opt/other/include -L/opt/two/lib -lcfdtbd" \
    "$(flags "$work/mixed/stage/opt/two/lib/pkgconfig" --cflags --libs)"

# The system's own folders: pkg-config says no -I and -L, the program has no path; and oneDNN where the linker does
# not look.
mkdir -p "$work/onednn/lib"
: >"$work/onednn/lib/libdnnl.so"
layout system -DCMAKE_INSTALL_PREFIX=/usr -DCFDTBD_ONEDNN_LIBRARY="$work/onednn/lib/libdnnl.so"
quiet env DESTDIR="$work/system/stage" "$CMAKE" --install "$work/system" --component development
folder=$(dirname "$(find "$work/system/stage" -name cfdtbd.pc)")
libdir=$(dirname "${folder#"$work/system/stage"}")
equal "the system's folders" "-lcfdtbd" \
    "$(PKG_CONFIG_SYSTEM_LIBRARY_PATH=$libdir PKG_CONFIG_SYSTEM_INCLUDE_PATH=/usr/include flags "$folder" --cflags --libs)"
equal "the program in the system's folders" "" "$(program_path system)"
case $(flags "$folder" --libs --static) in
*"-L$work/onednn/lib -ldnnl "*) ;;
*) die "the archive's oneDNN, elsewhere: $(flags "$folder" --libs --static)" ;;
esac
grep -q "HINTS $work/onednn/lib)" "$folder/../cmake/cfdtbd/cfdtbdConfig.cmake" ||
    die "the CMake package does not know where oneDNN is"
grep -qF "NEW_RPATH \"$work/onednn/lib\"" "$work/system/cmake_install.cmake" ||
    die "the shared library would not find oneDNN"
