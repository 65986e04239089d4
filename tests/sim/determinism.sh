#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: determinism.sh SALUS-SIM [SALUS-SIM-OF-ANOTHER-BUILD]
# A seed gives the same trace again, alone or in a swarm, traced or not.
set -eu
first=$1
second=${2:-$1}

trace_of() { # PROGRAM PROFILE SEED [OPTION]
    "$1" run --profile "$2" --seed "$3" ${4:-} | sed -n 's/.* trace \([0-9a-f]*\)$/\1/p'
}

for profile in lite four dense; do
    for seed in 1 2 100; do # 100: real signatures
        a=$(trace_of "$first" $profile $seed)
        b=$(trace_of "$second" $profile $seed)
        [ -n "$a" ] && [ "$a" = "$b" ] || {
            echo "profile $profile seed $seed: traces '$a' and '$b'"
            exit 1
        }
    done
done
a=$(trace_of "$first" lite 3)
b=$(trace_of "$second" lite 3 --trace)
[ "$a" = "$b" ] || { echo "lite 3: looking on changes the run"; exit 1; }

sum_of() { # PROGRAM JOBS
    "$1" swarm --profile lite --seeds 1..20 --jobs "$2" --json |
        sed -n 's/.*"trace_sum":"\([0-9a-f]*\)".*/\1/p'
}
a=$(sum_of "$first" 1)
b=$(sum_of "$second" 2)
[ -n "$a" ] && [ "$a" = "$b" ] || { echo "swarm: sums '$a' and '$b'"; exit 1; }
