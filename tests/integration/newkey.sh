#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Client keys come and go on a running consortium: a second one beside the
# first, one in its place from a block on, one that is revoked, and those of an
# institution that joins.
set -eu
salusd=$1
salus=$2
. "$(dirname "$0")/trial.sh"

# with KEY: a configuration like the first, but for its key.
with() {
    sed "s|^key:.*|key: $1|" trial/client-0.yaml >"trial/$1.yaml"
    echo "trial/$1.yaml"
}

# subject CONFIG: a transaction that any good key may submit.
subject() {
    echo "{\"subject_register\":{\"subjects\":[{\"handle\":\"$(random 32)\"}]}}" |
        "$salus" submit --timeout 60 --config "$1" - >out 2>err
}

subject "$SALUS_CONFIG" || fail "the first key"

# Beside it. It is nobody's before the ledger knows it.
"$salus" newkey -o trial/second.key >second.json 2>told || fail "newkey"
second=$(with second.key)
subject "$second" && fail "a key that is not on the ledger"
grep -q KEY_STATE out || fail "not KEY_STATE"
"$salus" submit second.json >out 2>err || fail "the second key"
subject "$second" || fail "the second key may submit"
subject "$SALUS_CONFIG" || fail "the first key still may"
grep -q "made trial/second.key, key id [0-9a-f]\{32\}" told || fail "its id"
"$salus" newkey -o trial/second.key >out 2>err && fail "overwritten"
[ -s err ] && [ ! -s out ] || fail "silent, or printed"

# In place of the first, from a block on.
"$salus" query tx "$(random 32)" --json >now 2>err && fail "found a random id"
block=$(($(sed 's/.*"height":\([0-9]*\).*/\1/' now) + 4))
"$salus" newkey -o trial/next.key --replace-at "$block" 2>told |
    "$salus" submit - >out 2>err || fail "the rotation"
next=$(with next.key)
subject "$next" && fail "the next key before its block"
height=0
while [ "$height" -lt "$block" ]; do
    subject "$second" || fail "the second key while waiting"
    height=$(sed 's/.*block \([0-9]*\),.*/\1/' out)
done
subject "$next" || fail "the next key from its block on"
subject "$SALUS_CONFIG" && fail "the first key after its end"

# Revoked: at once.
second_id=$("$salus" newkey -o trial/unused.key --config "$second" 2>&1 \
    >/dev/null | sed 's/.*configuration is //')
echo "{\"key_revoke\":{\"key_id\":\"$second_id\",\"reason\":\"LOST\"}}" |
    "$salus" submit --config "$next" - >out 2>err || fail "the revocation"
subject "$second" && fail "a revoked key"
grep -q KEY_STATE out || fail "not KEY_STATE"

# An encryption key: records are sealed for the new one from its block on.
subject "$next" || fail "the next key still may"
height=$(sed 's/.*block \([0-9]*\),.*/\1/' out)
"$salus" newkey -o trial/sealing.key --encryption --config "$next" \
    >out 2>err && fail "an encryption key beside the old one"
"$salus" newkey -o trial/sealing.key --encryption --config "$next" \
    --replace-at $((height + 2)) 2>told |
    "$salus" submit --config "$next" - >out 2>err || fail "the encryption key"
new_id=$(sed 's/.*key id \([0-9a-f]*\);.*/\1/' told)
old_id=$(sed 's/.*configuration is //' told)
subject "$next" || fail "a block more"

# anchor KEY-ID: a record whose data key is wrapped for that key
anchor() {
    "$salus" submit --timeout 60 --config "$next" - >out 2>err <<END
{"record_anchor":{"record":"$(random 16)","class_code":"laboratory",
"confidentiality":"N","commit":"$(random 32)","cipher_digest":"$(random 32)",
"cipher_size_bucket":16,"algorithm":1,
"location":"drs://records.example/abcdefghijklmnopqrstuvwxyz",
"envelopes":[{"recipient_key":"$1","wrap_commit":"$(random 32)"}]}}
END
}
anchor "$new_id" || fail "a record for the new encryption key"
anchor "$old_id" && fail "a record for the old encryption key"
grep -q KEY_STATE out || fail "not KEY_STATE"

# An institution joins: it makes its keys, the others sign, one submits.
echo contract >contract
keygen() {
    "$salus" keygen --name clinic --legal-name "Clinic" --country AT "$@" \
        >out 2>err
}
keygen --genesis trial/genesis.txt -o clinic && fail "without a contract"
keygen --genesis trial/genesis.txt --contract none -o clinic &&
    fail "a contract that is not there"
[ ! -e clinic ] || fail "keys for nothing"
keygen --genesis trial/genesis.txt --contract contract -o clinic ||
    fail "keys for one that joins"
grep -q "$(sha256sum contract | cut -d' ' -f1)" clinic/admit.json ||
    fail "not the digest of the contract"
sed 's/institution_admit/inst_admit/' clinic/admit.json |
    "$salus" cosign - --config "$next" >out 2>err && fail "another name"
grep -q "it is institution_admit" err || fail "not told the name"
for field in submit_possession submit_key encryption_key; do
    grep -v "\"$field\"" clinic/admit.json >bad.json
    "$salus" cosign bad.json --role GOVERNANCE --config "$next" >out 2>err &&
        fail "signed without $field"
done
sed 's/\("submit_possession": "\)../\100/' clinic/admit.json >bad.json
"$salus" cosign bad.json --config "$next" >out 2>err && fail "a bad possession"
grep -q submit_possession err || fail "not told what is wrong"
"$salus" cosign clinic/admit.json --config "$next" >admit-1.tx 2>err ||
    fail "fixing the admission"
"$salus" cosign admit-1.tx --role GOVERNANCE --config trial/client-1.yaml \
    >admit-2.tx 2>err || fail "the second signature"
grep -q '"legal_name": "Clinic"' err || fail "signed unseen"
"$salus" submit admit-2.tx --config "$next" >out 2>err && fail "two of four"
grep -q QUORUM_SHORT out || fail "not QUORUM_SHORT"
"$salus" cosign admit-2.tx --role GOVERNANCE --config trial/client-2.yaml \
    >admit-3.tx 2>err || fail "the third signature"
"$salus" submit admit-3.tx --config "$next" >out 2>err || fail "the admission"

# A key of an institution that is no member.
"$salus" init other --replicas 4 --base-port "$((port + 8))" >/dev/null
cp other/st-anna/client.key trial/foreign.key
subject "$(with foreign.key)" && fail "a foreign key"
grep -q "no member" err || fail "not told that it is foreign"
echo 'passed: newkey'
