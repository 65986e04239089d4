#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One client key in many programs, one after the other, and a session file that
# is lost, or older than what was used: none of that stops it.
set -eu
salusd=$1
salus=$2
share=$3
folder=$(mktemp -d)
port=$((20000 + $$ % 10000))
pids=
trap 'kill $pids 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"

fail() {
    echo "FAILED: $*" >&2
    cat out err >&2 2>/dev/null || true
    exit 1
}

random() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

"$salus" init trial --replicas 4 --base-port "$port" >/dev/null
for id in 0 1 2 3; do
    "$salusd" --config "trial/replica-$id.yaml" 2>"replica-$id.log" &
    pids="$pids $!"
done
SALUS_CONFIG=trial/client-0.yaml
export SALUS_CONFIG
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
