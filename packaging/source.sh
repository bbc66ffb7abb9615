#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Packs the sources: source.sh VERSION FILE.tar.gz. In a clone, what is committed; elsewhere (unpacked from such a
# file), the files and folders that are the project's. The same sources give the same bytes.
set -eu

version=$1
file=$2
root=$(cd "$(dirname "$0")/.." && pwd)
ours='.ci .clang-format .clang-tidy .editorconfig .gitignore .shellcheckrc CHANGELOG.md CMakeLists.txt CMakePresets.json
CONTRIBUTING.md LICENSE README.md SECURITY.md cmake cuda docs examples include lib packaging pkgconfig tests'

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
folder=$scratch/cfdtbd-$version
mkdir "$folder"
if [ -e "$root/.git" ]; then
    # safe.directory: the clone may be another user's (a build in a container, say).
    git -c safe.directory="$root" -C "$root" archive --format=tar HEAD >"$scratch/tracked.tar"
    tar -x -f "$scratch/tracked.tar" -C "$folder"
else
    # shellcheck disable=SC2086 # names, one word each
    (cd "$root" && tar -c $ours) >"$scratch/ours.tar"
    tar -x -f "$scratch/ours.tar" -C "$folder"
fi

seconds=$(sed -n 's/^ -- .*>  //p' "$root/packaging/debian/changelog" | head -n 1)
seconds=$(date -d "$seconds" +%s)
tar -c -f "$scratch/sources.tar" -C "$scratch" --format=ustar --sort=name --mtime="@$seconds" --owner=0 --group=0 \
    --numeric-owner --mode=u=rwX,go=rX "cfdtbd-$version"
gzip -9n <"$scratch/sources.tar" >"$file.part"
mv "$file.part" "$file"
