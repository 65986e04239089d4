# SPDX-License-Identifier: Apache-2.0
# For scripts that stop, damage and start the replicas of a trial of four (those
# that try the tool alone use trial.sh):
# source it with $salusd and $salus set. The trial is $dir/c, and none of it
# runs yet; SALUS_CONFIG is its first client. At the end all is removed; after a
# failure the end of each journal is shown.
dir=$(mktemp -d)
base=$((20000 + $$ % 12000)) # Below the range of outgoing connections.
failures=0
SALUS_CONFIG="$dir/c/client-0.yaml"
export SALUS_CONFIG

finish()
{
    for file in "$dir"/pid-*; do
        stop "${file##*/pid-}" KILL 2>/dev/null
    done
    if [ "$failures" -ne 0 ]; then
        tail -n 20 "$dir"/log-*
    fi
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

fail()
{
    echo "FAILED: $*"
    failures=$((failures + 1))
    exit 1
}

make_trial()
{
    rm -rf "$dir/c"
    "$salus" init "$dir/c" --replicas 4 --base-port $base >/dev/null || exit 1
}

start()
{
    "$salusd" --config "$dir/c/replica-$1.yaml" >>"$dir/log-$1" 2>&1 &
    echo $! >"$dir/pid-$1"
}

# stop ID SIGNAL
stop()
{
    [ -f "$dir/pid-$1" ] || return 0
    kill -"$2" "$(cat "$dir/pid-$1")" && wait "$(cat "$dir/pid-$1")"
    rm -f "$dir/pid-$1"
}

# within SECONDS COMMAND...: tries until it succeeds.
within()
{
    until=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -le $until ] || return 1
        sleep 0.1
    done
}

has_ended()
{
    ! kill -0 "$(cat "$dir/pid-$1")" 2>/dev/null
}

# ends_with ID CODE SECONDS: by itself.
ends_with()
{
    within "$3" has_ended "$1" || fail "replica $1 does not end"
    wait "$(cat "$dir/pid-$1")"
    code=$?
    rm -f "$dir/pid-$1"
    [ $code -eq "$2" ] || fail "replica $1 ends with exit code $code, not $2"
}

value_of() # ID KEY
{
    sed -n "s/^$2: *//p" "$dir/c/replica-$1.yaml"
}

data_of()
{
    echo "$dir/c/$(value_of "$1" data_dir)"
}

# The state of one replica, as it says itself.
state_of()
{
    "$salus" status --timeout 2 2>/dev/null |
        awk -v id="$1" '$1 == id { print $3; exit }'
}

is_in_state()
{
    [ "$(state_of "$1")" = "$2" ]
}

# wait_for ID STATE SECONDS
wait_for()
{
    within "$3" is_in_state "$1" "$2" && return 0
    "$salus" status
    fail "replica $1 is not $2 after $3 s"
}

start_all()
{
    for id in 0 1 2 3; do
        start $id
    done
    for id in 0 1 2 3; do
        wait_for $id normal 60
    done
}

# try_submit TEXT [SECONDS [CLIENT]]: false, and $dir/answer-CLIENT, if it is not
# ordered and proved. One that is refused is like any other in that.
try_submit()
{
    echo "{\"consent_revoke\": {\"consent\":
        \"00112233445566778899aabbccdd$1\", \"reason\": 20,
        \"revoked_at_ms\": 1790000000000}}" |
        "$salus" submit - --timeout "${2-60}" --json \
            --config "$dir/c/client-${3-0}.yaml" >"$dir/answer-${3-0}" 2>&1
    grep -q '"seq":[1-9]' "$dir/answer-${3-0}"
}

submit()
{
    try_submit "$@" && return 0
    cat "$dir/answer-${3-0}"
    fail "no answer to $1"
}

nobody_is_accused()
{
    "$salus" evidence list >"$dir/evidence" 2>&1 &&
        grep -qx 'no replica that answered holds evidence' "$dir/evidence" &&
        ! grep -q 'event=evidence' "$dir"/log-* && return 0
    cat "$dir/evidence"
    fail "somebody is accused"
}
