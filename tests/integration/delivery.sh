#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Four real replicas. A hospital seals a record and grants its key to another
# one, whose replica is down; the hospital's own is killed meanwhile. The key
# arrives, opens the content, and is erased on the way; so is one whose consent
# is withdrawn. Nothing of it is in any data folder that should not be.
#
# usage: delivery.sh SALUSD SALUS NEEDLES
set -u
salusd=$1
salus=$2
needles=$3
. "$(dirname "$0")/four.sh"

# as N COMMAND...: by the client of institution N
as()
{
    SALUS_CONFIG="$dir/c/client-$1.yaml"
    export SALUS_CONFIG
    shift
    "$salus" "$@"
}

# await SECONDS COMMAND...: until it succeeds
await()
{
    within "$@" || fail "not after $1 s: $*"
}

random()
{
    # Never reads as text, which the ledger refuses.
    printf '8%s' "$(od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n' | cut -c2-)"
}

# submit_as N JSON
submit_as()
{
    echo "$2" | as "$1" submit - --timeout 60 >"$dir/answer" 2>&1 || {
        cat "$dir/answer"
        fail "refused: $2"
    }
}

# ask: the second hospital asks for $record, and is permitted; in $request
ask()
{
    request=$(random 16)
    submit_as 1 "{\"access_request\": {\"request\": \"$request\",
        \"records\": [\"$record\"], \"purpose\": 1,
        \"action\": 2, \"basis\": 1}}"
}

# anchor NAME: a sealed content, its record, and a permitted request of the
# second hospital for it, in $record and $request
anchor()
{
    printf 'PATIENT-MARKER-Zirbelnuss %s\n' "$1" >"$dir/$1"
    head -c 200000 /dev/urandom >>"$dir/$1"
    sealed=$(as 0 seal "$dir/$1" -o "$dir/$1.sealed" --json) || fail "seal"
    record=$(echo "$sealed" | sed 's/.*"record":"\([0-9a-f]*\)".*/\1/')
    submit_as 0 "{\"record_anchor\": {\"subject\": \"$subject\",
        \"class_code\": 1, \"confidentiality\": \"N\", \"location\":
        \"urn:uuid:$(random 4)-$(random 2)-$(random 2)-$(random 2)-$(random 6)\",
        ${sealed#\{}}"
    ask
}

# stage_of RECORD: as the first hospital's replica says
stage_of()
{
    as 0 inbox --sent | awk -v record="$1" '$1 == record { print $4 }'
}

is_at_stage()
{
    [ "$(stage_of "$1")" = "$2" ]
}

has_come()
{
    as 1 inbox | grep -q "^$1 "
}

has_gone()
{
    as 1 inbox >"$dir/inbox" && ! grep -q "^$1 " "$dir/inbox"
}

key_of()
{
    echo "$dir/c/$(sed -n 's/^encryption_key: *//p' "$dir/c/client-$1.yaml")"
}

# found ENVELOPE ID...: what of it is in the data folders of these replicas
found()
{
    envelope=$1
    shift
    folders=
    for id in "$@"; do
        folders="$folders $(data_of "$id")"
    done
    # shellcheck disable=SC2086
    "$needles" "$envelope" "$(key_of 1)" PATIENT-MARKER,Zirbelnuss $folders ||
        fail "could not look"
}

make_trial
second=$(sed -n 's/^replica: *//p' "$dir/c/client-1.yaml")
for id in 0 1 2 3; do
    start $id
done
for id in 0 1 2 3; do
    wait_for $id normal 60
done
policy=$(printf 'urn:salus:policy:trial' | b2sum -l 256 | cut -c1-32)
subject=$(random 32)
consent=$(random 16)
submit_as 0 "{\"subject_register\": {\"subjects\": [{\"handle\": \"$subject\"}]}}"
# permit CONSENT PURPOSE
permit()
{
    submit_as 0 "{\"consent_grant\": {\"consent\": \"$1\",
        \"subject\": \"$subject\", \"scope\": \"PRIVACY\", \"category\": 1,
        \"policy\": \"$policy\", \"policy_version\": 1,
        \"given_at_ms\": $(($(date +%s) * 1000 - 60000)),
        \"base_decision\": \"PERMIT\", \"root\": {\"purposes\": [\"$2\"]},
        \"performer\": \"SUBJECT\", \"mode\": \"WET_INK\",
        \"evidence_commit\": \"$(random 32)\"}}"
}
permit "$consent" TREAT
# With none left the policy of the trial would imply one.
permit "$(random 16)" HPAYMT

# ---- the recipient's replica is down, the sender's is killed
anchor first
first=$record
stop 1 TERM
as 0 grant "$dir/first.sealed.envelope" --for "$second" --decision "$request" \
    --wait 0 >"$dir/granted" || fail "grant: $(cat "$dir/granted")"
is_at_stage "$first" waiting || fail "first is not waiting: $(stage_of "$first")"
as 0 status --timeout 2 | grep -q "ENVELOPES: .*: 1 not delivered yet" ||
    fail "status does not show it"
stop 0 KILL
start 0
wait_for 0 normal 60
is_at_stage "$first" waiting || fail "first is lost with its replica"
as 0 inbox --sent | grep -q "^$first .*  $second  *waiting " ||
    fail "the list does not name the recipient"
as 0 inbox --sent --json |
    grep -q "\"names\":\[{.*\"name\":\"$second\".*\"told_by\":\"genesis\"" ||
    fail "JSON does not name the recipient"
start 1
await 90 is_at_stage "$first" delivered
await 60 has_come "$first"
echo "ok: delivered when the replica was back, across a kill of the sender's"

# ---- the recipient's is killed too, then it is fetched and opened
stop 1 KILL
start 1
await 60 has_come "$first"
as 1 open "$dir/first.sealed" --record "$first" --envelope "$dir/first.key" \
    -o "$dir/first.opened" || fail "open"
cmp "$dir/first" "$dir/first.opened" || fail "the content is another"
has_gone "$first" || fail "first is still in the inbox"
as 1 open "$dir/first.sealed" --record "$first" -o "$dir/x" 2>/dev/null &&
    fail "first was fetched twice"
[ -z "$(found "$dir/first.key" 0 1 2 3)" ] ||
    fail "in a data folder: $(found "$dir/first.key" 0 1 2 3)"
echo "ok: fetched, opened, equal; and erased at both replicas"

# ---- what a key is granted for is not granted for another; nor to strangers
as 2 grant "$dir/first.sealed.envelope" --for "$second" 2>"$dir/answer" &&
    fail "a stranger has granted"
as 1 inbox --take "$first" -o "$dir/y" 2>"$dir/answer" && fail "taken twice"
grep -q "no envelope of this record" "$dir/answer" || fail "$(cat "$dir/answer")"

# ---- a withdrawn consent erases what was delivered and not yet fetched
anchor second
as 0 grant "$dir/second.sealed.envelope" --for "$second" \
    --decision "$request" --wait 60 >"$dir/granted" ||
    fail "grant: $(cat "$dir/granted")"
grep -q "delivered" "$dir/granted" || fail "second: $(cat "$dir/granted")"
# Its wrap, as the ledger commits to it, for looking: as a second recipient
# would have it.
await 60 has_come "$record"
anchor third
third=$record
as 0 seal "$dir/third" --for "$second" --record "$third" \
    -o "$dir/third.again" --envelope "$dir/third.key" >/dev/null || fail "seal"
as 0 grant "$dir/third.key" --for "$second" --decision "$request" --wait 60 \
    >"$dir/granted" || fail "grant: $(cat "$dir/granted")"
await 60 has_come "$third"
await 60 is_at_stage "$third" delivered
[ "$(found "$dir/third.key" 1)" = wrap ] ||
    fail "held must be the wrap alone: $(found "$dir/third.key" 1)"
[ -z "$(found "$dir/third.key" 0 2 3)" ] ||
    fail "delivered, but at others: $(found "$dir/third.key" 0 2 3)"
submit_as 0 "{\"consent_revoke\": {\"consent\": \"$consent\", \"reason\": 20,
    \"revoked_at_ms\": $(($(date +%s) * 1000))}}"
await 60 has_gone "$third"
await 60 has_gone "$record"
[ -z "$(found "$dir/third.key" 0 1 2 3)" ] ||
    fail "in a data folder: $(found "$dir/third.key" 0 1 2 3)"
as 0 grant "$dir/third.key" --for "$second" --wait 0 >"$dir/answer" 2>&1 &&
    fail "sent after the withdrawal"
grep -q ENDED "$dir/answer" || fail "$(cat "$dir/answer")"
echo "ok: a withdrawal erases what was not yet fetched"

# ---- a document that was imported, from the vault
cat >"$dir/patient.json" <<'FHIR'
{"resourceType": "Patient", "id": "p-1", "identifier":
 [{"system": "urn:oid:2.999", "value": "MRN-1"}]}
FHIR
cat >"$dir/document.json" <<'FHIR'
{"resourceType": "DocumentReference", "id": "d-1", "status": "current",
 "subject": {"reference": "Patient/p-1"},
 "content": [{"attachment": {"data": "UEFUSUVOVC1NQVJLRVItWmlyYmVsbnVzcw=="}}]}
FHIR
as 0 fhir import "$dir/patient.json" "$dir/document.json" >"$dir/answer" 2>&1 ||
    fail "import: $(cat "$dir/answer")"
handle=$(as 0 vault handle Patient/p-1) || fail "vault handle"
[ "$handle" = "$(as 0 vault handle 'Patient?identifier=urn:oid:2.999|MRN-1')" ] ||
    fail "another handle by the identifier"
as 0 accounting "$handle" >"$dir/answer" 2>&1 ||
    fail "accounting: $(cat "$dir/answer")"
as 0 may who "$handle" >"$dir/answer" 2>&1 || fail "who: $(cat "$dir/answer")"
grep -q lakeside "$dir/answer" || fail "who: $(cat "$dir/answer")"
as 0 vault handle Patient/none >"$dir/answer" 2>&1 && fail "a handle of nobody"
as 0 vault share DocumentReference/d-1 "$dir/document.sealed" --json \
    >"$dir/answer" || fail "share"
record=$(sed 's/.*"record":"\([0-9a-f]*\)".*/\1/' "$dir/answer")
ask
as 0 grant "$dir/document.sealed.envelope" --for "$second" \
    --decision "$request" --wait 60 >"$dir/granted" ||
    fail "grant: $(cat "$dir/granted")"
await 60 has_come "$record"
as 1 inbox --json >"$dir/answer"
grep -q "$record" "$dir/answer" || fail "not in the inbox as JSON"
grep -qE '"(salt|wrap|details)":"[0-9a-f]' "$dir/answer" &&
    fail "the inbox as JSON tells what opens an envelope"
as 1 open "$dir/document.sealed" --record "$record" \
    --envelope "$dir/document.key" -o "$dir/document" || fail "open"
[ "$(cat "$dir/document")" = PATIENT-MARKER-Zirbelnuss ] ||
    fail "the document is another"
echo "ok: a document of the vault is granted and opened"

# ---- nothing of it is in what the replicas say
"$needles" "$dir/third.key" "$(key_of 1)" PATIENT-MARKER,Zirbelnuss \
    "$dir/log-0" "$dir/log-1" "$dir/log-2" "$dir/log-3" >"$dir/answer" ||
    fail "could not look into the journals"
[ -s "$dir/answer" ] && fail "in a journal: $(cat "$dir/answer")"
grep -h "event=refused.*delivery" "$dir"/log-? && fail "replicas refused one"
echo "ok: neither key nor name in data folders or journals"
