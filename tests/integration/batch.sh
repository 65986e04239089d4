#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# salus batch as a user calls it: five disclosures under one root, on the ledger
# of four replicas; one of them opened, in the accounting of its patient.
set -eu
salusd=$1
salus=$2
. "$(dirname "$0")/trial.sh"

handle=$(random 32)
"$salus" submit --timeout 60 - >out <<END || fail "the subject"
{"subject_register":{"subjects":[{"handle":"$handle","epoch_no":1}]}}
END
recipient=$("$salus" genesis show trial/genesis.txt --json | tr '{' '\n' |
    sed -nE '/"name":"lakeside"/s/.*"institution":"([0-9a-f]*)".*/\1/p')
[ ${#recipient} = 32 ] || fail "no institution lakeside in the genesis"

now=$(date +%s)
for leaf in 0 1 2 3 4; do
    echo "{\"event_time_ms\":$((now - 60 - leaf))000,\"disclosure\":{\"disclosure\":\"$(random 16)\",\"basis\":4,\"document_commit\":\"$(random 32)\",\"recipient\":\"$recipient\",\"subject\":\"$handle\",\"manifest_root\":\"$(random 32)\",\"item_count\":$((leaf + 1)),\"classes\":[1],\"purpose\":62,\"mode\":\"EXPORT\"}}"
done >leaves.jsonl
echo "{\"disclosure_batch\":{\"from_ms\":$((now - 600))000,\"to_ms\":$now""000}}" >batch.json

"$salus" batch batch.json leaves.jsonl -o kept.jsonl >closed.json
[ "$(wc -l <kept.jsonl)" = 8 ] || fail "padded to 8"
"$salus" submit closed.json >out || fail "the batch"
"$salus" batch closed.json kept.jsonl --open 3 >open.json
sed "s/$((now - 63))000/$((now - 64))000/" open.json |
    "$salus" submit - >out && fail "the leaf at another time"
grep -q PROOF_INVALID out || fail "not PROOF_INVALID"
"$salus" submit open.json >out || fail "the leaf"
"$salus" batch closed.json kept.jsonl --open 3 |
    "$salus" submit - >out && fail "the leaf twice"
grep -q LEAF_OPENED out || fail "not LEAF_OPENED"
"$salus" accounting "$handle" --json >accounting || fail "the accounting"
grep -q '"item_count":4' accounting || { cat accounting; fail "not accounted"; }

# The same bytes again are done once, and that is no failure.
echo "{\"subject_register\":{\"subjects\":[{\"handle\":\"$(random 32)\"}]}}" |
    "$salus" cosign - >fixed.tx || fail "fixing a transaction"
"$salus" submit fixed.tx >out || fail "what was fixed"
"$salus" submit fixed.tx >out || fail "what was fixed, again"
grep -q 'done before' out || fail "not done before"
"$salus" submit fixed.tx --json >out || fail "again, as JSON"
grep -q '"done":true,"code":132' out || fail "not done, in JSON"

# Whoever signs what another has fixed sees what it is.
"$salus" cosign fixed.tx --role GOVERNANCE --config trial/client-1.yaml \
    >signed.tx 2>shown || fail "signing"
grep -q '"subject_register"' shown || { cat shown; fail "signed unseen"; }
grep -q '"role":"GOVERNANCE"' signed.tx || fail "not signed"

# Who is suspended is shown nothing that was ordered.
tx=$(sed -nE 's/.*"tx_id":"([0-9a-f]{64})".*/\1/p' out)
"$salus" receipt "$tx" -o before.receipt --config trial/client-1.yaml \
    >shown 2>&1 || { cat shown; fail "a receipt of another's transaction"; }
echo "{\"institution_suspend\": {\"institution\": \"$recipient\",
    \"reason\": \"contract\"}}" | "$salus" cosign - >suspend-0.tx 2>shown ||
    { cat shown; fail "fixing a suspension"; }
"$salus" cosign suspend-0.tx --role GOVERNANCE --config trial/client-2.yaml \
    >suspend-1.tx 2>shown || { cat shown; fail "the second signature"; }
"$salus" cosign suspend-1.tx --role GOVERNANCE --config trial/client-3.yaml \
    >suspend-2.tx 2>shown || { cat shown; fail "the third signature"; }
"$salus" submit suspend-2.tx >out || fail "the suspension"
"$salus" receipt "$tx" -o after.receipt --config trial/client-1.yaml \
    >shown 2>&1 && fail "a receipt for one that is suspended"
grep -q 'not authorized' shown || { cat shown; fail "it says not why"; }

# A pipe can be read once.
cat leaves.jsonl | "$salus" batch batch.json /dev/stdin -o piped.jsonl >/dev/null
[ "$(wc -l <piped.jsonl)" = 8 ] || fail "leaves from a pipe are not kept"

refused() {
    "$salus" batch "$@" >out 2>err && fail "accepted: batch $*"
    [ -s err ] || fail "silent: batch $*"
    [ ! -s out ] || fail "printed: batch $*"
}
refused closed.json kept.jsonl --open 6      # A pad.
refused closed.json kept.jsonl --open 8      # None.
refused closed.json leaves.jsonl --open 1    # Other leaves.
refused batch.json leaves.jsonl -o kept.jsonl # It is there.
refused batch.json nothing.jsonl -o new.jsonl
refused batch.json kept.jsonl
echo '{"item_count":"many"}' >bad.jsonl
refused batch.json bad.jsonl -o new.jsonl
sed "s/$((now - 60))000/$now""000/" leaves.jsonl >late.jsonl
refused batch.json late.jsonl -o new.jsonl    # Not within the batch.
grep -q 'line 1: event_time_ms' err || { cat err; fail "no word of the time"; }
sed 's/.*"disclosure":{/{/; s/}}$/}/' leaves.jsonl >timeless.jsonl
refused batch.json timeless.jsonl -o new.jsonl
[ ! -e new.jsonl ] || fail "left something behind"
echo 'passed: batch'
