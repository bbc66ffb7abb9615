# SPDX-License-Identifier: Apache-2.0
# What the other scripts check JSON with takes JSON and nothing else (RFC 8259).
. "$2/cli/helpers"

# judged CODE TEXT: TEXT as printf has it.
judged() {
    # shellcheck disable=SC2059 # escapes are meant
    printf -- "$2" >text
    what="json_check $2"
    "$json_check" text >run/out 2>run/err
    code=$?
    [ "$code" -eq "$1" ] || broken "exit code $1 wanted"
}

for good in '{}' '[]' ' [ ] \r\n' '0' '-0' '10' '-1.5e+07' '2E-3' '0.0' 'true' 'false' 'null' '""' '[1,[2,{"a":[]}]]' \
    '{"a": 1, "b": [true, null]}' '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00aF"' '"\303\251 \342\202\254 \360\235\204\236"' '"\177"'; do
    judged 0 "$good"
done
for bad in '' ' ' '{' '}' '[1' '[1,]' '[,1]' '[1 2]' '{"a"}' '{"a":}' '{"a":1,}' '{a:1}' "{'a':1}" '{"a":1}}' '[]]' '1 1' \
    '01' '+1' '.5' '1.' '1e' '1e+' '-' '--1' 'NaN' '-inf' 'Infinity' '0x1' '1,5' 'tru' 'True' 'nulll' '"' '"a' 'a' '"\n"' \
    '"\t"' '"\\x"' '"\\u12g4"' '"\\u123"' '"\377"' '"\300\200"' '"\303"' '"\355\240\200"' '"\364\220\200\200"' '{}\000' \
    '\357\273\277{}' '{1:2}' '// a\n1'; do
    judged 1 "$bad"
done
