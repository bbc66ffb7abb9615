# SPDX-License-Identifier: Apache-2.0
# subproject/: the library's sources as a part of another project, which must get the two libraries and nothing else. Called
# as `sh subproject.sh CONSUMERS TREE SOURCES`. The first way is built; of the second it is seen that its commands are
# the same.
# shellcheck source=tests/consumers/helpers
. "$1/helpers"
sources=$(cd "$3" && pwd -P)

# configure FOLDER OPTION...
configure()
{
    folder=$work/$1
    shift
    if command -v ccache >/dev/null; then
        set -- -DCMAKE_C_COMPILER_LAUNCHER=ccache "$@"
    fi
    quietly cmake -S "$consumers/subproject" -B "$folder" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON -DCMAKE_C_FLAGS=-flto \
        -DCMAKE_SHARED_LINKER_FLAGS=-ffast-math "$@"
}

# setting FOLDER NAME: what the cache has under that name.
setting()
{
    sed -n "s/^$2:[A-Z]*=//p" "$work/$1/CMakeCache.txt"
}

of_cmake='all|clean|depend|edit_cache|rebuild_cache|test|install(/.*)?|list_install_components'
of_library='cfdtbd(_(static|internal|objects|kernels_[a-z0-9]+))?'

# host_only FOLDER BUILD_TYPE: none of the library's programs and tests is there, and the host's build type is what it was.
host_only()
{
    cmake --build "$work/$1" --target help |
        sed -n 's/^\.\.\. \([^ ]*\)$/\1/p' | grep -v '\.[ois]$' >"$work/targets"
    for target in tests wrapper approximate cfdtbd cfdtbd_static; do
        grep -qx "$target" "$work/targets" || broken "$1 has no target $target"
    done
    extra=$(grep -vxE "$of_cmake|$of_library|tests|wrapper|approximate" "$work/targets" || true)
    [ -z "$extra" ] || broken "$1 has targets of the library's project: $extra"
    (cd "$work/$1" && ctest -N) >"$work/log"
    grep -q '^Total Tests: 1$' "$work/log" || broken "$1 has tests of the library's project"
    [ "$(setting "$1" CMAKE_BUILD_TYPE)" = "$2" ] || broken "the host's build type was changed in $1"
}

# commands FOLDER: how every file of the library is compiled there, without the names of folders.
commands()
{
    grep '"command":.*/lib/' "$work/$1/compile_commands.json" |
        sed -E "s,(third-party/cfdtbd|_deps/cfdtbd-build)/,HERE/,g; s,$work/$1,THERE,g" | sort
}

configure subdirectory -DCFDTBD_SOURCES="$sources" -DBUILD_SHARED_LIBS=OFF
host_only subdirectory ""
quietly cmake --build "$work/subdirectory" -j 2
library=$work/subdirectory/third-party/cfdtbd/lib
uses_library "$work/subdirectory/tests" "$work/subdirectory"
uses_library "$work/subdirectory/approximate" ""
others=$(nm -g --defined-only "$library/libcfdtbd.a" | awk 'NF == 3 && $3 !~ /^cfd_/ { print $3 }')
[ -z "$others" ] || broken "the archive has global names that are not public: $(echo "$others" | head -n 3)"
if nm "$library/libcfdtbd.so" | grep -q set_fast_math; then
    broken "the library changes the floating-point mode"
fi
recommends "$work/subdirectory/tests" 2
recommends "$work/subdirectory/approximate" 2
quietly cmake --install "$work/subdirectory" --prefix "$work/installed"
(cd "$work/installed" && find . ! -type d) >"$work/files"
[ "$(cat "$work/files")" = ./bin/tests ] || broken "the host installs more than its own: $(cat "$work/files")"

configure fetched -DFETCHCONTENT_SOURCE_DIR_CFDTBD="$sources" -DBUILD_SHARED_LIBS=ON
host_only fetched ""
commands subdirectory >"$work/first"
commands fetched >"$work/second"
[ -s "$work/first" ] || broken "no commands"
cmp "$work/first" "$work/second" || broken "the library is built differently by FetchContent"
