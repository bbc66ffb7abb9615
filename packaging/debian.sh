#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages: debian.sh [FOLDER [CMAKE-OPTION...]]; they are put into FOLDER (build/debian), which
# holds the build, too. Needs dpkg-dev, file and what building the library needs. Where nvcc is, libcfdtbd1-cuda is
# among them.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build/debian}
[ $# -eq 0 ] || shift

# Debian's flags (hardening among them); not its -O2 and -g: CMake's Release has -O3, and packages are stripped.
DEB_BUILD_MAINT_OPTIONS='hardening=+bindnow'
DEB_CFLAGS_MAINT_STRIP='-O2 -g'
DEB_CFLAGS_MAINT_APPEND="-ffile-prefix-map=$folder=."
export DEB_BUILD_MAINT_OPTIONS DEB_CFLAGS_MAINT_STRIP DEB_CFLAGS_MAINT_APPEND
cflags=$(cd "$root" && dpkg-buildflags --get CFLAGS)
cppflags=$(dpkg-buildflags --get CPPFLAGS)
ldflags=$(dpkg-buildflags --get LDFLAGS)
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$root/packaging/debian/changelog" -S Timestamp)
export SOURCE_DATE_EPOCH

cmake -S "$root" -B "$folder" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr \
    -DCMAKE_INSTALL_LIBDIR="lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)" \
    -DCMAKE_C_FLAGS="$cflags $cppflags" -DCMAKE_SHARED_LINKER_FLAGS="$ldflags" -DCMAKE_MODULE_LINKER_FLAGS="$ldflags" \
    -DCMAKE_EXE_LINKER_FLAGS="$ldflags" "$@"
cmake --build "$folder" -j "$(nproc)"
cd "$folder"
cpack -G DEB -B "$folder"
