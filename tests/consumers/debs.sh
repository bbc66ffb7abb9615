# SPDX-License-Identifier: Apache-2.0
# The packages that consumers are given, made in the folder DEBS. Called as `sh debs.sh CONSUMERS TREE SOURCES DEBS`.
# shellcheck source=tests/consumers/helpers
. "$1/helpers"
for program in dpkg-buildflags dpkg-shlibdeps dpkg-deb file; do
    command -v "$program" >/dev/null || skip "no $program"
done
launcher=$(command -v ccache || true)
mkdir -p "$4"
rm -f "$4"/*.deb
quietly sh "$3/packaging/debian.sh" "$4" -DCFDTBD_CUDA=off -DCFDTBD_EXAMPLES=OFF -DCMAKE_C_COMPILER_LAUNCHER="$launcher"
