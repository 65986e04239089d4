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
# admit FOLDER NAME LEGAL_NAME: signed by those in $voices; its id in $admitted
voices="trial/client-1.yaml trial/client-2.yaml trial/client-3.yaml"
admit() {
    "$salus" keygen --name "$2" --legal-name "$3" --country AT \
        --role provider --genesis trial/genesis.txt --contract contract \
        -o "$1" >out 2>err || fail "keys for one that joins"
    sed 's|"endpoints": \[\]|"endpoints": ["https://clinic.example/fhir"]|
    s|"ids": \[\]|"ids": [{"system": "NPI", "value": "1234567893"}]|' \
        "$1/admit.json" >"$1.json"
    admitted=$(sed -n 's/.*"institution": "\([0-9a-f]*\)".*/\1/p' "$1.json")
    "$salus" cosign "$1.json" >"$1-1.tx" 2>err || fail "fixing the admission"
    i=1
    for voice in $voices; do
        "$salus" cosign "$1-$i.tx" --role GOVERNANCE --config "$voice" \
            >"$1-$((i + 1)).tx" 2>err || fail "signature $i"
        i=$((i + 1))
    done
    "$salus" submit "$1-$i.tx" >out 2>err || fail "the admission"
}
admit clinic clinic "Clinic on the Lake"
clinic=$admitted
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

# ---- asked about by its name
"$salus" query institutions clinic >out 2>err || fail "one by its name"
has "whom the name means" "^clinic is $clinic, Clinic on the Lake (directory, as this replica has it)$"
has "one row" '^1 rows$'
for level in certified ordered; do
    "$salus" due clinic --$level -o due-$level.txt >out 2>err ||
        fail "what is due there, $level"
    has "a certified name" "^clinic is $clinic, .* (certified directory)$"
    "$salus" verify due-$level.txt --genesis trial/genesis.txt >out 2>err ||
        fail "the proof of what is due, $level"
    has "the question has the id" "institution \"$clinic\""
done
"$salus" due clinic --json >out 2>err || fail "what is due there, as JSON"
[ "$(wc -l <out)" -eq 1 ] || fail "JSON alone"
grep -q "^clinic is $clinic, " err || fail "whom the name means, beside JSON"
"$salus" may what clinic >out 2>err || fail "what it may see"
has "a name for may" "^clinic is $clinic, "
"$salus" bg --institution clinic >out 2>err || fail "its emergencies"
has "a name for bg" "^clinic is $clinic, "
# refuses WHAT TEXT COMMAND...: exit code 1, and why
refuses() {
    what=$1
    text=$2
    shift 2
    code=0
    "$salus" "$@" >out 2>err || code=$?
    [ $code -eq 1 ] && grep -q -- "$text" err || fail "$what"
}
refuses "nobody's name" '^salus bg: nobody: neither an institution of' \
    bg --institution nobody
refuses "a key that the genesis has not" 'admitted later has to tell you' \
    seal contract --for clinic -o contract.sealed

# ---- taken by another one
admit meadow clinic "Clinic in the Meadow"
meadow=$admitted
first=$(printf '%s\n%s\n' "$clinic" "$meadow" | sort | head -n 1)
for level in "" --certified; do
    # shellcheck disable=SC2086 # None is no word.
    refuses "a name of two" \
        "^salus due: clinic: 2 institutions have this name; give the id: $first " \
        due clinic $level
    grep -q "$clinic" err && grep -q "$meadow" err || fail "both ids"
done
"$salus" due "$meadow" >out 2>err || fail "by id"
# The first of them has its voice after 16 blocks.
cp trial/genesis.txt clinic/
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
    echo "{\"subject_register\":{\"subjects\":[{\"handle\":\"$(id 32)\"}]}}" |
        submit || fail "a block"
done
voices="$voices clinic/client.yaml"
# Whoever takes the name of a founder is not who is meant by it.
admit thief st-anna "Not St. Anna"
anna=$("$salus" query institutions | awk '$1 == "st-anna" && $3 == "active" \
    { print $2 }')
[ "$anna" != "$admitted" ] || fail "the thief is not active"
"$salus" query institutions st-anna >out 2>err || fail "a founder by name"
has "the founder" "^st-anna .* $anna "
has "one row" '^1 rows$'
grep -q "$admitted" out && fail "somebody else by the founder's name"

# ---- a disclosure to it, as FHIR
event() {
    cat <<EOF
{"resourceType":"AuditEvent","id":"$1","recorded":"2026-11-28T10:15:00Z",
"type":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110106"},
"subtype":[{"system":"http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
"code":"disclose"}],"action":"R","outcome":"0",
"purposeOfEvent":[{"coding":[{"system":
"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}]}],
"agent":[{"type":{"coding":[{"system":
"http://dicom.nema.org/resources/ontology/DCM","code":"110153"}]},
"who":{"reference":"Practitioner/1"},"requestor":true},
{"type":{"coding":[{"system":
"http://dicom.nema.org/resources/ontology/DCM","code":"110152"}]},
"who":{"reference":"Organization/$1"},"requestor":false}],
"source":{"observer":{"reference":"Organization/own"}},
"entity":[{"what":{"reference":"Patient/1"},"role":{"system":
"http://terminology.hl7.org/CodeSystem/object-role","code":"1"}},
{"what":{"reference":"Observation/1"},"role":{"system":
"http://terminology.hl7.org/CodeSystem/object-role","code":"4"}}]}
EOF
}
echo '{"resourceType":"Patient","id":"1"}' >patient.json
admit hill hill "Clinic on the Hill"
event hill >hill.json
import() {
    "$salus" fhir import patient.json "$@" --self-report --register-unknown \
        --own Organization/own >out 2>err
}
import hill.json --member Organization/hill=clinic && fail "a name of two"
grep -q -- '--member clinic: 2 institutions have this name' err ||
    fail "why not that one"
import hill.json --member Organization/hill=hill || fail "a member by name"
"$salus" accounting "$("$salus" vault handle Patient/1)" --view full --json \
    >out 2>err || fail "its accounting"
has "the recipient" "\"recipient\":\"$admitted\""

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

# ---- names when too few replicas are there to certify them
sed 's/^timeout_ms.*//' trial/client-0.yaml >trial/hasty.yaml
echo 'timeout_ms: 2000' >>trial/hasty.yaml
# shellcheck disable=SC2086 # One word each.
kill ${pids#* * }
refuses "a name that is not certified" \
    'hill: not in the genesis, and the directory of the ledger is not certified: ' \
    due hill --certified --config trial/hasty.yaml
grep -q '^replica 3 (riverbend) ' err || fail "who does not certify it"
"$salus" due hill >out 2>err || fail "a name by one replica"
has "the word of one" '^hill is .* (directory, as this replica has it)$'
refuses "a name by a replica that is down" \
    'directory of the ledger could not be asked: .*--replica NAME$' \
    due hill --replica lakeside --config trial/hasty.yaml
echo 'passed: directory'
