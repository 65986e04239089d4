#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The primary runs twice, with one key and a copy of its data, and signs two
# blocks for one place. The others keep that as evidence against it, and against
# nobody else; it is listed, exported, and judged without any replica.
#
# usage: evidence.sh SALUSD SALUS
set -u
salusd=$1
salus=$2
. "$(dirname "$0")/four.sh"
accused=st-anna # Replica 0.
attempts=5

make_twin()
{
    stop 0 TERM
    cp -a "$(data_of 0)" "$(data_of 0)-twin"
    sed "s/^data_dir:.*/&-twin/
        s/^peer_listen:.*/peer_listen: 127.0.0.1:$((base + 80))/
        s/^client_listen:.*/client_listen: 127.0.0.1:$((base + 81))/" \
        "$dir/c/replica-0.yaml" >"$dir/c/replica-twin.yaml"
    start 0
    wait_for 0 normal 60
}

# Replicas 2 and 3 find the twin where they look for replica 0, so that requests
# of their clients are led to it, and those of the client of replica 1 to the
# other. Both reach all; but who is not heard for long is dialed again, so it
# must not take long.
start_twin()
{
    for id in 2 3; do
        printf 'peers:\n  - name: %s\n    address: 127.0.0.1:%s\n' \
            "$accused" $((base + 80)) >>"$dir/c/replica-$id.yaml"
        stop $id TERM
    done
    for id in 2 3 twin; do
        start $id
    done
    within 60 others_are_well || fail "the twin is not found"
}

others_are_well() # All but replica 0.
{
    [ "$("$salus" status | awk '$1 ~ /^[123]$/ && $3 == "normal" &&
        $9 == "3/3"' | wc -l)" -eq 3 ]
}

all_have_evidence()
{
    for id in 1 2 3; do
        grep -q event=evidence "$dir/log-$id" || return 1
    done
}

has_request_waiting() # ID
{
    "$salus" status --json | tr '{' '\n' | grep "\"replica\":$1," |
        grep -q '"pending_requests":[1-9]'
}

# While the one is stopped the twin proposes a block; the one wakes up to
# another request. If it learns of that block first it keeps silent, as it should,
# and nobody contradicts himself: then once more.
contradict()
{
    rm -f "$dir"/log-*
    make_trial
    start_all
    submit 0010
    make_twin
    start_twin
    kill -STOP "$(cat "$dir/pid-0")"
    try_submit 0020 60 1 &
    late=$!
    within 10 has_request_waiting 1
    submit 0030 60 2
    kill -CONT "$(cat "$dir/pid-0")"
    within 10 all_have_evidence
    found=$?
    stop twin KILL # The others go on without both.
    stop 0 KILL
    wait $late || fail "the others do not go on"
    return $found
}

attempt=1
until contradict; do
    [ $attempt -lt $attempts ] || fail "no evidence in $attempts attempts"
    attempt=$((attempt + 1))
    for id in 1 2 3; do
        stop $id TERM
    done
done
echo "ok: three replicas hold evidence, at attempt $attempt"

# As docs/operations.md says: the copy is gone, the data go away, the rest is as
# it was. Whoever holds evidence holds it over a restart. One who has asked for
# another view alone waits until there is something to order.
mv "$(data_of 0)" "$dir/c/copied"
for id in 1 2 3; do
    stop $id TERM
    sed -i '/^peers:/,$d' "$dir/c/replica-$id.yaml"
done
for id in 0 1 2 3; do
    start $id
done
submit 0050
for id in 1 2 3; do
    wait_for $id normal 60
done

pieces_of() # FILE
{
    grep -o '^[0-9a-f]\{16\}' "$1" | sort -u
}

"$salus" evidence list >"$dir/list" 2>&1 || fail "list: $(cat "$dir/list")"
for id in 1 2 3; do
    grep -q "against $accused: two contradicting statements (.*), view 0 seq\
 [0-9]*; held by $(value_of $id institution)\$" "$dir/list" ||
        fail "replica $id holds none: $(cat "$dir/list")"
done
grep -v "^[0-9a-f]\{16\}  against $accused: " "$dir/list" &&
    fail "somebody else is accused"
grep -h 'event=evidence' "$dir"/log-* | grep -v "against=$accused replica=0 " &&
    fail "somebody else is accused in a journal"
echo "ok: it is listed, against replica 0 alone"

other=$dir/other
"$salus" init "$other" --replicas 4 >/dev/null || exit 1
for piece in $(pieces_of "$dir/list"); do
    file=$dir/$piece.txt
    "$salus" evidence export "$piece" -o "$file" >"$dir/out" 2>&1 ||
        fail "export: $(cat "$dir/out")"
    "$salus" evidence verify "$file" --genesis "$dir/c/genesis.txt" \
        >"$dir/out" 2>&1 || fail "verify: $(cat "$dir/out")"
    grep -qx valid "$dir/out" &&
        grep -q "^against  *$accused (replica 0)\$" "$dir/out" ||
        fail "against whom: $(cat "$dir/out")"
    "$salus" evidence verify "$file" --genesis "$other/genesis.txt" \
        >"$dir/out" 2>&1 && fail "valid in another consortium"
done
# One character of a signature is another one.
awk -v line=$(($(wc -l <"$file") - 2)) 'NR == line {
        first = substr($0, 1, 1)
        $0 = (first == "A" ? "B" : "A") substr($0, 2)
    } { print }' "$file" >"$dir/forged.txt"
cmp -s "$file" "$dir/forged.txt" && fail "nothing was forged"
"$salus" evidence verify "$dir/forged.txt" --genesis "$dir/c/genesis.txt" \
    >"$dir/out" 2>&1 && fail "what was forged is valid"
echo "ok: each piece is exported, and proves it to whoever has the genesis"
