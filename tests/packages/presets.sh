#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CMakePresets.json: each of the six is there to configure, build, test and as a workflow, and configures.
# shellcheck source=tests/packages/common.sh
. "$(dirname "$0")/common.sh"
version=$("$CMAKE" --version | sed -n 's/^cmake version //p')
case $version in
3.1?.* | 3.2[0-4].*) echo "CMake $version has no workflows: skipped"; exit 77 ;;
esac

cd "$SOURCE"
quiet "$CMAKE" --list-presets=all
for preset in release debug asan tsan coverage cuda; do
    n=$(grep -c "^  \"$preset\"" "$work/said" || true)
    equal "$preset: to configure, build, test and as a workflow" 4 "$n"
done
for preset in release debug asan tsan coverage cuda; do
    if [ "$preset" = cuda ] && [ -z "$PLUGIN" ]; then
        echo "no nvcc: the preset cuda is not configured"
        continue
    fi
    quiet "$CMAKE" -S "$SOURCE" --preset "$preset" -B "$work/$preset"
done
# What tells them apart.
grep -q '^CFDTBD_SANITIZE:.*=address,undefined$' "$work/asan/CMakeCache.txt" || die "asan: not sanitized"
grep -q '^CFDTBD_SANITIZE:.*=thread$' "$work/tsan/CMakeCache.txt" || die "tsan: not sanitized"
grep -q '^CMAKE_BUILD_TYPE:.*=Debug$' "$work/debug/CMakeCache.txt" || die "debug: not for a debugger"
grep -q '^CMAKE_C_FLAGS:.*=--coverage' "$work/coverage/CMakeCache.txt" || die "coverage: not counted"
