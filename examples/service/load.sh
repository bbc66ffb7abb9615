#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How many lists a second the service gives on this machine, over loopback, to 1, 8 and 64 connections, and to 64 while its
# model is loaded again 20 times. Each asks for the ten best items of a user drawn at random, and asks again as soon as it has
# the answer. wrk (Debian: wrk) asks, on the same processors, so the service alone could do more.
# Usage: sh load.sh SERVICE MODEL [SECONDS [THREADS]]   seconds each, 5; threads of the service, as many as processors
set -eu
LC_ALL=C
export LC_ALL
if [ $# -lt 2 ] || [ $# -gt 4 ]; then
    echo "usage: sh load.sh SERVICE MODEL [SECONDS [THREADS]]" >&2
    exit 2
fi
service=$1
model=$2
seconds=${3:-5}
threads=${4:-$(nproc)}
reloads=20
for tool in wrk curl; do
    command -v "$tool" >/dev/null || { echo "load.sh: no $tool (Debian: apt-get install $tool)" >&2; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/cfdtbd-load.XXXXXX")
running=
trap '[ -z "$running" ] || kill -KILL "$running" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

cat >"$work/ask.lua" <<'LUA'
function init(arguments)
    users = tonumber(arguments[1])
    math.randomseed(1)
end

function request()
    return wrk.format("GET", "/recommend?k=10&user=" .. math.random(0, users - 1))
end

function done(summary, latency)
    local e = summary.errors
    local rate = summary.requests / (summary.duration / 1e6)
    print(string.format("figures %.0f %.3f %.3f %d", rate, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
                        e.connect + e.read + e.write + e.status + e.timeout))
end
LUA

# load NAME CONNECTIONS: a line of the table.
load()
{
    wrk --threads 1 --connections "$2" --duration "${seconds}s" --script "$work/ask.lua" "$url" -- "$users" \
        >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
    awk -v name="$1" '$1 == "figures" { printf "%-30s %12s %9s %9s %7s\n", name, $2, $3, $4, $5; n++ } END { exit n != 1 }' \
        "$work/said" || { cat "$work/said" >&2; exit 1; }
}

# reload: so many times, spread over the seconds.
reload()
{
    pause=$(awk -v s="$seconds" -v n="$reloads" 'BEGIN { print 0.9 * s / n }')
    n=0
    while [ "$n" -lt "$reloads" ]; do
        kill -HUP "$running"
        sleep "$pause"
        n=$((n + 1))
    done
}

"$service" "$model" --port 0 --threads "$threads" >"$work/address" 2>"$work/log" &
running=$!
until [ -s "$work/address" ]; do
    kill -0 "$running" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
done
url=$(cat "$work/address")
curl -sS --fail "$url/health" >"$work/health"
users=$(sed 's/.*"users": \([0-9]*\).*/\1/' "$work/health")
items=$(sed 's/.*"items": \([0-9]*\).*/\1/' "$work/health")

echo "$users users, $items items, $threads threads of the service, $(nproc) processors, $seconds s each"
printf '%-30s %12s %9s %9s %7s\n' connections requests/s 'p50 ms' 'p99 ms' errors
load 1 1
load 8 8
load 64 64
reload &
reloading=$!
load "64, $reloads reloads" 64
wait "$reloading"
curl -sS --fail "$url/metrics" | grep '^cfdtbd_reloads_total'
kill -TERM "$running"
wait "$running"
running=
