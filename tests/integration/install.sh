#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed is complete: the examples, built against it alone with
# pkg-config and with CMake, shared and static, check a real receipt.
#
# usage: install.sh BUILD-FOLDER
set -eu
build=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
export TMPDIR="$dir"

DESTDIR=$dir/root cmake --install "$build" --prefix /opt/salus >"$dir/log" ||
    { cat "$dir/log"; exit 1; }
prefix=$dir/root/opt/salus
pc=$(dirname "$(find "$prefix" -name salus.pc)")
lib=$(dirname "$pc")
for file in bin/salus bin/salus-sim sbin/salusd include/salus.h \
    lib/systemd/system/salusd@.service share/man/man1/salus.1 \
    share/man/man1/salus-sim.1 share/man/man8/salusd.8 \
    share/doc/salus/docs/operations.md \
    share/salus/proto/salus/v1/client.proto share/salus/examples/fhir; do
    [ -s "$prefix/$file" ] || { echo "not installed: $file"; exit 1; }
done
unit=$prefix/lib/systemd/system/salusd@.service
grep -q '^ExecStart=/opt/salus/sbin/salusd ' "$unit"
runbook=$(sed -n 's/^Documentation=.*file:\([^ ]*\).*/\1/p' "$unit")
[ -s "$dir/root$runbook" ] || { echo "not installed: '$runbook'"; exit 1; }
for page in "$prefix"/share/man/man?/*; do
    grep -q '^\.TH ' "$page" || { echo "no man page: $page"; exit 1; }
done
echo "ok: files"

# The installed tool finds salusd and the examples by itself.
"$prefix/bin/salus" demo --keep >"$dir/demo.log" 2>&1 ||
    { cat "$dir/demo.log"; exit 1; }
demo=$(sed -n 's/^ *kill \([0-9 ]*\);.*/\1/p' "$dir/demo.log")
trap 'kill $demo 2>/dev/null || true; rm -rf "$dir"' EXIT
folder=$(ls -d "$dir"/salus-demo-*)
echo "ok: the installed tool runs the demonstration"

# register.c as an application would be built: with the installed messages.
export PKG_CONFIG_PATH="$pc"
sources=$prefix/share/salus/examples/c
(cd "$dir" && protoc-c -I "$prefix/share/salus/proto" --c_out=. \
    salus/v1/ledger.proto)
cc "$sources/register.c" "$dir/salus/v1/ledger.pb-c.c" -I"$dir" \
    $(pkg-config --cflags --libs salus libprotobuf-c) -o "$dir/register"
(cd "$folder" && LD_LIBRARY_PATH=$lib "$dir/register" genesis.txt \
    st-anna/client.key st-anna/client-tls.pem st-anna/client-tls.key)
kill $demo
echo "ok: an application with messages of its own"

# receipt PROGRAM
receipt()
{
    LD_LIBRARY_PATH=$lib "$1" "$folder/genesis.txt" "$folder/receipt.txt"
    if LD_LIBRARY_PATH=$lib "$1" "$folder/receipt.txt" "$folder/receipt.txt" \
        2>/dev/null; then
        echo "$1 accepts anything"
        exit 1
    fi
}

cc "$sources/check_receipt.c" $(pkg-config --cflags --libs salus) \
    -o "$dir/shared"
receipt "$dir/shared"
cc "$sources/status.c" $(pkg-config --cflags --libs salus) -o "$dir/status"
echo "ok: pkg-config, shared"
cc "$sources/check_receipt.c" $(pkg-config --cflags salus) "$lib/libsalus.a" \
    $(pkg-config --static --libs-only-l salus | sed 's/-lsalus//') \
    -o "$dir/static"
receipt "$dir/static"
echo "ok: pkg-config, static"
cmake -S "$sources" -B "$dir/build" -G Ninja \
    -DCMAKE_PREFIX_PATH="$prefix" >"$dir/log" 2>&1 &&
    cmake --build "$dir/build" >>"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
receipt "$dir/build/check_receipt"
receipt "$dir/build/check_receipt_static"
echo "ok: CMake package, shared and static"
