# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Which files are the project's, and clang's tools for them. Sourced, in the project's root, by the scripts of this folder.

# project_files: their names, a line each: what git knows or does not ignore; from a tree without git, all that is neither
# hidden nor built. Captured data under tests/fixtures is left out, and so is what a packager brings in debian/patches.
project_files()
{
    {
        if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ]; then
            git -c core.quotePath=false ls-files -co --exclude-standard
        else
            set -- -name '.?*' -not -name .ci -not -name '.clang-*' -not -name '.editorconfig' -not -name '.shellcheckrc' -o -name __pycache__ -o -path './build*'
            find . -name CMakeCache.txt -exec dirname {} \; >"$work/builds"
            while read -r build; do
                set -- "$@" -o -path "$build"
            done <"$work/builds"
            find . \( "$@" \) -prune -o -type f -print | sed 's|^\./||'
        fi
    } | grep -vE '^(tests/fixtures|debian/patches)/|\.(npy|npz|png)$' | while read -r file; do
        [ ! -f "$file" ] || echo "$file"
    done
}

# project_files_like PATTERN: those whose names match the extended pattern.
project_files_like()
{
    project_files | grep -E "$1" || [ $? -eq 1 ]
}

# clang_tool NAME: clang-NAME of the major version that the configurations of this folder's checks were written for, in $program.
# Others differ, so with them the check is left out (77).
clang_tool()
{
    version=14
    for program in "clang-$1-$version" "clang-$1"; do
        if "$program" --version 2>/dev/null | grep -q "version $version\."; then
            return
        fi
    done
    echo "no clang-$1 $version: not checked"
    exit 77
}

work=$(mktemp -d "${TMPDIR:-/tmp}/cfdtbd-style.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
