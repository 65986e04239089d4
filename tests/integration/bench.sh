#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# salus bench as a user calls it: what it prints, what it writes, what it
# refuses. No figure is judged.
set -eu
salus=$1
SALUSD=$2
export SALUSD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

short="--replicas 4 --clients 8 --duration 500ms --warm-up 100ms"

"$salus" bench $short --matrix --safe-only --payload 256,512 \
    --transactions-per-request 16 --output first >table || {
    cat table
    fail "the matrix"
}
[ "$(grep -cE '^ +(256|512) +16 +8 +on +on' table)" = 2 ] || fail "two rows"
[ "$(grep -c '"transactions_per_second":' first.json)" = 2 ] ||
    fail "two results in first.json"
grep -q '</svg>' first.svg || fail "first.svg"

# The bound counts parts that were measured by themselves.
"$salus" bench $short --limits >limits || fail "the limits"
for line in 'ledger execution' 'bytes over TLS' 'bound: [1-9]' 'synced writes'; do
    grep -q "$line" limits || { cat limits; fail "no line $line"; }
done
grep -qE '^  (ledger execution|synced writes).* 0\.00$' limits &&
    fail "a part that costs nothing"

grep -q '^  with full blocks of [0-9]* transactions: [1-9]' limits ||
    { cat limits; fail "no bound with full blocks"; }

# The worse one of two runs counts; the bound stands in the JSON too.
"$salus" bench $short --runs 2 --limits --json >two.json || fail "two runs"
value() { # of a number
    sed -n "s/.*\"$1\":\([0-9.e+]*\).*/\1/p" two.json
}
[ "$(value transactions_per_second)" = \
    "$(value transactions_per_second_lowest)" ] || fail "the better one of two"
for key in bound_share full_block_bound_share client_bytes_per_transaction; do
    [ -n "$(value $key)" ] || fail "no $key in the JSON"
done

# An older measurement is not overwritten, and no cell is measured for nothing.
"$salus" bench $short --matrix --safe-only --payload 256 \
    --transactions-per-request 16 --output first >again 2>&1 &&
    fail "first.json overwritten"
grep -qE '^ +256 ' again && fail "noticed after the cell"
[ "$(grep -c '"transactions_per_second":' first.json)" = 2 ] ||
    fail "first.json changed"

# Compared under the same conditions only; open loop has others.
"$salus" bench $short --payload 256 --transactions-per-request 16 \
    --vs first.json >compared
grep -q '^  transactions/s .* times$' compared || fail "no ratio"
for line in 'replica 3 ' 'the load' 'executor ' 'latency p99.9' 'processes'; do
    grep -q "$line" compared || fail "no line $line"
done
"$salus" bench $short --payload 256 --transactions-per-request 16 --rate 200 \
    --vs first.json >other
grep -q '^1 of 1 results have no earlier one' other || fail "open loop compared"
grep -q 'open loop, 200 transactions/s' other || fail "open loop not told"

# A fault in the middle: the halves are compared, the dead are dead.
"$salus" bench --clients 8 --warm-up 100ms --duration 2s \
    --fault dead-backup >fault ||
    { cat fault; fail "a dead backup"; }
for line in '^fault: one backup is killed' 'before, after' 'longest gap' \
    '^  replica [0-3]  *-  *-' '^for each transaction, the 3 replicas'; do
    grep -q "$line" fault || { cat fault; fail "no line $line"; }
done
"$salus" bench --clients 8 --warm-up 100ms --duration 2s \
    --fault flood --json >fault.json ||
    fail "a flood"
grep -q '"fault":"flood"' fault.json || fail "no fault in the JSON"

refused() {
    code=0
    "$salus" bench "$@" >out 2>err || code=$?
    [ "$code" = 2 ] || fail "exit $code: bench $*"
    [ -s err ] || fail "silent: bench $*"
}
refused --payload 100
refused --payload 256,512
refused --duration 5x
refused --fault flood --replicas 1
refused --rate 0
refused --matrix --json
refused --vs nowhere.json
refused --fault earthquake
refused --fault flood --matrix
refused --fault flood --duration 1000s
echo '{"a":1}' >bad.json
refused --vs bad.json
echo '[{' >bad.json
refused --vs bad.json
echo 'passed: bench'
