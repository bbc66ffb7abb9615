#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# changes.sh ROOT SCRATCH
# What classify (abi.sh) makes of each kind of change, tried on copies of the baseline, so that a break is known to be found
# and what the policy allows to be let pass.
set -eu
here=$1/tests/abi
# shellcheck source=tests/abi/abi.sh
. "$here/abi.sh"
have_abigail || exit 77
work=$2/changes
rm -rf "$work"
mkdir -p "$work"
broken=0

# member OFFSET NAME TYPE: a field as it stands in the baseline, for the right side of a sed command.
member()
{
    printf '%s\n' "<data-member layout-offset-in-bits='$1'>\n<var-decl name='$2' type-id='$3'/>\n</data-member>\n"
}

# expect CLASS NAME OLD NEW: two files of $work, or the baseline.
expect()
{
    class=$(classify "$3" "$4" "$work/report") || class=error
    if [ "$class" != "$1" ]; then
        echo "$2: $class, not $1" >&2
        cat "$work/report" >&2
        broken=1
    fi
    ! cmp -s "$3" "$4" || [ "$1" = same ] || { echo "$2: nothing was changed" >&2 && broken=1; }
}

# changed CLASS NAME SED...: the baseline after a sed script.
changed()
{
    class=$1 name=$2
    shift 2
    sed "$@" "$base" >"$work/new.abi"
    expect "$class" "$name" "$base" "$work/new.abi"
}

base=$work/base.abi
cp "$here/cfdtbd.abi" "$base"

# first KEY ATTRIBUTE: the attribute of the first line of the baseline that has KEY.
first()
{
    sed -n "/$1/s/.* $2='\([^']*\)'.*/\1/p" "$base" | head -n 1
}

size=$(first "<class-decl name='cfd_filter'" size-in-bits)
fixed=$(first "<class-decl name='cfd_metrics'" size-in-bits)
int32=$(first "<typedef-decl name='int32_t'" id)
int64=$(first "<typedef-decl name='int64_t'" id)
version="<function-decl name='cfd_version'/,/<\\/function-decl>"
explain="/<function-decl name='cfd_explain'/,/<\\/function-decl>/"
filter="/<class-decl name='cfd_filter'/,/<\\/class-decl>/"
metrics="/<class-decl name='cfd_metrics'/,/<\\/class-decl>/"
larger="s/size-in-bits='$size'/size-in-bits='$((size + 64))'/"
swapped="s/'exclude_seen'/'other'/;s/'has_min_score'/'exclude_seen'/;s/'other'/'has_min_score'/"
# appended MEMBER: before the struct's end.
appended()
{
    printf '%s\n' "s|</class-decl>|$1&|"
}

expect same "nothing" "$base" "$base"

changed break "a function that is gone" "/elf-symbol name='cfd_version'/d;/$version/d"
sed "/elf-symbol name='cfd_version'/d;/$version/d" "$base" >"$work/without.abi"
expect compatible "a function that is new" "$work/without.abi" "$base"
changed break "another version of a symbol" "/elf-symbol name='cfd_version'/s/CFDTBD_[0-9.]*/CFDTBD_99.0/"
changed break "a parameter of another type" "${explain}s/type-id='$int32'/type-id='$int64'/"
changed break "one parameter more" "${explain}s/ *<return/<parameter type-id='$int32'\\/>&/"
changed break "another SONAME" "s/soname='libcfdtbd.so.[0-9]*'/soname='libcfdtbd.so.99'/"

enumerator="<enumerator name='CFD_ERROR_DATA' value="
changed break "an enumerator of another value" "s/${enumerator}'6'/${enumerator}'16'/"
changed break "an enumerator that is gone" "/$enumerator/d"
changed compatible "an enumerator that is new" "s|^ *${enumerator}'6'/>|&<enumerator name='CFD_ERROR_NEW' value='99'/>|"

changed break "two fields that change places" "$filter{$swapped;}"
changed break "a field of another type" "$filter{/'min_score'/s/type-id='[0-9a-f]*'/type-id='$int32'/;}"
changed break "a field of another name" "$filter{s/'min_score'/'least_score'/;}"
changed compatible "a reserved field that gets a meaning" "$filter{s/'reserved'/'meaning'/;}"
changed compatible "a field at the end" "$filter{$larger;$(appended "$(member "$size" more "$int64")");}"
changed break "a field at the end, and two that change places" \
    "$filter{$larger;$swapped;$(appended "$(member "$size" more "$int64")");}"
pointer=$(first "<typedef-decl name='cfd_progress_function'" type-id)
type=$(first "<pointer-type-def .*id='$pointer'" type-id)
callback="/<function-type id='$type'>/,/<\\/function-type>/s/<return type-id='[0-9a-f]*'/<return type-id='$int64'/"
changed break "a callback of another type" "$callback"
old=$(first "<class-decl name='cfd_train_options'" size-in-bits)
options="/<class-decl name='cfd_train_options'/,/<\\/class-decl>/"
larger_options="s/size-in-bits='$old'/size-in-bits='$((old + 64))'/"
changed break "a field at the end, and a callback of another type" \
    "$callback;$options{$larger_options;$(appended "$(member "$old" more "$int64")");}"
moved="s/layout-offset-in-bits='$((size - 32))'/layout-offset-in-bits='$size'/"
changed break "a field in the middle" "$filter{$larger;$moved;$(appended "$(member "$((size - 32))" more "$int32")");}"
larger_metrics="s/size-in-bits='$fixed'/size-in-bits='$((fixed + 64))'/"
changed break "a field at the end of a struct without struct_size" \
    "$metrics{$larger_metrics;$(appended "$(member "$fixed" more "$int64")");}"

# A struct that ends in padding: a field that is put there is not seen by struct_size.
small=$(member "$size" small "$int32")
sed "$filter{$larger;$(appended "$small");}" "$base" >"$work/padded.abi"
sed "$filter{$larger;$(appended "$small$(member "$((size + 32))" more "$int32")");}" "$base" >"$work/slipped.abi"
expect break "a field in what was padding" "$work/padded.abi" "$work/slipped.abi"

rm -rf "$work"
exit "$broken"
