#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: the files are those of installed.txt, the pages and the manual; nothing mentions
# the build; the tree can be moved.
# shellcheck source=tests/packages/common.sh
. "$(dirname "$0")/common.sh"
need pkg-config realpath readelf
case $LIBDIR in
/*) echo "the build installs its libraries in $LIBDIR, not below a prefix: skipped"; exit 77 ;;
esac

quiet "$CMAKE" --install "$BUILD" --prefix "$work/first"
{
    sed -e "s,LIBDIR,$LIBDIR," -e "s,TYPE,$BUILD_TYPE," "$here/installed.txt"
    (cd "$SOURCE" && find docs -name '*.md' -o -name '*.svg' | sed 's,^,share/doc/cfdtbd/,')
    (cd "$SOURCE" && find docs/man -name '*.[13]' 2>/dev/null | sed -E 's,^docs/man/(.*([13]))$,share/man/man\2/\1,')
    [ -z "$PLUGIN" ] || echo "$LIBDIR/cfdtbd/libcfdtbd_cuda.so"
} | sort >"$work/wanted"
(cd "$work/first" && find . ! -type d | sed 's,^\./,,' | sort) >"$work/there"
diff -u "$work/wanted" "$work/there" || die "not the files that should be installed"
no_paths "$work/first"
unsafe=$(find "$work/first" ! -type l -perm /022)
[ -z "$unsafe" ] || die "writable by others: $unsafe"

# Moved, all is found where it is now. A blank in a path is what pkg-config escapes: no such path here.
mv "$work/first" "$work/second"
tree=$work/second
pc=$tree/$LIBDIR/pkgconfig
equal "moved, to compile" "-I$tree/include" "$(flags "$pc" --cflags)"
equal "moved, to link" "-L$tree/$LIBDIR -lcfdtbd" "$(flags "$pc" --libs)"
equal "version" 1.0.0 "$(flags "$pc" --modversion)"
case $(flags "$pc" --libs --static) in
"-L$tree/$LIBDIR -lcfdtbd -l"*" -lm") ;;
*) die "to link the archive: $(flags "$pc" --libs --static)" ;;
esac
equal "below a system root" "-I$tree/include -L$tree/$LIBDIR -lcfdtbd" \
    "$(PKG_CONFIG_SYSROOT_DIR=$work flags "$pc" --cflags --libs)"

# The program finds the library by its own place, except where the system does.
if readelf -d "$tree/bin/cfdtbd" | grep -q 'R.*PATH'; then
    quiet "$tree/bin/cfdtbd" config
else
    echo "configured for a folder of the system: the program has no path of its own"
    LD_LIBRARY_PATH=$tree/$LIBDIR quiet "$tree/bin/cfdtbd" config
fi
