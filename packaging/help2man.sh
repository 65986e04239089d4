#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A man page out of the --help text of a program.
#   help2man.sh PROGRAM NAME SECTION VERSION "one line" >PAGE
set -eu
program=$1 name=$2 section=$3 version=$4 summary=$5
upper=$(printf '%s' "$name" | tr '[:lower:]' '[:upper:]')
printf '.TH %s %s "" "Salus %s" "Salus"\n' "$upper" "$section" "$version"
printf '.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n.nf\n' \
    "$(printf '%s' "$name" | sed 's/-/\\-/g')" "$summary"
"$program" --help | sed 's/\\/\\\\/g; s/-/\\-/g; s/^\./\\\&./; s/^'"'"'/\\\&&/'
printf '.fi\n.SH SEE ALSO\nsalus(1), salusd(8), salus\\-sim(1)\n'
