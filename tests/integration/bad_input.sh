#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is wrong with the files, folders and ports of a replica: each mistake
# gives one clear line and the exit code that docs/operations.md names.
#
# usage: bad_input.sh SALUSD SALUS
set -u
salusd=$1
salus=$2
dir=$(mktemp -d)
pids=""
failures=0
base=$((20000 + $$ % 12000)) # Below the range of outgoing connections.

finish()
{
    for pid in $pids; do
        kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    grep -q " $dir/disk " /proc/mounts && umount "$dir/disk"
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

# expect CODE WORDS WHAT CONFIG [OPTION...]: salusd ends with CODE, and its last
# line has WORDS in it, and no quotes but around the reason.
expect()
{
    code=$1 words=$2 what=$3 file=$4
    shift 4
    timeout 30 "$salusd" --config "$file" "$@" >"$dir/out" 2>&1
    got=$?
    line=$(grep -v 'level=info' "$dir/out" | grep -v 'event=unsafe' | tail -n 1)
    count=$(grep -c 'event=refused' "$dir/out")
    quotes=$(printf '%s' "$line" | tr -cd '"' | wc -c)
    if [ "$got" -eq "$code" ] && [ "$count" -eq 1 ] && [ "$quotes" -eq 2 ] &&
        printf '%s' "$line" | grep -q "$words"; then
        echo "ok: $what: $line"
    else
        failures=$((failures + 1))
        echo "FAILED: $what: exit $got instead of $code, or no line with" \
            "'$words':"
        cat "$dir/out"
    fi
}

# run CONFIG: starts a replica, as $pid; returns when it is ready.
run()
{
    : >"$dir/log" # Or the line of the one before would do.
    "$salusd" --config "$1" 2>"$dir/log" &
    pid=$!
    pids="$pids $pid"
    for _ in $(seq 600); do
        grep -q event=ready "$dir/log" && return
        sleep 0.1
    done
    failures=$((failures + 1))
    echo "FAILED: not ready: $1"
    cat "$dir/log"
}

"$salus" init "$dir/a" --replicas 4 --base-port $base >/dev/null || exit 1
"$salus" init "$dir/b" --replicas 4 --base-port $((base + 8)) >/dev/null ||
    exit 1
names=$(sed -n 's/^institution: //p' "$dir"/a/replica-?.yaml)
first=$(echo "$names" | sed -n 1p)
second=$(echo "$names" | sed -n 2p)
config=$dir/a/replica-0.yaml

# A changed configuration beside the good one.
variant()
{
    sed "$2" "$config" >"$dir/a/$1.yaml"
    echo "$dir/a/$1.yaml"
}

expect 2 'no such file\|No such file\|not found\|cannot' 'no configuration' \
    "$dir/a/nothing.yaml"
head -c 200 "$config" >"$dir/a/cut.yaml"
expect 2 'cut.yaml' 'truncated configuration' "$dir/a/cut.yaml"
expect 2 'in quotes' 'IPv6 without quotes' \
    "$(variant ipv6 's|^peer_listen:.*|peer_listen: [::1]:7000|')"
expect 2 'peers.yaml: peers: no replica.*nobody' 'peer that is none' \
    "$(variant peers '$ a peers: [{name: nobody, address: "a:1"}]')"
expect 1 'does not have this address' 'address of another machine' \
    "$(variant address 's|^peer_listen:.*|peer_listen: 192.0.2.1:7000|')"
expect 2 'colour' 'unknown key' \
    "$(variant unknown '$ a colour: blue')"
expect 2 'not a SALUS GENESIS' 'genesis that is none' \
    "$(variant nogenesis "s|^genesis:.*|genesis: $first/replica.key|")"
expect 3 'no replica of consortium' 'genesis of another consortium' \
    "$(variant foreign "s|^genesis:.*|genesis: ../b/genesis.txt|")"
expect 3 "key of member $second" 'key of the wrong member' \
    "$(variant key "s|^replica_key:.*|replica_key: $second/replica.key|")"
expect 3 'certificate\|issued\|CA' 'certificate of another CA' \
    "$(variant ca "s|^certificate:.*|certificate: ../b/$first/replica-tls.pem|;
        s|^tls_key:.*|tls_key: ../b/$first/replica-tls.key|")"
expect 3 'replica-tls.pem' 'certificate of another member' \
    "$(variant name "s|^certificate:.*|certificate: $second/replica-tls.pem|;
        s|^tls_key:.*|tls_key: $second/replica-tls.key|")"
cp "$dir/a/$first/replica.key" "$dir/a/open.key"
chmod 644 "$dir/a/open.key"
expect 2 'chmod 600' 'key that others may read' \
    "$(variant mode 's|^replica_key:.*|replica_key: open.key|')"

# A damaged data folder is renamed: nothing that is needed may lie in it.
mkdir "$dir/a/$first/inner"
cp "$dir/a/$first/replica.key" "$dir/a/$first/inner/"
expect 2 'data_dir: holds replica_key' 'data folder with the keys in it' \
    "$(variant keys "s|^data_dir:.*|data_dir: ./$first/../$first/|;
        s|^replica_key:.*|replica_key: $first/inner/replica.key|;
        s|^certificate:.*|certificate: other.pem|;
        s|^tls_key:.*|tls_key: other.key|")"
expect 2 'data_dir: holds genesis' 'data folder with the genesis in it' \
    "$(variant around "s|^data_dir:.*|data_dir: .|")" --check-config
rm -r "$dir/a/$first/inner"
mkdir "$dir/a/open"
touch "$dir/a/open/something"
chmod 755 "$dir/a/open"
expect 2 'chmod 700' 'data folder that others may enter' \
    "$(variant entered 's|^data_dir:.*|data_dir: open|')"
expect 2 'cannot create.*nowhere' 'data folder without a parent' \
    "$(variant nowhere 's|^data_dir:.*|data_dir: nowhere/deep/data|')"
expect 2 'cannot create' 'data folder below a file' \
    "$(variant below 's|^data_dir:.*|data_dir: genesis.txt/data|')"

# Data of replica 1, and of the other consortium.
mkdir "$dir/a/$second/data" # Somebody has made it: it is closed.
chmod 755 "$dir/a/$second/data"
for owner in a/replica-1 b/replica-0; do
    run "$dir/$owner.yaml"
    kill -TERM $pid
    wait $pid
    code=$?
    [ $code -eq 0 ] || {
        failures=$((failures + 1))
        echo "FAILED: SIGTERM ends with $code"
    }
done
open=$(find "$dir/a/$second/data" "$dir/b" -path '*/data*' -perm /077)
[ -z "$open" ] || {
    failures=$((failures + 1))
    echo "FAILED: others may read $open"
}
other=$(sed -n 's/^institution: //p' "$dir/b/replica-0.yaml")
expect 3 'data of replica 1, not of replica 0' 'folder of another replica' \
    "$(variant data "s|^data_dir:.*|data_dir: $second/data|")"
expect 3 'another consortium' 'folder of another consortium' \
    "$(variant data2 "s|^data_dir:.*|data_dir: ../b/$other/data|")"

# A running replica: its folder, and its port.
# A shell's limit of open files is too low for it.
hard=$(ulimit -Hn)
ulimit -Sn 512
run "$config"
files=$(awk '/^Max open files/ { print $4 }' "/proc/$pid/limits")
if [ "$files" = "$hard" ] || [ "$files" -ge 4096 ]; then
    echo "ok: limit of open files: $files"
else
    failures=$((failures + 1))
    echo "FAILED: limit of open files: $files, though $hard may be"
fi
expect 3 'another process uses' 'second daemon on the folder' "$config"
expect 1 'in use\|uses this port' 'port in use' \
    "$(variant port "s|^data_dir:.*|data_dir: fresh|")"

expect 2 'is not a folder' 'data folder that is a file' \
    "$(variant file 's|^data_dir:.*|data_dir: genesis.txt|')"
expect 2 'cannot create' 'data folder in a folder that is not there' \
    "$(variant parent 's|^data_dir:.*|data_dir: none/data|')"

# Else it would write into the journals of those below.
kill -TERM $pid
wait $pid
# A certificate that ends tomorrow is no mistake yet, but said.
"$salus" certificate replica --name "$first" --ca "$dir/a/$first/ca.pem" \
    --ca-key "$dir/a/$first/ca.key" --days 1 -o "$dir/a/short" >/dev/null
run "$(variant short 's|^certificate:.*|certificate: short.pem|;
    s|^tls_key:.*|tls_key: short.key|;
    s|^data_dir:.*|data_dir: short|;
    s|^\(peer_listen:.*\):.*|\1:'$((base + 20))'|;
    s|^\(client_listen:.*\):.*|\1:'$((base + 21))'|')"
sleep 2
if grep -q 'event=certificate-ends .*days left: [01])' "$dir/log"; then
    echo "ok: $(grep event=certificate-ends "$dir/log")"
else
    failures=$((failures + 1))
    echo "FAILED: a certificate of one day, and no word of it"
fi
kill -TERM $pid
wait $pid

# A disk that is full at the start, and one that fills up meanwhile.
mkdir "$dir/disk"
if [ "$(id -u)" -eq 0 ] &&
    mount -t tmpfs -o size=100m salus-test "$dir/disk" 2>/dev/null; then
    full=$(variant full "s|^data_dir:.*|data_dir: $dir/disk/data|;
        s|^peer_listen:.*|peer_listen: 127.0.0.1:$((base + 16))|;
        s|^client_listen:.*|client_listen: 127.0.0.1:$((base + 17))|")
    run "$full"
    head -c 80000000 /dev/zero >"$dir/disk/filler"
    wait $pid
    got=$?
    line=$(grep event=stopped-voting "$dir/log")
    if [ $got -eq 4 ] && [ -n "$line" ]; then
        echo "ok: disk that fills up: $line"
    else
        failures=$((failures + 1))
        echo "FAILED: disk that fills up: exit $got"
        cat "$dir/log"
    fi
    expect 4 'no space left' 'full disk' "$full"
else
    echo "SKIPPED: full disk: a small tmpfs needs root"
fi

expect_usage()
{
    "$salusd" "$@" >"$dir/out" 2>&1
    got=$?
    if [ $got -ne 2 ] || [ "$(wc -l <"$dir/out")" -ne 1 ]; then
        failures=$((failures + 1))
        echo "FAILED: salusd $*: exit $got"
    fi
}
# The tool: expect_tool CODE WORDS WHAT ARGUMENT...
expect_tool()
{
    code=$1 words=$2 what=$3
    shift 3
    "$salus" "$@" >"$dir/out" 2>&1
    got=$?
    if [ "$got" -eq "$code" ] && grep -q "$words" "$dir/out"; then
        echo "ok: $what: $(tail -n 1 "$dir/out")"
    else
        failures=$((failures + 1))
        echo "FAILED: $what: exit $got instead of $code, or no '$words':"
        cat "$dir/out"
    fi
}
sed 's/^replica:.*/replica: nobody/' "$dir/a/client-0.yaml" >"$dir/a/nobody.yaml"
expect_tool 2 'No such file' 'receipt that is not there' \
    verify "$dir/none" --genesis "$dir/a/genesis.txt"
expect_tool 2 'No such file' 'genesis that is not there' \
    verify "$dir/a/genesis.txt" --genesis "$dir/none"
expect_tool 1 'NOT VALID' 'genesis taken for a receipt' \
    verify "$dir/a/genesis.txt" --genesis "$dir/a/genesis.txt"
expect_tool 2 'needs' 'proof of a local read' \
    query tx "$(printf '%064d' 1)" -o "$dir/proof" \
    --config "$dir/a/client-0.yaml"
cp "$dir/a/st-anna/member.txt" "$dir/damaged.txt"
sed -i '3s/./!/' "$dir/damaged.txt"
expect_tool 1 'neither a genesis file nor a member file nor a cert' \
    'fingerprint of another file' fingerprint "$0"
expect_tool 1 'damaged.txt: line 3' 'fingerprint of a damaged member file' \
    fingerprint "$dir/damaged.txt"
expect_tool 0 ' member ' 'fingerprints of three kinds' fingerprint \
    "$dir/a/st-anna/member.txt" "$dir/a/genesis.txt" "$dir/a/st-anna/ca.pem"
expect_tool 0 'one replica is for a trial' 'genesis of one' \
    genesis --members "$dir/a/st-anna/member.txt" -o "$dir/one.txt"
expect_tool 1 '4 or more' 'genesis of two' genesis -o "$dir/two.txt" \
    --members "$dir/a/st-anna/member.txt" "$dir/a/lakeside/member.txt"
expect_tool 1 'no scheme' 'policy that is no URI' \
    genesis --members "$dir/a/st-anna/member.txt" --policy URI -o "$dir/p.txt"
# What is wrong on the command line leaves nothing behind.
expect_tool 1 'no scheme' 'trial with such a policy' \
    init "$dir/new" --policy URI
expect_tool 1 'name of a consortium' 'trial with another name' \
    init "$dir/new" --name 'My Trial'
expect_tool 1 'two capital letters' 'keys for a country that is a word' \
    keygen --name new --legal-name New --country Austria -o "$dir/new"
expect_tool 1 'legal name has to be one line' 'keys for nobody' \
    keygen --name new --legal-name '' --country AT -o "$dir/new"
if [ -e "$dir/new" ]; then
    failures=$((failures + 1))
    echo "FAILED: a folder was made"
fi
expect_tool 1 'no member of the genesis with this name runs one' \
    'replica of nobody' status --config "$dir/a/nobody.yaml"
expect_tool 1 'genesis.txt: no client configuration' \
    'genesis taken for a configuration' status --config "$dir/a/genesis.txt"
expect_tool 1 'the first salus fhir import makes it' 'vault that is not there' \
    vault list --config "$dir/a/client-0.yaml"
expect_tool 0 'commands:' 'help of help' help help
expect_tool 0 'commands:' 'help, asked for twice' help --help
expect_tool 1 'no such file' 'FHIR file that is not there' \
    fhir dry-run "$dir/none.json"

expect_usage
expect_usage --config
expect_usage --nonsense

[ $failures -eq 0 ] || exit 1
