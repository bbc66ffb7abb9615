#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing (Debian 12, root or sudo), builds with warnings as errors, runs every test.
# From any folder, with or without a terminal, as often as you like. Builds into build/tests.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=examples/install-missing.sh
. "$root/examples/install-missing.sh"
install_missing build-essential cmake pkg-config libdnnl-dev check libsubunit-dev

cmake -S "$root" -B "$root/build/tests" -DCMAKE_BUILD_TYPE=Release -DCFDTBD_TESTS=ON -DCFDTBD_WARNINGS_AS_ERRORS=ON
cmake --build "$root/build/tests" -j "$(nproc)"
cd "$root/build/tests"
ctest --output-on-failure --no-tests=error "$@"
