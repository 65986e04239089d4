# SPDX-License-Identifier: Apache-2.0
# For scripts that try the tool on four real replicas: source it with $salusd
# and $salus set, under set -eu. The trial is in the current folder, a new one
# that is removed at the end; SALUS_CONFIG is its first client. Scripts that stop
# and damage replicas use four.sh.
folder=$(mktemp -d)
port=$((20000 + $$ % 10000)) # Below the range of outgoing connections.
pids=
trap 'kill $pids 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"

fail() {
    echo "FAILED: $*" >&2
    cat out err >&2 2>/dev/null || true
    exit 1
}

random() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

"$salus" init trial --replicas 4 --base-port "$port" >/dev/null
for id in 0 1 2 3; do
    "$salusd" --config "trial/replica-$id.yaml" 2>"replica-$id.log" &
    pids="$pids $!"
done
SALUS_CONFIG=trial/client-0.yaml
export SALUS_CONFIG
