# SPDX-License-Identifier: Apache-2.0
# cmake/, in C and in C++, by find_package from PLACE. Called as `sh cmake.sh CONSUMERS TREE PLACE [DEBS]`.
# shellcheck source=tests/consumers/helpers
. "$1/helpers"
go_to "$3" "${4-}"

for language in c cpp; do
    quietly cmake -S "$consumers/cmake/$language" -B "$work/$language" -DCMAKE_PREFIX_PATH="$prefix"
    grep -q "^cfdtbd_DIR:PATH=$prefix/" "$work/$language/CMakeCache.txt" || broken "the package below $prefix was not found"
    quietly cmake --build "$work/$language"
    uses_library "$work/$language/shared" "$prefix"
    recommends "$work/$language/shared" 2
    uses_library "$work/$language/static" ""
    recommends "$work/$language/static" 3
done

# refused MESSAGE PROJECT OPTION...
refused()
{
    message=$1
    project=$2
    shift 2
    if cmake -S "$consumers/cmake/$project" -B "$work/refused" -DCMAKE_PREFIX_PATH="$prefix" "$@" >"$work/log" 2>&1; then
        broken "$project should not have been configured with $*"
    fi
    tr -s ' \n' '  ' <"$work/log" | grep -q -e "$message" || { cat "$work/log" >&2; broken "\"$message\" wanted"; }
    rm -rf "$work/refused"
}
refused 'requested version "2.0"' c -DWANTED=2.0
refused 'requested version "1.1"' c -DWANTED=1.1
refused 'requested version "0.9"' c -DWANTED=0.9

# Without the library for dense products the archive is not to be had, the shared library is.
echo 'set(CMAKE_FIND_LIBRARY_PREFIXES not-there-)' >"$work/hide.cmake"
refused 'cfdtbd::static needs' c -DCMAKE_PROJECT_INCLUDE="$work/hide.cmake"
quietly cmake -S "$consumers/cmake/cpp" -B "$work/shared-only" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_PROJECT_INCLUDE="$work/hide.cmake"
quietly cmake --build "$work/shared-only"
recommends "$work/shared-only/shared" 1
[ ! -e "$work/shared-only/static" ] || broken "no archive was to be had"
