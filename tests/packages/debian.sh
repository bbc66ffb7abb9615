#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The source tarball holds what is committed, packs itself again to the same bytes, and makes the Debian packages, the
# same bytes twice: with the files of debian/PACKAGE and no others, the fields that they should have, nothing that
# lintian calls an error, and a program and a library that work where they are unpacked. The plugin, if there is one,
# is the one that this build has made.
# shellcheck source=tests/packages/common.sh
. "$(dirname "$0")/common.sh"
need dpkg-deb dpkg-parsechangelog dpkg-buildflags file lintian pkg-config cc

# ---- the sources ----
sh "$SOURCE/packaging/source.sh" 1.0.0 "$work/cfdtbd-1.0.0.tar.gz"
mkdir "$work/unpacked"
tar -x -z -f "$work/cfdtbd-1.0.0.tar.gz" -C "$work/unpacked"
sources=$work/unpacked/cfdtbd-1.0.0
if [ -e "$SOURCE/.git" ]; then
    git -c safe.directory="$SOURCE" -C "$SOURCE" -c core.quotePath=off ls-tree -r --name-only HEAD | sort >"$work/wanted"
    (cd "$sources" && find . ! -type d | sed 's,^\./,,' | sort) >"$work/there"
    diff -u "$work/wanted" "$work/there" || die "the tarball is not what is committed"
fi
sh "$sources/packaging/source.sh" 1.0.0 "$work/again.tar.gz"
cmp "$work/cfdtbd-1.0.0.tar.gz" "$work/again.tar.gz" ||
    die "packed again, the tarball differs: does packaging/source.sh name all files and folders of the project?"

# ---- the packages, from those sources ----
out=$work/out
quiet sh "$sources/packaging/debian.sh" "$out" -DCFDTBD_CUDA=off -DCFDTBD_CUDA_PLUGIN="$PLUGIN" -DCFDTBD_GEMM=onednn
(cd "$out" && sha256sum ./*.deb) >"$work/sums"
mkdir "$work/twice"
(cd "$out" && quiet cpack -G DEB -B "$work/twice")
(cd "$work/twice" && sha256sum -c --quiet "$work/sums") || die "packed twice, the packages differ"

triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
architecture=$(dpkg --print-architecture)
names='libcfdtbd1 libcfdtbd-dev cfdtbd-tools'
[ -z "$PLUGIN" ] || names="$names libcfdtbd1-cuda"
for name in $names; do
    echo "${name}_1.0.0-1_$architecture.deb"
done | sort >"$work/wanted"
(cd "$out" && find . -maxdepth 1 -name '*.deb' | sed 's,^\./,,' | sort) >"$work/there"
diff -u "$work/wanted" "$work/there" || die "not the packages that there should be"

# common NAME: what each package has besides debian/NAME.
common()
{
    echo "usr/share/doc/$1/changelog.Debian.gz"
    echo "usr/share/doc/$1/copyright"
    echo "usr/share/lintian/overrides/$1"
    case $1 in
    libcfdtbd-dev)
        (cd "$sources" && find docs -name '*.md' -o -name '*.svg' | sed 's,^,usr/share/doc/libcfdtbd-dev/,')
        (cd "$sources" && find docs/man -name '*.3' 2>/dev/null | sed 's,^docs/man/\(.*\),usr/share/man/man3/\1.gz,')
        ;;
    cfdtbd-tools)
        (cd "$sources" && find docs/man -name '*.1' 2>/dev/null | sed 's,^docs/man/\(.*\),usr/share/man/man1/\1.gz,')
        ;;
    esac
}

# field NAME FIELD PATTERN: an extended regular expression that the whole field matches.
field()
{
    value=$(dpkg-deb -f "$out/${1}_1.0.0-1_$architecture.deb" "$2" | head -n 1)
    echo "$value" | grep -Eqx -- "$3" || die "$1: the field $2 is \"$value\""
}

mkdir "$work/root"
for name in $names; do
    deb=$out/${name}_1.0.0-1_$architecture.deb
    { sed "s,TRIPLET,$triplet," "$here/debian/$name"; common "$name"; } | sort >"$work/wanted"
    dpkg-deb --fsys-tarfile "$deb" | tar -t | grep -v '/$' | sed 's,^\./,,' | sort >"$work/there"
    diff -u "$work/wanted" "$work/there" || die "$name: not the files that it should have"
    # Folders and programs 0755, other files 0644, all of them root's.
    dpkg-deb --fsys-tarfile "$deb" | tar -t -v --numeric-owner >"$work/listed"
    ! grep -Ev '^(drwxr-xr-x|-rw-r--r--|lrwxrwxrwx) 0/0 |^-rwxr-xr-x 0/0 .* \./usr/bin/' "$work/listed" ||
        die "$name: modes or owners that Debian does not have"
    dpkg-deb -x "$deb" "$work/root"
    (cd "$work/root" && dpkg-deb -I "$deb" md5sums | md5sum -c --quiet -) || die "$name: md5sums"
    field "$name" Maintainer '.* <.*@.*>'
    field "$name" Priority optional
    field "$name" Description 'multimodal recommendation.*'
done
field libcfdtbd1 Section libs
field libcfdtbd1 Multi-Arch same
field libcfdtbd1 Depends 'libc6 \(>= [0-9.]+\), libdnnl[0-9]+ .*libgomp1 .*'
field libcfdtbd-dev Section libdevel
field libcfdtbd-dev Multi-Arch same
field libcfdtbd-dev Depends 'libcfdtbd1 \(= 1\.0\.0-1\)'
field libcfdtbd-dev Recommends libdnnl-dev
field cfdtbd-tools Multi-Arch foreign
field cfdtbd-tools Depends 'libcfdtbd1 \(>= 1\.0\.0\), libc6 \(>= [0-9.]+\), libjansson4 .*'
if [ -n "$PLUGIN" ]; then
    field libcfdtbd1-cuda Section contrib/libs
    field libcfdtbd1-cuda Depends 'libcfdtbd1 \(= 1\.0\.0-1\), libc6 .*'
    dpkg-deb -f "$out/libcfdtbd1-cuda_1.0.0-1_$architecture.deb" Description | grep -q '^ libcublas\.so\.[0-9]*, ' ||
        die "libcfdtbd1-cuda: the description does not say which libraries of CUDA it needs"
fi
runtime=$out/libcfdtbd1_1.0.0-1_$architecture.deb
equal shlibs "libcfdtbd 1 libcfdtbd1 (>= 1.0.0)" "$(dpkg-deb -I "$runtime" shlibs)"
equal triggers "activate-noawait ldconfig" "$(dpkg-deb -I "$runtime" triggers)"
! grep -rlF -e "$work" -e "$SOURCE" "$work/root" || die "these mention the folders that they were built from"

# lintian will not run as root unless told so.
as_root=''
[ "$(id -u)" != 0 ] || as_root=--allow-root
lintian $as_root --fail-on error "$out"/*.deb >"$work/lintian" 2>&1 ||
    { lintian $as_root -i "$out"/*.deb >&2 || true; die "lintian finds errors"; }
cat "$work/lintian"

# ---- what is unpacked works ----
libdir=$work/root/usr/lib/$triplet
LD_LIBRARY_PATH=$libdir quiet "$work/root/usr/bin/cfdtbd" config
PKG_CONFIG_SYSROOT_DIR=$work/root
PKG_CONFIG_LIBDIR=$libdir/pkgconfig
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
# shellcheck disable=SC2046 # flags, one word each
quiet cc "$sources/examples/minimal/minimal.c" $(pkg-config --cflags --libs cfdtbd) -o "$work/minimal"
LD_LIBRARY_PATH=$libdir quiet "$work/minimal"
