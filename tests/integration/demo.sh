#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demonstration: with --keep it leaves a consortium that answers; with
# Ctrl-C it leaves nothing.
#
# usage: demo.sh SALUS
set -u
salus=$1
dir=$(mktemp -d)
export TMPDIR="$dir"
pids=""
trap 'kill $pids 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
failures=0

# check WHAT COMMAND...
check()
{
    what=$1
    shift
    if "$@" >"$dir/out" 2>&1; then
        echo "ok: $what"
    else
        failures=$((failures + 1))
        echo "FAILED: $what"
        cat "$dir/out"
    fi
}

"$salus" demo --keep >"$dir/log" 2>&1
code=$?
cat "$dir/log"
pids=$(sed -n 's/^ *kill \([0-9 ]*\);.*/\1/p' "$dir/log")
folder=$(ls -d "$dir"/salus-demo-*)
SALUS_CONFIG=$folder/client-0.yaml
export SALUS_CONFIG
check 'the demonstration' test $code -eq 0
check 'it names four processes' test "$(echo $pids | wc -w)" -eq 4
killed=$(sed -n 's/^ *killed the primary, replica \([0-3]\) (.*), with SIGKILL .*/\1/p' \
    "$dir/log")
next=$(sed -n 's/^ .* s later the others go on: view [1-9][0-9]*, primary \([0-3]\) .*/\1/p' \
    "$dir/log")
check 'the primary was killed' test -n "$killed"
check 'another one took its place' test -n "$next" -a "$next" != "$killed"
check 'the pause that the clients saw is told' grep -qE \
    '^ *the pause that the clients saw: [0-9]+\.[0-9]{2} s without a proof$' \
    "$dir/log"
check 'they are all there' kill -0 $pids
check 'they answer' "$salus" status
check 'with a number for each' sh -c \
    "'$salus' status --json | grep -o '\"reachable\":true' | wc -l | grep -qx 4"
check 'the receipt is kept and holds' "$salus" verify "$folder/receipt.txt" \
    --genesis "$folder/genesis.txt"
# A day's queue: killed in the middle, run again; nothing is lost or doubled.
event()
{
    dcm=http://dicom.nema.org/resources/ontology/DCM
    hl7=http://terminology.hl7.org/CodeSystem
    patient='{"reference":"Patient/zirbelnuss"}'
    to='{"reference":"Practitioner/kraxlhuber"}'
    printf '{"resourceType":"AuditEvent","id":"queue-%s","type":{"system":"%s","code":"110106"},"subtype":[{"system":"%s/iso-21089-lifecycle","code":"disclose"}],"recorded":"2026-11-27T10:00:00Z","outcome":"0","purposeOfEvent":[{"coding":[{"system":"%s/v3-ActReason","code":"PATRQT"}]}],"agent":[{"type":{"coding":[{"system":"%s","code":"110152"}]},"who":%s,"requestor":false},{"who":%s,"requestor":true}],"source":{"observer":{"display":"x"}},"entity":[{"what":%s,"role":{"code":"1"}},{"what":{"reference":"Observation/%s"},"role":{"code":"4"}}]}\n' \
        "$1" $dcm $hl7 $hl7 $dcm "$to" "$patient" "$patient" "$1"
}
for i in $(seq 1000); do event "$i"; done >"$dir/queue.ndjson"
# Nobody reads on after 64 lines: it cannot end before it is killed.
mkfifo "$dir/pipe"
"$salus" fhir import "$dir/queue.ndjson" --json >"$dir/pipe" 2>&1 &
import=$!
exec 3<"$dir/pipe"
for _ in $(seq 64); do
    IFS= read -r line <&3 && printf '%s\n' "$line"
done >"$dir/first"
kill -KILL $import
wait $import 2>/dev/null
cat <&3 >>"$dir/first"
exec 3<&-
done_before=$(grep -c 'on ledger' "$dir/first")
check 'the queue was killed in the middle' \
    test "$done_before" -gt 0 -a "$done_before" -lt 1000
check 'the queue goes on' "$salus" fhir import "$dir/queue.ndjson"
check 'a third time nothing is left to do' sh -c \
    "'$salus' fhir import '$dir/queue.ndjson' | grep -q '^0 transactions executed'"
check 'what was imported is exported' "$salus" fhir export --ndjson \
    -o "$dir/out.ndjson"
check 'each event is on the ledger once' sh -c \
    "grep -o '\"id\":\"queue-[0-9]*\"' '$dir/out.ndjson' | sort | uniq |
     wc -l | grep -qx 1000 && grep -c 'id\":\"queue-' '$dir/out.ndjson' |
     grep -qx 1000"
check 'all of it can be imported' "$salus" fhir validate "$dir/out.ndjson"
check 'one consent, for others' "$salus" fhir export --redacted --partial \
    --consent Consent/zirbelnuss-basic -o "$dir/one.json"
check 'beside the id of an institution stands its name' sh -c \
    "grep -q '\"value\":\"institution/[0-9a-f]*\"},\"display\":\"St. Anna ' \
     '$dir/out.ndjson' && ! grep -q '\"display\"' '$dir/one.json'"
check 'a file is never written over' sh -c \
    "! '$salus' fhir export -o '$dir/one.json'"
cp "$dir/out.ndjson" "$dir/again.ndjson"
check 'the same ledger gives the same bytes' sh -c \
    "rm '$dir/out.ndjson' && '$salus' fhir export --ndjson \
     -o '$dir/out.ndjson' && cmp '$dir/out.ndjson' '$dir/again.ndjson'"
check 'what was exported is known when it comes back' sh -c \
    "'$salus' fhir import '$dir/again.ndjson' | grep -q '^0 transactions executed'"
check 'who reads is in the journal' sh -c \
    "grep -q 'event=read institution=[^ ]* kind=receipt level=local' \
     '$folder'/*.log && ! grep -i zirbelnuss '$folder'/*.log"
kill $pids
for _ in $(seq 200); do
    kill -0 $pids 2>/dev/null || break
    sleep 0.1
done
check 'they end when asked' sh -c "! kill -0 $pids 2>/dev/null"
pids=""
rm -rf "$folder"

# Ctrl-C as soon as it has begun.
"$salus" demo >"$dir/log" 2>&1 &
demo=$!
for _ in $(seq 600); do
    grep -q 'up after' "$dir/log" && break
    sleep 0.1
done
children=$(sed -n 's/^ *replica .*process \([0-9]*\)$/\1/p' "$dir/log")
kill -INT $demo
wait $demo
check 'Ctrl-C removes the folder' sh -c "! ls -d '$dir'/salus-demo-*"
for child in $children; do
    check "Ctrl-C ends process $child" sh -c "! kill -0 $child 2>/dev/null"
done
[ $failures -eq 0 ] || exit 1
