#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: manners.sh SALUS-SIM
# Exit codes, and what --json promises.
set -u
sim=$1
failed=0

expect() { # CODE ARGUMENT...
    code=$1
    shift
    "$sim" "$@" >/dev/null 2>&1
    got=$?
    [ "$got" -eq "$code" ] || {
        echo "salus-sim $*: exit $got, expected $code"
        failed=1
    }
}

expect 0 help
expect 0 list
expect 0 run --help
expect 0 swarm --help
expect 0 script --help
expect 0 run --seed 1
expect 0 swarm --seeds 1..2
expect 0 swarm --seconds 1 --jobs 2
expect 0 swarm --seeds 3..3 --transactions
expect 2
expect 2 nonsense
expect 2 run
expect 2 run --seed
expect 2 run --seed -1
expect 2 run --seed 1 --profile nonsense
expect 2 run --seed 1 extra
expect 2 swarm
expect 2 swarm --seeds 5
expect 2 swarm --seeds 5..1
expect 2 swarm --seeds 1..2 --jobs 0
expect 2 swarm --profile nonsense --seeds 1..2
expect 2 swarm --seconds 0
expect 2 script
expect 2 script --quite file
expect 2 shrink
expect 2 shrink --seed 1
expect 2 list extra

# What cannot be written is no success.
if [ -w /dev/full ]; then
    for command in list "run --seed 1" "swarm --seeds 1..2"; do
        # shellcheck disable=SC2086 # Words.
        "$sim" $command >/dev/full 2>/dev/null
        got=$?
        [ "$got" -eq 2 ] || {
            echo "salus-sim $command > /dev/full: exit $got, expected 2"
            failed=1
        }
    done
fi

json=$("$sim" swarm --seeds 1..3 --json)
[ "$(printf '%s\n' "$json" | wc -l)" -eq 1 ] || {
    echo "--json is not one line"
    failed=1
}
for key in seeds failed events events_per_second simulated_to_real faults \
    means attacks marks transactions refusals due excused failures; do
    case $json in
    *"\"$key\":"*) ;;
    *)
        echo "--json has no key $key"
        failed=1
        ;;
    esac
done

# Each type of transaction has a row and a member, were it never submitted.
types=$("$sim" swarm --seeds 3..3 --transactions |
    sed -nE 's/^([A-Z_]+) +[0-9]+ +[0-9]+$/\1/p')
[ "$(printf '%s\n' "$types" | wc -l)" -eq 32 ] || {
    echo "--transactions has other rows: $types"
    failed=1
}
for type in $types; do
    case $json in
    *"\"$type\":{\"done\":"*) ;;
    *)
        echo "--json does not count $type"
        failed=1
        ;;
    esac
done

# How far the shipped costs are off: in the figures, and in the words about them.
docs=$(dirname "$0")/../../docs/simulator.md
percent=$("$sim" bench --json --duration 1s --warm-up 1s --rate 100 |
    sed -n 's/.*"calibration_error_percent":\([0-9.]*\),.*/\1/p')
[ -n "$percent" ] &&
    grep -q "mean error of all fitted figures is $percent %" "$docs" || {
    echo "calibration error: '$percent', not what docs/simulator.md says"
    failed=1
}
exit $failed
