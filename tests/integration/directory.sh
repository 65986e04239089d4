#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An institution joins a running consortium. The directory says who it is; so
# does the accounting of a disclosure to it, at all read levels and offline. A
# patient becomes indeterminate, is on the list of his registrar's privacy
# officer, and is settled.
set -eu
salusd=$1
salus=$2
. "$(dirname "$0")/trial.sh"

# Of 16 and more bytes: it never reads as text.
id() { printf '8%s' "$(random "$1" | cut -c2-)"; }

submit() { "$salus" submit --timeout 60 - >out 2>err; }

# has WHAT TEXT: in what was printed last
has() { grep -q -- "$2" out || fail "$1"; }

subject=$(id 32)
echo "{\"subject_register\":{\"subjects\":[{\"handle\":\"$subject\"}]}}" |
    submit || fail "a patient"

# ---- who is there
"$salus" query institutions >out 2>err || fail "the directory"
has "a member by its name" '^st-anna  *[0-9a-f]\{32\}  active '
has "all members" '^4 rows$'

echo contract >contract
"$salus" keygen --name clinic --legal-name "Clinic on the Lake" --country AT \
    --role provider --genesis trial/genesis.txt --contract contract -o clinic \
    >out 2>err || fail "keys for one that joins"
sed 's|"endpoints": \[\]|"endpoints": ["https://clinic.example/fhir"]|
s|"ids": \[\]|"ids": [{"system": "NPI", "value": "1234567893"}]|' \
    clinic/admit.json >admit.json
clinic=$(sed -n 's/.*"institution": "\([0-9a-f]*\)".*/\1/p' admit.json)
"$salus" cosign admit.json >admit-1.tx 2>err || fail "fixing the admission"
for i in 1 2; do
    "$salus" cosign "admit-$i.tx" --role GOVERNANCE \
        --config "trial/client-$i.yaml" >"admit-$((i + 1)).tx" 2>err ||
        fail "signature $i"
done
"$salus" submit admit-3.tx >out 2>err || fail "the admission"
"$salus" query institutions "$clinic" >out 2>err || fail "one institution"
has "one that joins" "^clinic  *$clinic  admitted, not yet active "
has "its address" 'Clinic on the Lake .* AT .* provider .*NPI 1234567893 .*https://clinic.example/fhir'
has "one row" '^1 rows$'

"$salus" query institutions --json >out 2>err || fail "the directory as JSON"
has "the directory in JSON" '"institutions":{"rows":\[{"institution":"'

# ---- a disclosure to it
echo "{\"disclosure\":{\"disclosure\":\"$(id 16)\",\"violation\":true,
\"recipient\":\"$clinic\",\"subject\":\"$subject\",
\"manifest_root\":\"$(id 32)\",\"item_count\":1,\"classes\":[\"laboratory\"],
\"purpose\":\"TREAT\",\"mode\":\"FAX\"}}" | submit || fail "a disclosure"
accounting() { "$salus" accounting "$subject" --view hipaa "$@" >out 2>err; }
accounting || fail "the accounting"
has "the recipient by name" ' st-anna  clinic '
has "its name and address" "^clinic  *$clinic  Clinic on the Lake  *AT .*https://clinic.example/fhir"
accounting --json || fail "the accounting as JSON"
has "who told it" '"legal_name":"Clinic on the Lake","country":"AT".*"told_by":"replica"'
has "the genesis" '"name":"st-anna".*"told_by":"genesis"'
for level in certified ordered; do
    accounting --$level -o $level.txt || fail "$level"
    has "certified names" '^names that the genesis does not have: certified too, after block [0-9]'
    has "$level, by name" ' st-anna  clinic '
    [ -s $level.txt.names ] || fail "no proof of the names"
    "$salus" verify $level.txt --genesis trial/genesis.txt >out 2>err ||
        fail "the proof, $level"
    has "by id" "  st-anna  $clinic  "
    has "what is missing" '^1 institutions are not in the genesis: by id; --names'
    "$salus" verify $level.txt --genesis trial/genesis.txt \
        --names $level.txt.names >out 2>err || fail "with names, $level"
    has "by name" ' st-anna  clinic '
    grep -q 'not in the genesis' out && fail "nothing is missing"
done
accounting --certified --json || fail "the certified accounting as JSON"
has "certified names in JSON" '"told_by":"certified".*"names_height":[0-9]'
sed '5s/./A/10;5s/./B/11' certified.txt.names >bad.names
"$salus" verify certified.txt --genesis trial/genesis.txt --names bad.names \
    >out 2>err && fail "names that nobody signed"
has "not valid" '^NOT VALID$'
"$salus" query institutions --certified -o directory.txt >out 2>err ||
    fail "the certified directory"
"$salus" verify certified.txt --genesis trial/genesis.txt \
    --names directory.txt >out 2>err || fail "the directory as names"
has "by the directory" ' st-anna  clinic '

# ---- a consent that no machine can read
officer=$(id 16)
echo "{\"participant_register\":{\"participant\":\"$officer\",
\"kind\":\"PROFESSIONAL\",\"roles\":[\"privacy-officer\"]}}" | submit ||
    fail "a privacy officer"
evidence=$(id 16)
echo "{\"consent_evidence\":{\"consent\":\"$evidence\",\"subject\":\"$subject\",
\"evidence_commit\":\"$(id 32)\",\"reason\":\"not-computable\"}}" | submit ||
    fail "evidence"
"$salus" query indeterminate >out 2>err || fail "the list"
has "the patient" "  $subject  $evidence  not-computable  1 "
"$salus" query indeterminate --certified -o list.txt >out 2>err ||
    fail "the certified list"
"$salus" verify list.txt --genesis trial/genesis.txt >out 2>err ||
    fail "the proof of the list"
has "the patient in the proof" "  $subject  $evidence  not-computable  1 "
later=$(id 16)
echo "{\"consent_evidence\":{\"consent\":\"$later\",\"subject\":\"$subject\",
\"evidence_commit\":\"$(id 32)\",\"reason\":\"not-computable\"}}" | submit ||
    fail "evidence that came while the first was read"
echo "{\"participant\":\"$officer\",\"subject_settle\":{\"newest\":\"$evidence\",
\"subject\":\"$subject\",\"evidence_commit\":\"$(id 32)\"}}" | submit &&
    fail "settled what nobody had read"
"$salus" query indeterminate --config trial/client-1.yaml >out 2>err ||
    fail "the list of another one"
has "an empty list" '^0 rows$'
echo "{\"participant\":\"$officer\",\"subject_settle\":{
\"newest\":\"$later\",
\"subject\":\"$subject\",\"evidence_commit\":\"$(id 32)\"}}" | submit ||
    fail "the settlement"
"$salus" query indeterminate >out 2>err || fail "the list again"
has "nobody is left" '^0 rows$'
"$salus" query consent-history --subject "$subject" >out 2>err ||
    fail "the history"
has "evidence" "  filed as evidence: indeterminate  *$evidence  st-anna "
has "settled, and by whom" "  settled: indeterminate no longer  *-  *st-anna .*  $officer  "
echo 'passed: directory'
