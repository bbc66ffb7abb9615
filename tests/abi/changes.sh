#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# changes.sh ROOT SCRATCH
# What classify (abi.sh) makes of each kind of change, tried on copies of the baseline, so that a break is known to be found and
# what the policy allows to be let pass.
set -eu
here=$1/tests/abi
# shellcheck source=tests/abi/abi.sh
. "$here/abi.sh"
have_abigail || exit 77
work=$2/changes
rm -rf "$work"
mkdir -p "$work"
broken=0

# member OFFSET NAME TYPE: a field as it stands in the baseline, on one line.
member()
{
    echo "<data-member access='public' layout-offset-in-bits='$1'><var-decl name='$2' type-id='$3' visibility='default'/></data-member>"
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
in_filter="/<class-decl name='cfd_filter'/,/<\\/class-decl>/"
in_metrics="/<class-decl name='cfd_metrics'/,/<\\/class-decl>/"
size=$(sed -n "s/.*<class-decl name='cfd_filter' size-in-bits='\([0-9]*\)'.*/\1/p" "$base")
fixed=$(sed -n "s/.*<class-decl name='cfd_metrics' size-in-bits='\([0-9]*\)'.*/\1/p" "$base")
int32=$(sed -n "s/.*<typedef-decl name='int32_t' .* id='\([0-9a-f]*\)'.*/\1/p" "$base" | head -n 1)
int64=$(sed -n "s/.*<typedef-decl name='int64_t' .* id='\([0-9a-f]*\)'.*/\1/p" "$base" | head -n 1)
long="s/size-in-bits='$size'/size-in-bits='$((size + 64))'/"

expect same "nothing" "$base" "$base"
changed break "a function that is gone" "/elf-symbol name='cfd_version'/d; /<function-decl name='cfd_version'/,/<\\/function-decl>/d"
sed "/elf-symbol name='cfd_version'/d; /<function-decl name='cfd_version'/,/<\\/function-decl>/d" "$base" >"$work/without.abi"
expect compatible "a function that is new" "$work/without.abi" "$base"
changed break "another version of a symbol" "/elf-symbol name='cfd_version'/s/CFDTBD_1.0/CFDTBD_2.0/"
changed break "a parameter of another type" \
    "/<function-decl name='cfd_explain'/,/<\\/function-decl>/s/type-id='$int32'/type-id='$int64'/"
changed break "one parameter more" "/<function-decl name='cfd_explain'/,/<\\/function-decl>/s/ *<return/<parameter type-id='$int32'\\/>&/"
changed break "an enumerator of another value" "s/<enumerator name='CFD_ERROR_DATA' value='6'/<enumerator name='CFD_ERROR_DATA' value='16'/"
changed break "an enumerator that is gone" "/<enumerator name='CFD_ERROR_DATA'/d"
changed compatible "an enumerator that is new" "s/\( *\)<enumerator name='CFD_ERROR_SYSTEM' value='9'\\/>/&<enumerator name='CFD_ERROR_NEW' value='10'\\/>/"
changed break "two fields that change places" \
    "$in_filter{s/'exclude_seen'/'other'/;s/'has_min_score'/'exclude_seen'/;s/'other'/'has_min_score'/;}"
changed break "a field of another type" "$in_filter{/'min_score'/s/type-id='[0-9a-f]*'/type-id='$int32'/;}"
changed break "a field of another name" "$in_filter{s/'min_score'/'least_score'/;}"
changed compatible "a reserved field that gets a meaning" "$in_filter{s/'reserved'/'meaning'/;}"
changed compatible "a field at the end" "$in_filter{$long;s|</class-decl>|$(member "$size" more "$int64")&|;}"
changed break "a field in the middle" \
    "$in_filter{$long;s/layout-offset-in-bits='$((size - 32))'/layout-offset-in-bits='$size'/;s|</class-decl>|$(member "$((size - 32))" more "$int32")&|;}"
changed break "a field at the end, and two that change places" \
    "$in_filter{$long;s/'exclude_seen'/'other'/;s/'has_min_score'/'exclude_seen'/;s/'other'/'has_min_score'/;s|</class-decl>|$(member "$size" more "$int64")&|;}"
changed break "a field at the end of a struct without struct_size" \
    "$in_metrics{s/size-in-bits='$fixed'/size-in-bits='$((fixed + 64))'/;s|</class-decl>|$(member "$fixed" more "$int64")&|;}"
changed break "another SONAME" "s/soname='libcfdtbd.so.1'/soname='libcfdtbd.so.2'/"

# The end of a struct that ends in padding: a field there is not seen by struct_size.
sed "$in_filter{$long;s|</class-decl>|$(member "$size" small "$int32")&|;}" "$base" >"$work/padded.abi"
sed "$in_filter{$long;s|</class-decl>|$(member "$size" small "$int32")\\n$(member "$((size + 32))" more "$int32")&|;}" "$base" \
    >"$work/slipped.abi"
expect break "a field in what was padding" "$work/padded.abi" "$work/slipped.abi"
rm -rf "$work"
exit "$broken"
