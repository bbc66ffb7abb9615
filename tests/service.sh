# SPDX-License-Identifier: Apache-2.0
# The service: every endpoint, what it refuses, its model exchanged while requests run, its end. Called as
# `sh service.sh PROGRAM TESTS_DIR JSON_CHECK SERVICE`; SERVICE is empty where libmicrohttpd was not there to build it.
if [ -z "$4" ]; then
    echo "skipped: no libmicrohttpd, so that there is no service"
    exit 77
fi
if ! command -v curl >/dev/null; then
    echo "skipped: no curl"
    exit 77
fi
. "$2/cli/helpers"
service=$4
case $service in /*) ;; *) service=$OLDPWD/$service ;; esac
running=
asking=
end_all() {
    : >stop
    # shellcheck disable=SC2086 # a list of words
    [ -z "$running$asking" ] || kill -KILL $running $asking 2>/dev/null
    rm -rf "$work"
}
trap end_all EXIT

# until_true WHAT COMMAND...: at most a minute.
until_true() {
    wanted=$1
    shift
    waited=0
    until "$@"; do
        [ "$waited" -lt 600 ] || broken "$wanted within a minute wanted"
        sleep 0.1
        waited=$((waited + 1))
    done
}

# begin MODEL OPTION...: the service, its process in $running and its address in $url.
begin() {
    : >run/address
    "$service" "$@" --port 0 >run/address 2>run/err &
    running=$!
    what="cfdtbd-service $*"
    until_true "an address" is_listening
    url=$(cat run/address)
}

is_listening() {
    kill -0 "$running" 2>/dev/null || broken "a service that runs wanted"
    grep -q '^http://.*:[1-9][0-9]*$' run/address
}

# end SIGNAL: its exit code must be 0.
end() {
    kill "-$1" "$running"
    wait "$running"
    code=$?
    running=
    [ "$code" -eq 0 ] || broken "exit code 0 after SIG$1 wanted"
}

# ask STATUS PATH [CURL OPTION]...: the answer in run/out.
ask() {
    wanted=$1
    what="$2"
    shift
    path=$1
    shift
    answered=$(curl -sS --globoff --max-time 60 -o run/out -w '%{http_code} %{content_type}' "$@" "$url$path" 2>run/err)
    code=$?
    [ "$code" -eq 0 ] || broken "an answer wanted"
    same "$answered" "$wanted application/json" "status and type"
    valid_json run/out
}

# refuses STATUS PATTERN PATH [CURL OPTION]...: an error in JSON, and nothing else.
refuses() {
    status=$1
    pattern=$2
    shift 2
    ask "$status" "$@"
    says run/out '^{"error": "..*"}$'
    says run/out "$pattern"
}

# The items of the answer, in order, a line.
listed() {
    grep -o '"item": [0-9]*, "score"' run/out | tr -dc '0-9\n' | tr '\n' ' '
}

# value KEY: of a number in the answer.
value() {
    sed "s/.*\"$1\": \([^,}]*\).*/\1/" run/out
}

metric() {
    curl -sS --max-time 60 "$url/metrics" | awk -v name="$1" '$1 == name { print $2 }'
}

metric_is() {
    [ "$(metric "$1")" = "$2" ]
}

world data
for model in a:3:yes b:5:yes bare:1:no; do
    epochs=${model#*:}
    # shellcheck disable=SC2086 # $small is several arguments
    works train data $small --epochs "${epochs%:*}" --select none --set "keep.history=${model##*:}" \
        --set "keep.nodes=${model##*:}" --out "${model%%:*}"
done
steps() {
    works info "$1"
    sed -n 's/^  trained  *\([0-9]*\) steps$/\1/p' run/out
}
steps_a=$(steps a)
steps_b=$(steps b)
[ "$steps_a" -lt "$steps_b" ] || broken "models of different steps wanted"

# ---- every endpoint ----
cp a model
begin model --threads 2
works recommend a data --user 3 --k 40
best=$(awk '$1 ~ /^[0-9]+$/ { print $3 }' run/out | tr '\n' ' ')
ask 200 '/recommend?user=3&k=40&exclude_seen=1'
# The program leaves out what is held out for validation, too.
held_out=$(awk '$1 == 3 { print $2 }' data/validation.txt)
same "$(listed | tr ' ' '\n' | grep -vx "$held_out" | tr '\n' ' ')" "$best" "the list of cfdtbd recommend"
same "$(listed | wc -w)" 32 "items beside the 8 that the user has"
ask 200 '/recommend?user=3&k=1000'
same "$(listed | wc -w)" 40 "items"
ask 200 '/recommend?user=3'
same "$(listed | wc -w)" 10 "items without k"
first=$(listed | cut -d' ' -f1)
ask 200 '/recommend?user=3&k=1&exclude_seen=0'
same "$(listed)" "$first " "the best item"
score=$(value score)

for part in base fused common differential 'common&role=words' 'differential&role=shape'; do
    ask 200 "/similar?item=2&k=7&part=$part"
    same "$(listed | wc -w)" 7 "items"
    ! listed | grep -qw 2 || broken "the item itself left out wanted"
done

ask 200 "/explain?user=3&item=$first&k=3"
same "$(grep -o '"contribution"' run/out | wc -l)" 3 "contributions"
near "$(value score)" "$score" 1e-4 "the score that is explained"
# Numbers behind "base", "fused", and in both objects: all up to because_of but user, item and score.
parts=$(sed 's/, "because_of.*//' run/out | tr ',' '\n' | sed 1,3d | sed 's/.*: //' | tr -d '}')
same "$(echo "$parts" | wc -l)" 6 "parts"
near "$(echo "$parts" | awk '{ sum += $1 } END { printf "%.9g", sum }')" "$score" 1e-4 "the sum of the parts"

ask 200 '/fold-in?items=1,3,5&k=4'
same "$(listed | wc -w)" 4 "items"
ask 200 '/fold-in?items=1,3,5&k=1000'
same "$(listed | wc -w)" 37 "items beside those that the user has"
cp run/out folded
ask 200 '/fold-in' -d 'items=1%2C3,5&k=1000'
cmp -s run/out folded || broken "the same answer to a form wanted"
ask 200 '/fold-in?k=1000' -d 'items=5,3,1,1'
cmp -s run/out folded || broken "the same answer wanted, whatever the order"

ask 200 /health
same "$(tr -d '"' <run/out)" "{status: ok, users: 60, items: 40, steps: $steps_a, roles: [shape, words]}" health
curl -sS -I "$url/health" >run/out 2>run/err
says run/out '^HTTP/1.1 200 '

# ---- what is refused ----
refuses 404 'endpoint' /
refuses 404 'endpoint' /recommend/
refuses 404 'endpoint' '/health%00'
refuses 404 'endpoint' '/%ff%22%0a'
for path in /recommend /similar /explain /health /metrics; do
    refuses 405 'method' "$path" -d 'user=1'
done
refuses 405 'method' /fold-in -X DELETE
curl -sS -i -X PUT "$url/health" >run/out 2>run/err
says run/out '^Allow: GET, HEAD'
for number in '' -1 +1 1.0 1e3 0x1 ' 1' '1 ' 60 2147483647 2147483648 99999999999999999999 '1%00' %31x a; do
    refuses 400 'user' "/recommend?user=$(echo "$number" | sed 's/ /%20/g')"
done
for k in 0 -1 1001 10k ''; do
    refuses 400 'from 1 to 1000' "/recommend?user=1&k=$k"
done
refuses 400 'user is missing' '/recommend?k=3'
refuses 400 'user is missing' '/recommend'
refuses 400 'user has no value' '/recommend?user'
refuses 400 'user is given twice' '/recommend?user=1&user=1'
refuses 400 'no parameter .*item' '/recommend?user=1&item=2'
refuses 400 'no parameter' '/recommend?user=1&%22%01%ff%00=2'
refuses 400 'exclude_seen' '/recommend?user=1&exclude_seen=2'
refuses 400 'part' '/similar?item=1&part=all'
refuses 400 'part is missing' '/similar?item=1'
refuses 400 '40' '/similar?item=40&part=fused'
refuses 400 'role' '/similar?item=1&part=common&role=nothing'
refuses 400 'role' '/similar?item=1&part=common&role='
refuses 400 'role' "/similar?item=1&part=common&role=$(printf '%064d' 0)"
refuses 400 '40' '/explain?user=1&item=40'
refuses 400 'item is missing' '/explain?user=1'
for items in '' ',' '1,' ',1' '1,,2' '1,x' '1,-2' '1;2' 40 '1,40' "$(printf '%030d' 1)"; do
    refuses 400 '' "/fold-in?items=$items"
    refuses 400 '' /fold-in -d "items=$items"
done
many=$(awk 'BEGIN { for (i = 0; i < 1000; i++) printf "%d,", i % 40 }')
ask 200 "/fold-in?items=${many%,}"
refuses 400 'at most 1000' "/fold-in?items=${many}1"
refuses 400 'items is given twice' '/fold-in?items=1' -d 'items=2'
refuses 400 'no parameter' /fold-in -H 'Content-Type: application/json' -d '{"items": [1]}'
refuses 400 'items is missing' /fold-in -d ''
head -c 16384 /dev/zero >zeros
refuses 400 'zero' /fold-in --data-binary @zeros
head -c 16385 /dev/zero >zeros
refuses 413 '16384' /fold-in --data-binary @zeros
refuses 413 '16384' /fold-in -H 'Transfer-Encoding: chunked' --data-binary @zeros
what="a header that is too long"
curl -sS -o run/out -w '%{http_code}' "$url/fold-in?items=$(printf '%040000d' 0)" >run/status 2>run/err
same "$(cat run/status)" 414 "status"
what="a body that ends too soon"
curl -sS --max-time 1 -H 'Content-Length: 100' -d 'items=1' "$url/fold-in" >run/out 2>run/err && broken "no answer wanted"
ask 200 /health

# ---- what is counted ----
what="/metrics"
curl -sS -D run/header "$url/metrics" >run/out 2>run/err || broken "an answer wanted"
says run/header '^Content-Type: text/plain; version=0.0.4; charset=utf-8'
same "$(metric 'cfdtbd_requests_total{endpoint="fold-in",status="413"}')" 2 "bodies that were too long"
awk '
    /^# (HELP|TYPE) / { if ($2 == "TYPE") type[$3] = $4; next }
    !/^[a-z_]+({[a-z]+="[^"]*"(,[a-z]+="[^"]*")*})? [0-9.]+$/ { print "no sample: " $0; bad = 1 }
    { name = $1; sub(/{.*/, "", name); sub(/_(bucket|sum|count)$/, "", name) }
    !(name in type) { print "no type: " $0; bad = 1 }
    { e = $1; sub(/.*endpoint="/, "", e); sub(/".*/, "", e) }
    /_bucket/ && $2 + 0 < last[e] + 0 { print "buckets descend: " $0; bad = 1 }
    /_bucket/ { last[e] = $2 }
    /_requests_total/ { requests[e] += $2 }
    /_count/ { counted[e] = $2 }
    END {
        for (e in requests) if (requests[e] != counted[e]) { print e ": " requests[e] " and " counted[e]; bad = 1 }
        exit bad || counted["recommend"] == 0
    }' run/out >run/problems || broken "metrics as Prometheus reads them wanted: $(cat run/problems)"

# ---- another model, while requests run ----
# requests N: a line with the status of each, until the file stop is there; then, in N.ended, whether curl was content.
requests() {
    result=0
    while [ ! -e stop ] && [ "$result" -eq 0 ]; do
        curl -sS -o /dev/null -w '%{http_code}\n' "$url/recommend?user=[0-59]&k=5&exclude_seen=1" \
            >>"$1.codes" 2>>"$1.problems"
        result=$?
    done
    echo "$result" >"$1.ended"
}

# exchange FILE: another file in the model's place, at once.
exchange() {
    cp "$1" beside
    mv beside model
    kill -HUP "$running"
}

before=$(metric 'cfdtbd_requests_total{endpoint="recommend",status="200"}')
for n in 1 2 3; do
    requests "$n" &
    asking="$asking $!"
done
n=0
while [ "$n" -lt 10 ]; do
    for model in b a; do
        n=$((n + 1))
        exchange "$model"
        what="reload $n"
        until_true "reload $n" metric_is 'cfdtbd_reloads_total{result="done"}' "$n"
        eval "wanted=\$steps_$model"
        same "$(metric cfdtbd_model_steps)" "$wanted" "steps of the model"
    done
done
head -c 5000 a >short
exchange short
what="a model file that is cut short"
until_true "a reload that fails" metric_is 'cfdtbd_reloads_total{result="failed"}' 1
rm model
kill -HUP "$running"
what="a model file that is not there"
until_true "a reload that fails" metric_is 'cfdtbd_reloads_total{result="failed"}' 2
same "$(metric cfdtbd_model_steps)" "$steps_a" "steps of the model, which stays"
: >stop
# shellcheck disable=SC2086 # a list of words
wait $asking
asking=
what="requests while models were exchanged"
for n in 1 2 3; do
    same "$(cat "$n.ended")" 0 "curl's exit code"
    [ ! -s "$n.problems" ] || broken "no problem wanted: $(cat "$n.problems")"
    [ -s "$n.codes" ] || broken "requests wanted"
done
same "$(cat 1.codes 2.codes 3.codes | sort -u)" 200 "statuses"
answered=$(cat 1.codes 2.codes 3.codes | wc -l)
same "$(metric 'cfdtbd_requests_total{endpoint="recommend",status="200"}')" "$((before + answered))" "requests counted"

# ---- the end: a request that has begun is answered ----
what="a request that has begun before SIGTERM"
mkfifo slow
: >run/said
curl -sS -v --max-time 60 -X POST -H 'Expect: 100-continue' -T - "$url/fold-in?k=4" <slow >run/out 2>run/said &
asking=$!
exec 9>slow
printf 'items=1,' >&9
until_true "a request that has begun" grep -q '^< HTTP/1.1 100 ' run/said
kill -TERM "$running"
sleep 0.5
printf '3' >&9
exec 9>&-
wait "$asking" || broken "an answer wanted: $(cat run/said)"
asking=
same "$(listed | wc -w)" 4 "items"
wait "$running"
code=$?
running=
[ "$code" -eq 0 ] || broken "exit code 0 after SIGTERM wanted"

cp a model
begin model --threads 1 --address ::1
ask 200 '/recommend?user=3'
end INT

# ---- models without history and nodes ----
begin bare
refuses 400 'keep.history' '/recommend?user=3&exclude_seen=1'
refuses 400 'keep.nodes' '/explain?user=3&item=1'
refuses 400 'keep.nodes' '/fold-in?items=1'
ask 200 '/recommend?user=3'

# ---- the command line ----
# fails CODE PATTERN ARGUMENT...
fails() {
    wanted=$1
    pattern=$2
    shift 2
    what="cfdtbd-service $*"
    "$service" "$@" >run/out 2>run/err </dev/null
    code=$?
    [ "$code" -eq "$wanted" ] || broken "exit code $wanted wanted"
    same "$(grep -c '^cfdtbd-service: .' run/err)" 1 "lines of error"
    says run/err "$pattern"
}
fails 1 'nowhere' nowhere
fails 1 'short' short
fails 1 'cannot listen on 127.0.0.1' bare --port "${url##*:}"
fails 1 'no address' bare --address localhost
fails 2 'MODEL is missing'
fails 2 'port' bare --port 65536
fails 2 'threads' bare --threads 0
fails 2 'no option' bare --host x
end TERM
