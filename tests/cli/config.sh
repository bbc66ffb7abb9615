# SPDX-License-Identifier: Apache-2.0
# Every key with value, help, type, range and default; presets with the published numbers.
. "$2/cli/helpers"

works config
says run/out '^embedding_dim = 64$'
says run/out '^batch_size = 2048$'
says run/out '^common_distillation = align$'
same "$(grep -c '^[a-z].* = ' run/out)" "$(grep -c '^    .*; default: ' run/out)" "keys and defaults"
same "$(($(grep -c '^[a-z].* = ' run/out) * 3))" "$(wc -l <run/out | tr -d ' ')" "three lines a key"

# value KEY: of the last config.
value() {
    sed -n "s/^$1 = //p" run/out
}
# SPEC 7: layers, b, lambda v t fused, mu v t fused, rho v t fused, eta differential and common, evaluation.
while read -r preset numbers; do
    works config --preset "$preset"
    got=
    for key in layers base_exponent whiten.visual whiten.textual lambda.visual lambda.textual lambda.fused mu.visual \
        mu.textual mu.fused rho.visual rho.textual rho.fused eta.differential eta.common eval_every decay \
        learning_rate; do
        got="$got $(value "$key")"
    done
    same "$got" " $numbers" "numbers of $preset"
done <<'PRESETS'
taobao 5 -0.3 yes no 0.6 0.3 1 1.2 1 1.9 1.1 0.4 1 0.08 1 5 0.001 0.001
art 5 -0.4 yes yes 0.4 1 1.2 1.1 1.9 2.4 0.06 1 0.4 0.07 0.4 10 0.001 0.001
beauty 4 -0.4 yes yes 0.9 1.2 1 1 1 2.2 0.5 0.9 0.2 0.3 1 10 0.001 0.001
PRESETS

# The last --set wins, and wins over the preset.
works config --preset art --set layers=3 --set layers=7 --set=transform.audio=center,l2,svd:20
same "$(value layers)" 7 layers
same "$(value transform.audio)" center,l2,svd:20 transform.audio
same "$(value eta.common)" 0.4 eta.common

for ablation in "base only" "no common" "no differential" "no distillation" "no whitening" "no fusion" "one modality"; do
    works config --json
    cp run/out before
    works config --ablation "$ablation" --json
    ! cmp -s before run/out || broken "something else than the default wanted"
done

works config --json --preset beauty
valid_json run/out
same "$(grep -c '"key": ' run/out)" "$(grep -c '"help": ' run/out)" "keys and help"
awk '/"key": "decay"/ { found = 1 } found && /"value": / { exit !($2 == "0.001,") }' run/out ||
    broken "decay as a JSON number wanted"
