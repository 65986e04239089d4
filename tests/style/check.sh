#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rules of CONTRIBUTING.md that a program can check.
#   check.sh includes   who includes what (includes.txt, third-party.txt)
#   check.sh limits     length of files and functions, banned calls, first line
#   check.sh format     clang-format has nothing to change
#   check.sh documents  what sources cite is there; the runbook has every event
#   check.sh symbols ARCHIVE   what consensus/ needs from outside
set -eu
cd "$(dirname "$0")/../.."
folders='consensus proto crypto ledger vault fhir storage net node client sim'
bad=0
say() { printf '%s\n' "$*"; bad=1; }

sources() {
    for folder in $folders; do
        [ -d "$folder" ] && find "$folder" -name '*.[ch]' | sort
    done
}

check_includes() {
    sources | while read -r file; do
        folder=${file%%/*}
        sed -nE 's/^#include[ ]+"([^"]*)".*/\1/p; s/^#include[ ]+(<[^>]*>).*/\1/p' "$file" |
            awk -v folder="$folder" -v file="$file" '
                function glob(p,   r) { r = p; gsub(/[.+^$()\[\]{}|]/, "\\\\&", r); gsub(/\*/, ".*", r); return "^" r "$" }
                BEGIN {
                    while ((getline line < "tests/style/includes.txt") > 0) {
                        n = split(line, w, /[ \t]+/)
                        if (w[1] == folder || w[1] == file) for (i = 2; i <= n; i++) allowed[glob(w[i])]
                    }
                    while ((getline line < "tests/style/third-party.txt") > 0) {
                        n = split(line, w, /[ \t]+/)
                        if (w[1] ~ /^#/ || w[1] == "") continue
                        for (i = 2; i <= n; i++) owner[w[1]] = owner[w[1]] " " glob(w[i])
                    }
                }
                {
                    ok = 0
                    for (p in allowed) if ($0 ~ p) ok = 1
                    if (!ok) print file ": may not include " $0
                    for (lib in owner) if ($0 ~ "^<" lib "[/.]") {
                        m = split(owner[lib], ps, " "); mine = 0
                        for (i = 1; i <= m; i++) if (file ~ ps[i]) mine = 1
                        if (!mine) print file ": " $0 " belongs to another folder, or a header includes it"
                    }
                }'
    done >"$tmp"
    [ -s "$tmp" ] && { cat "$tmp"; bad=1; }
    return 0
}

check_limits() {
    sources | xargs awk '
        function is_word(before, after) {
            return before !~ /[A-Za-z0-9_]$/ && after !~ /^[A-Za-z0-9_]/
        }
        # Says it if the line holds the word `w` (which ends in "(" for calls).
        function look_for(w, note,   at) {
            at = index($0, w)
            if (at && is_word(substr($0, 1, at - 1), w ~ /\($/ ? "" : substr($0, at + length(w))))
                print FILENAME ":" FNR ":" $0 note
        }
        function end_of_file() {
            if (lines > 400) print file ": " lines " lines, at most 400"
        }
        FNR == 1 {
            end_of_file()
            file = FILENAME
            start = 0
            if ($0 !~ /SPDX-License-Identifier: Apache-2.0/)
                print file ": the first line is not the SPDX line"
        }
        { lines = FNR }
        # A function begins with "{" in the first column and ends with "}".
        /^\{/ { start = FNR }
        /^\}/ && start {
            n = FNR - start - 1
            if (n > 70) print FILENAME ":" start ": function of " n " lines, at most 70"
            start = 0
        }
        length($0) > 100 { print FILENAME ":" FNR ": longer than 100 columns" }
        /strcpy|strcat|sprintf|gets|atoi|atol|alloca|strtok/ {
            n = split("strcpy strcat sprintf vsprintf gets atoi atol alloca strtok", calls, " ")
            for (i = 1; i <= n; i++) look_for(calls[i] "(", "  (banned call)")
        }
        /TODO|FIXME|XXX|HACK/ {
            n = split("TODO FIXME XXX HACK", marks, " ")
            for (i = 1; i <= n; i++) look_for(marks[i], "")
        }
        END { end_of_file() }' >"$tmp"
    [ -s "$tmp" ] && { cat "$tmp"; bad=1; }
    return 0
}

check_format() {
    tool=$(command -v clang-format-14 || command -v clang-format) ||
        { say 'clang-format is missing: ./dev test installs it'; return 0; }
    { sources; find tests examples -name '*.[ch]' 2>/dev/null; } | sort |
        xargs -n 50 -P 2 "$tool" --dry-run --Werror 2>&1 |
        sed -nE 's/^([^:]*):[0-9]+:[0-9]+: error: .*/\1: not formatted; run .\/dev format/p' |
        sort -u >"$tmp"
    [ -s "$tmp" ] && { cat "$tmp"; bad=1; }
    return 0
}

# Documents that the repository does not have, and labels that only they explain.
elsewhere='health-ledger|design: section|\(U[0-9]+\)|/\* U[0-9]+: |rules U[0-9]'
# The events that node/ writes to its journal, one a line.
events() {
    cat node/*.c | tr '\n' ' ' |
        grep -oE '(journal|tell_end)\([^";]*("[a-z-]+" *:? *){1,2}|event=[a-z-]+' |
        sed -E 's/^event=(.*)/"\1"/' | grep -oE '"[a-z-]+"' | tr -d '"' | sort -u
}

check_documents() {
    tracked=$({ sources; find tests examples docs proto -name '*.[ch]' -o \
        -name '*.md' -o -name '*.proto'; ls *.md; } | sort -u)
    grep -nE "$elsewhere" $tracked | sed 's/$/  (no such document)/' >"$tmp" || true
    grep -noE 'docs/[a-z-]+\.md' $tracked | while IFS=: read -r file line name; do
        [ -f "$name" ] || echo "$file:$line: there is no $name"
    done >>"$tmp"
    for event in $(events); do
        grep -q "^|.*\`$event\`" docs/operations.md ||
            echo "docs/operations.md: no word of event=$event"
    done >>"$tmp"
    [ -s "$tmp" ] && { cat "$tmp"; bad=1; }
    return 0
}

# Only memory, strings and the abort of a failed assertion.
# bcmp: what clang makes of memcmp() != 0.
allowed='^(malloc|calloc|realloc|free|abort|memcpy|memmove|memset|memcmp|bcmp|qsort|bsearch|strlen|strcmp|strncmp)$'
check_symbols() {
    nm "$1" 2>/dev/null | awk '
        $1 == "U" { needed[$2] = 1 }
        NF == 3 && $2 != "U" { defined[$3] = 1 }
        END { for (name in needed) if (!(name in defined)) print name }' |
        grep -vE '^(__stack_chk_fail|__(memcpy|memset|memmove)_chk|_GLOBAL_OFFSET_TABLE_|__asan|__ubsan|__sanitizer|__gcov|__llvm|__tsan)' |
        grep -vE "$allowed" >"$tmp" || true
    [ -s "$tmp" ] && { sed 's/^/consensus needs from outside: /' "$tmp"; bad=1; }
    return 0
}

tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
case ${1-} in
includes) check_includes ;;
limits) check_limits ;;
format) check_format ;;
documents) check_documents ;;
symbols) check_symbols "${2:?the archive of consensus/}" ;;
*) echo "usage: check.sh includes|limits|format|documents|symbols ARCHIVE" >&2; exit 2 ;;
esac
exit $bad
