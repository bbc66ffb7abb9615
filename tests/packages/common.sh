# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the tests of packages share; taken in by them. SOURCE and BUILD are the folders of the sources and of the build
# that is tested, CMAKE the cmake that made it.
set -eu
LC_ALL=C
export LC_ALL
umask 022
# Only what is asked for: not what the caller's environment would have cmake or pkg-config do.
unset DESTDIR PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR CMAKE_PREFIX_PATH CMAKE_INSTALL_MODE
# shellcheck disable=SC2034 # for those that take this in
here=$SOURCE/tests/packages
work=$(mktemp -d "${TMPDIR:-/tmp}/cfdtbd-packages.XXXXXX")
work=$(cd "$work" && pwd -P)
trap 'rm -rf "$work"' EXIT

die()
{
    echo "$*" >&2
    exit 1
}

# need PROGRAM...: without one of them, the test is skipped.
need()
{
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "no $program: skipped"; exit 77; }
    done
}

# quiet COMMAND...: what it says is shown if it fails.
quiet()
{
    "$@" >"$work/said" 2>&1 || { code=$?; cat "$work/said" >&2; die "exit code $code: $*"; }
}

# equal WHAT EXPECTED ACTUAL
equal()
{
    [ "$2" = "$3" ] || die "$1: \"$2\" wanted, not \"$3\""
}

# flags PC-FOLDER ARGUMENT...: what pkg-config says of cfdtbd, each path in its plain form, without the blank at the
# end.
flags()
{
    folder=$1
    shift
    out=''
    for word in $(PKG_CONFIG_LIBDIR=$folder pkg-config "$@" cfdtbd); do
        case $word in
        -[IL]/*) word=$(printf %.2s "$word")$(realpath -m "${word#-?}") ;;
        esac
        out="$out${out:+ }$word"
    done
    echo "$out"
}

# no_paths FOLDER: nothing in it mentions the sources or the build.
no_paths()
{
    ! grep -rlF -e "$SOURCE" -e "$BUILD" "$1" || die "these mention $SOURCE or $BUILD"
}
