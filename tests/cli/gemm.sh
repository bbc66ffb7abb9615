# SPDX-License-Identifier: Apache-2.0
# The library for dense products is reported; where it is an OpenBLAS that misreads the processor, that is said, once, with
# what would help.
. "$2/cli/helpers"

works --version
grep -q '^dense products   .' run/out || broken "the library for dense products wanted"
grep -Eq '^bfloat16 +(none|native|matrix)$' run/out || broken "how bfloat16 is multiplied wanted"
if ! grep -q '^dense products   OpenBLAS' run/out; then
    grep -Eq '^dense products   (oneDNN [0-9.]+|CBLAS)$' run/out || broken "oneDNN or a CBLAS wanted"
    [ ! -s run/err ] || broken "no advice wanted"
    exit 0
fi

# Told a core of twenty years ago, OpenBLAS believes it.
OPENBLAS_CORETYPE=Prescott
export OPENBLAS_CORETYPE
works --version
grep -q '^dense products   OpenBLAS .* for Prescott' run/out || broken "OpenBLAS for Prescott wanted"
if grep -q -m 1 -w avx2 /proc/cpuinfo; then
    [ "$(grep -c 'warning: OpenBLAS takes this processor for "Prescott"' run/err)" -eq 1 ] || broken "one advice wanted"
    grep -q 'OPENBLAS_CORETYPE=' run/err || broken "what would help wanted"
fi
# Told one that it has loops for, there is nothing to say.
OPENBLAS_CORETYPE=$(grep -q -m 1 -w avx512bw /proc/cpuinfo && echo SkylakeX || echo Haswell)
works --version
[ ! -s run/err ] || broken "no advice wanted"
