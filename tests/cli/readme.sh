# SPDX-License-Identifier: Apache-2.0
# The README's program, compiled against an installed tree as the README says, shared and static, and run.
. "$2/cli/helpers"
world data
build=$(dirname "$(dirname "$program")")
what="cmake --install"
cmake --install "$build" --prefix "$work/prefix" >run/out 2>run/err || broken "an installed tree wanted"

# shellcheck disable=SC2016 # no command, but the fence of Markdown
sed -n '/^```c$/,/^```$/p' "$2/../README.md" | sed '1d;$d' >program.c
[ "$(wc -l <program.c)" -ge 25 ] || broken "a program of the README wanted"
[ "$(wc -l <program.c)" -le 30 ] || broken "a program of at most 30 lines wanted"

PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name cfdtbd.pc)")
export PKG_CONFIG_PATH
libraries=$(pkg-config --variable=libdir cfdtbd)
sanitizers=$(sed -n 's/^CFDTBD_SANITIZE:STRING=\(..*\)$/-fsanitize=\1/p' "$build/CMakeCache.txt")

lists_ten_items() {
    code=$?
    [ "$code" -eq 0 ] || broken "exit code 0 wanted"
    same "$(grep -c '^item [0-9]*: -*[0-9.]*$' run/out)" 10 "items"
}

what="cc with pkg-config"
# shellcheck disable=SC2046,SC2086 # lists of words
cc -Wall -Wextra -Werror $sanitizers program.c $(pkg-config --cflags --libs cfdtbd) -o shared >run/out 2>run/err ||
    broken "a program wanted"
what="the program, linked to the shared library"
LD_LIBRARY_PATH=$libraries ./shared data >run/out 2>run/err
lists_ten_items
cp run/out first

what="cc with pkg-config --static"
# shellcheck disable=SC2046,SC2086
cc $sanitizers program.c $(pkg-config --cflags cfdtbd) "$libraries/libcfdtbd.a" \
    $(pkg-config --libs --static cfdtbd | tr ' ' '\n' | grep -v -e '^-lcfdtbd$') -o static >run/out 2>run/err ||
    broken "a program wanted"
what="the program, linked to the archive"
./static data >run/out 2>run/err
lists_ten_items
cmp -s run/out first || broken "the same list from the archive wanted"

what="the installed cfdtbd"
"$work/prefix/bin/cfdtbd" --version >run/out 2>run/err || broken "exit code 0 wanted"
says run/out '^cfdtbd '
what="the README's program without data"
LD_LIBRARY_PATH=$libraries ./shared "$work/nowhere" >run/out 2>run/err && broken "exit code 1 wanted"
says run/err 'nowhere'

# The header for C++ is installed, too.
if command -v c++ >/dev/null; then
    what="c++ with pkg-config"
    # shellcheck disable=SC2046,SC2086
    c++ -std=c++17 -Wall -Wextra -Werror $sanitizers "$2/../examples/cpp/minimal.cpp" $(pkg-config --cflags --libs cfdtbd) -o in_cpp \
        >run/out 2>run/err || broken "a program wanted"
    what="the program in C++"
    LD_LIBRARY_PATH=$libraries ./in_cpp >run/out 2>run/err || broken "exit code 0 wanted"
    says run/out '^item [0-9]*: '
fi
