#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: seeds.sh SALUS-SIM
# Runs the seeds of seeds.txt.
set -eu
failed=0
while read -r profile seed _; do
    case $profile in
    '' | '#'*) continue ;;
    esac
    "$1" run --profile "$profile" --seed "$seed" || failed=1
done <"$(dirname "$0")/seeds.txt"
exit $failed
