#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The data folder of one replica is put back to what it was some blocks ago. Its
# peers hold votes of it that it does not know: it is recovering, and silent, and
# comes back by its ordered RECOVER, without anybody's help. Nobody is accused.
#
# usage: rollback.sh SALUSD SALUS
set -u
salusd=$1
salus=$2
. "$(dirname "$0")/four.sh"

make_trial
start_all
submit 0010
stop 3 TERM
cp -a "$(data_of 3)" "$dir/old"
start 3
wait_for 3 normal 60
stop 2 TERM # Each block has the vote of replica 3.
submit 0020
submit 0021
submit 0022
stop 3 TERM
rm -rf "$(data_of 3)"
mv "$dir/old" "$(data_of 3)"

# Two that remember are no quorum: it stays so until a third comes, and until
# then nothing can be ordered but by votes of its own.
start 3
wait_for 3 recovering 60
"$salus" status | grep -q "^PROBLEM: $(value_of 3 institution): recovering: " ||
    fail "salus status does not say how far it is"
try_submit 0030 5 && fail "replica 3 votes while it is recovering"
grep -q 'event=recovered' "$dir/log-3" && fail "it recovered without a quorum"
is_in_state 3 recovering || fail "it is not recovering any more"
echo "ok: a replica that was rolled back is recovering, and silent"

start 2
wait_for 3 normal 100
grep -q 'event=recovered incarnation=1' "$dir/log-3" ||
    fail "replica 3 is in no new incarnation"
stop 2 TERM # Now it is needed.
submit 0040
start 2
wait_for 2 normal 60
nobody_is_accused
echo "ok: it has come back by itself, and votes; nobody is accused"
