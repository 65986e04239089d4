#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One client key in many programs, one after the other, and a session file that
# is lost, or older than what was used: none of that stops it.
set -eu
salusd=$1
salus=$2
share=$3
. "$(dirname "$0")/trial.sh"
file=trial/st-anna/client.key.session

# subject: a transaction that any good key may submit.
subject() {
    echo "{\"subject_register\":{\"subjects\":[{\"handle\":\"$(random 32)\"}]}}" |
        "$salus" submit --timeout "${1:-20}" - >out 2>err
}

subject 60 || fail "the first"
"$share" trial st-anna lakeside >out 2>err || fail "another program"
subject || fail "at once after another program with the same key"

"$salus" status >out 2>err || fail "status"
size='[0-9.]* [KMGT]\{0,1\}i\{0,1\}B'
grep -q "^ *0 .* $size  *$size\$" out || fail "not its size and what is left"

# More than the ledger keeps; then the file is gone.
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do
    subject || fail "session $i"
done
rm "$file"
subject || fail "without the file"
echo 5 >"$file"
subject || fail "with an old file"

# A clock that was ahead once has left sessions that are above any clock.
cp "$file" right
echo 9000000000000000000 >"$file"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
    subject || fail "session $i of a clock that was ahead"
done
cp "$file" ahead
cp right "$file"
subject && fail "below the sessions that are kept"
grep -q SESSION_CLOSED out || fail "not SESSION_CLOSED"
grep -q "$file: put" err || fail "not told which file and what to do"
cp ahead "$file"
subject || fail "as it was told"
echo 'passed: session'
