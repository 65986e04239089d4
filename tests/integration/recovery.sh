#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Four real replicas; one loses its data folder, one has its write-ahead log
# damaged, one the table file of its consensus log. Each comes back voting by
# itself, and the first two are then needed for a quorum.
#
# usage: recovery.sh SALUSD SALUS
set -u
salusd=$1
salus=$2
dir=$(mktemp -d)
base=$((20000 + $$ % 12000)) # Below the range of outgoing connections.
failures=0

finish()
{
    for id in 0 1 2 3; do
        stop $id KILL 2>/dev/null
    done
    if [ "$failures" -ne 0 ]; then
        tail -n 20 "$dir"/log-?
    fi
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

start()
{
    "$salusd" --config "$dir/c/replica-$1.yaml" >>"$dir/log-$1" 2>&1 &
    echo $! >"$dir/pid-$1"
}

# stop ID SIGNAL
stop()
{
    [ -f "$dir/pid-$1" ] || return 0
    kill -"$2" "$(cat "$dir/pid-$1")" && wait "$(cat "$dir/pid-$1")"
    rm -f "$dir/pid-$1"
}

fail()
{
    echo "FAILED: $*"
    failures=$((failures + 1))
    exit 1
}

# The state of one replica, as it says itself.
state_of()
{
    "$salus" status --timeout 2 2>/dev/null |
        awk -v id="$1" '$1 == id { print $3; exit }'
}

# wait_for ID STATE SECONDS
wait_for()
{
    for _ in $(seq "$3"); do
        [ "$(state_of "$1")" = "$2" ] && return 0
        sleep 1
    done
    "$salus" status
    fail "replica $1 is not $2 after $3 s"
}

# A transaction that is refused is ordered and proved like any other.
submit()
{
    echo "{\"consent_revoke\": {\"consent\":
        \"00112233445566778899aabbccdd$1\", \"reason\": 20,
        \"revoked_at_ms\": 1790000000000}}" |
        "$salus" submit - --timeout 60 --json >"$dir/answer" 2>&1
    grep -q '"seq":[1-9]' "$dir/answer" && return 0
    cat "$dir/answer"
    fail "no answer to $1"
}

"$salus" init "$dir/c" --replicas 4 --base-port $base >/dev/null || exit 1
SALUS_CONFIG="$dir/c/client-0.yaml"
export SALUS_CONFIG
data_of()
{
    echo "$dir/c/$(sed -n 's/^data_dir: *//p' "$dir/c/replica-$1.yaml")"
}
for id in 0 1 2 3; do
    start $id
done
for id in 0 1 2 3; do
    wait_for $id normal 60
done
for i in 10 11 12 13; do
    submit "00$i"
done

stop 3 TERM
rm -rf "$(data_of 3)"
start 3
wait_for 3 normal 100
grep -q 'event=recovering' "$dir/log-3" || fail "replica 3 said nothing of it"
grep -q 'event=recovered incarnation=1' "$dir/log-3" ||
    fail "replica 3 is in no new incarnation"
echo "ok: a replica whose data folder was deleted votes again"

stop 1 KILL
log=$(ls -S "$(data_of 1)"/*.log | head -n 1)
size=$(wc -c <"$log")
printf 'damaged' | dd of="$log" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
start 1
wait_for 1 normal 100
grep -q 'event=data-set-aside' "$dir/log-1" ||
    fail "replica 1 did not set its damaged database aside"
[ -d "$(data_of 1).damaged-1" ] || fail "the damaged data are gone"
grep -q 'event=recovered incarnation=1' "$dir/log-1" ||
    fail "replica 1 is in no new incarnation"
echo "ok: a replica whose write-ahead log was damaged votes again"

# The consensus log goes to table files when a replica starts after a crash.
stop 2 KILL
start 2
wait_for 2 normal 60
stop 2 TERM
flipped=0
for table in $(grep -l SAL1 "$(data_of 2)"/*.sst); do
    printf 'X' | dd of="$table" bs=1 seek=60 conv=notrunc 2>/dev/null
    flipped=$((flipped + 1))
done
[ $flipped -gt 0 ] || fail "replica 2 has no table file of its log"
start 2
wait_for 2 normal 100
grep -q 'event=log-lost' "$dir/log-2" ||
    fail "replica 2 did not see that its log is damaged"
stop 2 TERM
start 2
wait_for 2 normal 60
[ "$(grep -c 'event=log-lost' "$dir/log-2")" -eq 1 ] ||
    fail "replica 2 has lost its log again"
echo "ok: a replica whose log had a damaged table file votes again"

# Both are needed now.
stop 2 TERM
submit 0020
submit 0021
echo "ok: both are needed for a quorum, and vote"
