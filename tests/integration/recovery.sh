#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Four real replicas; one loses its data folder, one has its write-ahead log
# damaged, one the table file of its consensus log, one a table of its ledger.
# Each comes back voting by itself, and three are then needed for a quorum.
#
# usage: recovery.sh SALUSD SALUS
set -u
salusd=$1
salus=$2
. "$(dirname "$0")/four.sh"

# damage_tables ID FAMILY: all data blocks; what is read at the open, at the end
# of a table, stays.
damage_tables()
{
    for table in $(grep -la "name$2" "$(data_of "$1")"/*.sst); do
        end=$(($(wc -c <"$table") - 3000))
        for at in 10 $(seq 1000 1000 $end); do
            printf 'damaged' | dd of="$table" bs=1 seek="$at" conv=notrunc \
                2>/dev/null
        done
    done
}

make_trial
start_all
for i in 10 11 12 13; do
    submit "00$i"
done

# Two that remember are no quorum: it stays so until a third comes.
stop 3 TERM
rm -rf "$(data_of 3)"
stop 2 TERM
start 3
wait_for 3 recovering 60
"$salus" status | grep -q "^PROBLEM: $(value_of 3 institution): recovering: " ||
    fail "salus status does not say how far it is"
start 2
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

# A table of the ledger, with a byte that is not the one written: it starts
# once in vain, and the next time without what is damaged.
stop 0 TERM
start 0 # Puts what was only in the write-ahead log into tables.
wait_for 0 normal 60
stop 0 TERM
damage_tables 0 state
start 0
wait "$(cat "$dir/pid-0")"
code=$?
[ $code -eq 1 ] || fail "damaged tables: exit $code"
grep -q "exit=1 .*$(basename "$(dirname "$(data_of 0)")").*aside" \
    "$dir/log-0" || fail "the folder is not named"
start 0
wait_for 0 normal 100
[ -d "$(data_of 0).damaged-1" ] || fail "the damaged tables are gone"
grep -q 'event=recovered incarnation=1' "$dir/log-0" ||
    fail "replica 0 is in no new incarnation"
echo "ok: a replica whose ledger was damaged votes again"

nobody_is_accused

# All three are needed now.
stop 2 TERM
submit 0020
submit 0021
echo "ok: all are needed for a quorum, and vote"

# A table that only questions are answered from: no answer is not "not found".
id=$(sed -n 's/.*"tx_id":"\([0-9a-f]*\)".*/\1/p' "$dir/answer-0")
name=$(sed -n 's/^institution: *//p' "$dir/c/replica-3.yaml")
stop 3 TERM
start 3
wait_for 3 normal 60
stop 3 TERM
damage_tables 3 index
start 3
wait_for 3 normal 60
"$salus" query tx "$id" --replica "$name" >"$dir/answer-0" 2>&1 &&
    fail "an answer from a damaged table"
grep -q 'does not answer; another one' "$dir/answer-0" ||
    fail "what cannot be read: $(cat "$dir/answer-0")"
"$salus" status --timeout 5 2>&1 | grep -q "PROBLEM: $name: .*damaged" ||
    fail "salus status says nothing of it"
grep -q 'event=call-failed' "$dir/log-3" || fail "nor does the journal"
echo "ok: a question that damage leaves without an answer says so"
