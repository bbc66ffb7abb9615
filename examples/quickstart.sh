#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a clone to recommendations, on Debian 12: installs what is missing, builds, makes a data set of Debian's own
# packages, trains, and answers "which package goes with this one?". docs/debian-packages.md explains what it shows.
# Everything it writes is in build/quickstart; run it again as often as you like.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build/quickstart
data=$build/debian-packages
epochs=40
asked="git build-essential texlive-latex-extra"
mkdir -p "$build"
export LC_ALL=C.UTF-8
# shellcheck source=examples/install-missing.sh
. "$root/examples/install-missing.sh"

say()
{
    printf '\n== %s\n' "$*"
}

# logged FILE COMMAND...: runs it without a word, unless it fails.
logged()
{
    log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null || {
        status=$?
        tail -n 40 "$log" >&2
        echo "quickstart: failed: $* (all of it: $log)" >&2
        exit "$status"
    }
}

# What apt knows of all packages; it is short where apt-get update never ran.
describe_packages()
{
    apt-cache dumpavail >"$build/dumpavail.txt" && [ "$(grep -c '^Package: ' "$build/dumpavail.txt")" -gt 20000 ]
}

# metric REPORT RANKING METRIC: one number of a report, with four digits. A report has one value a line.
metric()
{
    sed -n "/^  \"$2\": {/,/^  }/s/.*\"$3\": \([0-9.e-]*\).*/\1/p" "$1" | awk '{ printf "%.4f", $1 }'
}

# ---- what is missing ----
say "Installing what is missing"
logged "$build/apt.log" install_missing build-essential cmake libdnnl-dev

# ---- the programs ----
say "Building in $build"
logged "$build/cmake.log" cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCFDTBD_TESTS=OFF
logged "$build/build.log" cmake --build "$build" -j "$(nproc)" --target cfdtbd_program debian-packages
cfdtbd=$build/examples/cfdtbd
"$cfdtbd" --version

# ---- the data ----
say "Debian's packages, as users and items"
if ! describe_packages; then
    logged "$build/apt.log" apt_get update
    describe_packages || { echo "quickstart: apt-cache dumpavail knows hardly any package" >&2; exit 1; }
fi
"$build/examples/debian-packages" "$build/dumpavail.txt" --out "$data" --force

# ---- training ----
# train NAME OPTION...: a model and its report, under NAME.
train()
{
    name=$1
    shift
    "$cfdtbd" train "$data" --preset beauty --modality visual=debtags --modality textual=words --epochs "$epochs" \
        --protocol full --k 5,10,20 --out "$build/$name.safetensors" --report "$build/$name.json" "$@" >"$build/$name.log"
}
say "Training without content: the graph of packages alone"
train base-only --ablation 'base only'
say "Training with words and debtags"
train full

# ---- results ----
say "Test set: the package that was held out, ranked among all that the user does not have yet"
printf '%-12s %12s %12s %12s\n' '' popularity 'base only' 'full model'
for key in recall@20 ndcg@20 hr@10; do
    printf '%-12s %12s %12s %12s\n' "$key" "$(metric "$build/full.json" popularity "$key")" \
        "$(metric "$build/base-only.json" test "$key")" "$(metric "$build/full.json" test "$key")"
done
for package in $asked; do
    if ! grep -qx "$package" "$data/users.names.txt"; then
        continue # not in this Debian, or with too few relations
    fi
    say "Which packages go with $package, beside those that it asks for already?"
    # A package is often the best match for itself.
    "$cfdtbd" recommend "$build/full.safetensors" "$data" --user "$package" --k 9 |
        awk -v self="$package" '$3 != self && n < 8 { printf "%3d  %s\n", ++n, $3 }'
done
printf '\nAsk for others with\n    "%s" recommend "%s" "%s" --user NAME\n' "$cfdtbd" "$build/full.safetensors" "$data"
