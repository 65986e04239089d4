#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The disk of one replica fails to make durable what was written: it stops voting
# at once, says so by its exit code, and the others go on. When the disk is well
# again it comes back, has lost nothing, and votes.
#
# usage: failing_sync.sh SALUSD SALUS LIBRARY
set -u
salusd=$1
salus=$2
library=$3
. "$(dirname "$0")/four.sh"
exit_storage=4 # docs/operations.md

# A sanitizer that is linked dynamically wants to be first, and need not be.
start_failing() # ID
{
    FAILING_SYNC="$dir/fails" LD_PRELOAD="$library" \
        ASAN_OPTIONS="${ASAN_OPTIONS+$ASAN_OPTIONS:}verify_asan_link_order=0" \
        "$salusd" --config "$dir/c/replica-$1.yaml" >>"$dir/log-$1" 2>&1 &
    echo $! >"$dir/pid-$1"
}

make_trial
for id in 0 1 2; do
    start $id
done
start_failing 3
for id in 0 1 2 3; do
    wait_for $id normal 60
done
grep -q failing_sync "/proc/$(cat "$dir/pid-3")/maps" ||
    fail "it runs without the library"
submit 0010

touch "$dir/fails"
submit 0020
ends_with 3 $exit_storage 20
grep -q "event=stopped-voting exit=$exit_storage .*Input/output error" \
    "$dir/log-3" || fail "replica 3 does not say why: $(cat "$dir/log-3")"
submit 0030
echo "ok: it stops with exit code $exit_storage, and the others go on"

# Nothing can be synced yet: it must not vote now either.
start_failing 3
ends_with 3 $exit_storage 20
echo "ok: it does not start on a disk that fails"

rm "$dir/fails"
start 3
wait_for 3 normal 60
grep -qE 'event=(recovering|log-lost|data-set-aside)' "$dir/log-3" &&
    fail "replica 3 believes that it has lost something"
stop 2 TERM # Now it is needed.
submit 0040
start 2
wait_for 2 normal 60
nobody_is_accused
echo "ok: it comes back as it was, and votes"
