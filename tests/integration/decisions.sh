#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Four real replicas. Decisions on access as AuditEvents: what the replicas
# computed, what the custodian made of it, each with its proof; and that nothing
# comes of such an event when it is imported.
#
# usage: decisions.sh SALUSD SALUS
set -eu
salusd=$1
salus=$2
. "$(dirname "$0")/trial.sh"

# as N COMMAND...: by the client of institution N
as() {
    SALUS_CONFIG="trial/client-$1.yaml"
    shift
    "$salus" "$@"
}

# submit_as N JSON: the transaction is in $tx
submit_as() {
    echo "$2" | as "$1" submit - --timeout 60 --json >out 2>err ||
        fail "refused: $2"
    tx=$(grep -o '"tx_id":"[0-9a-f]*"' out | head -n 1 | cut -d'"' -f4)
}

# export NAME OPTION...: one resource a line, in NAME.ndjson
export_to() {
    name=$1
    shift
    rm -f "$name.ndjson"
    as 0 fhir export --vault vault --ndjson -o "$name.ndjson" "$@" >out 2>err ||
        fail "export $*"
}

has() { # FILE TEXT...
    file=$1
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$file" || fail "$file: no $text: $(cat "$file")"
    done
}

cat >people.ndjson <<'END'
{"resourceType":"Patient","id":"zirbelnuss"}
{"resourceType":"Patient","id":"haselnuss"}
{"resourceType":"Practitioner","id":"kraxlhuber"}
{"resourceType":"Practitioner","id":"wurzinger"}
{"resourceType":"DocumentReference","id":"d-1","status":"current","subject":{"reference":"Patient/zirbelnuss"},"author":[{"reference":"Practitioner/kraxlhuber"},{"reference":"Practitioner/wurzinger"}],"content":[{"attachment":{"data":"b25l"}}]}
END
as 0 fhir import people.ndjson --vault vault >out 2>err || fail "import"
echo "ok: a document of two authors is imported"

handle() { # PATIENT
    as 0 vault handle "Patient/$1" --vault vault |
        grep -o '[0-9a-f]\{64\}' | head -n 1
}
subject=$(handle zirbelnuss)
request=8$(random 16 | cut -c2-)
submit_as 1 "{\"access_request\": {\"request\": \"$request\",
    \"subject\": \"$subject\", \"purpose\": 1, \"action\": 2, \"basis\": 1}}"
asked=$tx
export_to computed --decision "$request" --receipts
has computed.ndjson '"code":"AuthZ-Consent"' '"code":"110113"' \
    "urn:salus:request:$request" '"reference":"Patient/zirbelnuss"' \
    '"code":"authserver"' '"value":"replicas"' '"urn:salus:proof"'
grep -q 'urn:salus:receipt' computed.ndjson &&
    fail "a receipt of what is no transaction"
before=$(grep -o '"outcome":"[0-9]*"' computed.ndjson)
# value_of URL FILE: of the extension, in base64
value_of() {
    grep -o "\"$1\",\"valueBase64Binary\":\"[^\"]*\"" "$2" | cut -d'"' -f6
}
# verifies WHAT FILE
verifies() {
    "$salus" verify "$2" --genesis trial/genesis.txt >out 2>err ||
        fail "$1 does not verify"
}
value_of urn:salus:proof computed.ndjson >proof
verifies "the proof" proof
has out "question      explain" "$request"
verifies "the proof from standard input" - <proof
base64 -d proof >proof.bin
verifies "its bytes" proof.bin
has out "question      explain" "$request"
head -c 200 proof.bin >short.bin
for file in short.bin computed.ndjson; do
    "$salus" verify "$file" --genesis trial/genesis.txt >out 2>err &&
        fail "$file is taken for a proof"
    has out 'NOT VALID'
done
has err 'valueBase64Binary'
echo "ok: what the replicas computed is exported, with their signatures"

export_to asked --decision "$asked" --receipts
has asked.ndjson '"urn:salus:receipt"' '"urn:salus:proof"' "\"$asked\"" "$before"
value_of urn:salus:receipt asked.ndjson >receipt
verifies "the receipt" receipt
has out "$asked" "ACCESS_REQUEST"
# All of a Bundle, as docs/fhir.md says.
as 0 fhir export --vault vault --decision "$asked" --receipts -o export.json \
    >out 2>err || fail "export as a Bundle"
if command -v jq >/dev/null; then
    jq -r '.entry[].resource | .id as $id | .extension[]? |
        select(.url == "urn:salus:receipt" or .url == "urn:salus:proof") |
        "\($id) \(.valueBase64Binary)"' export.json |
        while read -r id value; do
            echo "resource      $id"
            echo "$value" | "$salus" verify - --genesis trial/genesis.txt
        done >all 2>err
    [ "$(grep -c '^resource ' all)" -eq 2 ] &&
        [ "$(grep -c '^valid$' all)" -eq 2 ] || fail "all of a Bundle"
else
    echo "SKIPPED: all of a Bundle (no jq)"
fi
export_to subject --subject Patient/zirbelnuss
has subject.ndjson "urn:salus:request:$request"
export_to once --decision "$request" "$asked" "$request" "$asked" --receipts
[ "$(wc -l <once.ndjson)" -eq 1 ] || fail "one request several times"
has once.ndjson '"urn:salus:receipt"'
echo "ok: by its transaction, and with all that is known of the patient"

# What was given of one patient on the request for another.
recipient=$(as 0 query explain "$request" --json |
    grep -o '"requester":"[0-9a-f]*"' | cut -d'"' -f4)
submit_as 0 "{\"disclosure\": {\"disclosure\": \"9$(random 16 | cut -c2-)\",
    \"decision\": \"$request\", \"recipient\": \"$recipient\",
    \"subject\": \"$(handle haselnuss)\", \"purpose\": 1, \"classes\": [1],
    \"manifest_root\": \"8$(random 32 | cut -c2-)\", \"item_count\": 1,
    \"mode\": \"EXPORT\", \"violation\": true}}"
as 0 fhir export --vault vault --partial --subject Patient/haselnuss \
    >other 2>err && fail "a disclosure that the vault does not have"
grep -q zirbelnuss other && fail "another patient is exported"
echo "ok: without the decisions about another patient"

submit_as 0 "{\"access_decision\": {\"request\": \"$request\",
    \"outcome\": \"DENY_ALL\", \"reason\": 62}}"
decided=$tx
export_to decided --decision "$decided" --receipts
has decided.ndjson '"outcome":"8"' '"urn:salus:reason"' '"urn:salus:receipt"'
# A reader of the profile alone finds what holds, and who said so.
[ "$before" = '"outcome":"0"' ] || fail "computed: $before"
export_to computed --decision "$request"
has computed.ndjson '"outcome":"8"' 'then the custodian denied it' \
    '"url":"urn:salus:outcome","valueCode":"deny"' \
    '"url":"urn:salus:computed","valueCode":"permit"' '"urn:salus:decided"'
grep -q '"value":"replicas"' computed.ndjson &&
    fail "the replicas denied nothing"
export_to subject --subject Patient/zirbelnuss
has subject.ndjson "urn:salus:request:$request" '"outcome":"8"'
grep -F "urn:salus:request:$request" subject.ndjson | grep -F '"outcome":"0"' &&
    fail "what was denied is told as permitted"
export_to redacted --decision "$decided" "$request" --redacted
[ "$(wc -l <redacted.ndjson)" -eq 2 ] || fail "not two decisions"
grep -iqE 'zirbelnuss|kraxlhuber|Patient/' redacted.ndjson &&
    fail "a name went out"
echo "ok: the custodian's is another one"

cat decided.ndjson computed.ndjson redacted.ndjson >again.ndjson
as 0 fhir import again.ndjson --vault vault --json >out 2>err ||
    fail "import of decisions"
[ "$(grep -c '"local":true' out)" -eq 4 ] || fail "a decision is not local"
as 0 fhir export --vault vault --decision 00112233445566778899aabbccddeeff \
    >out 2>err && fail "an unknown request"
rm -f partial.ndjson
as 0 fhir export --vault vault --ndjson -o partial.ndjson --partial --outcome \
    --decision 00112233445566778899aabbccddeeff "$decided" >out 2>err &&
    fail "nothing was left out"
[ "$(wc -l <partial.ndjson)" -eq 1 ] || fail "the other one was not exported"
has err 'ACCESS_REQUEST 00112233445566778899aabbccddeeff' '1 left out'
has out '"code":"transient"' 'request 00112233445566778899aabbccddeeff'
as 0 fhir export --vault vault --decision nonsense >out 2>err && fail "nonsense"
has err "neither an id of a request nor of a transaction"
echo "ok: nothing comes of them when they are imported"
