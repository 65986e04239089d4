#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: assertions.sh SOURCE-FOLDER
# Each row of sim/audit_assertions.c still is the first to name some assertion,
# and the name is that of an invariant: a row that rots fails.
set -u
cd "$1" || exit 2
failed=0

# The rows of a table, a line each: FILE, PART, RULE, with tabs between.
rows() { # TABLE
    tr -s '[:space:]' ' ' <"$1" | grep -o '{"[^"]*", "[^"]*", "[^"]*"}' |
        sed 's/^{"\([^"]*\)", "\([^"]*\)", "\([^"]*\)"}$/\1\t\2\t\3/'
}

# The assertions of a file, a line each.
assertions() { # FILE
    tr -s '[:space:]' ' ' <"$1" |
        grep -o 'PBFT_\(ASSERT\|INVARIANT\)([^;]*;'
}

# Prints the rows that name nothing.
rotten() { # TABLE
    rows "$1" | cut -f 1 | sort -u | while read -r file; do
        [ -f "$file" ] && assertions "$file" | sed "s|^|$file	|"
    done >"$work/assertions"
    rows "$1" | awk -F '\t' '
        NR == FNR { file[NR] = $1; part[NR] = $2; text[NR] = $0; n = NR; next }
        {
            for (i = 1; i <= n; i++) {
                if (file[i] == $1 && index($2, part[i]) > 0) {
                    used[i] = 1
                    break
                }
            }
        }
        END {
            for (i = 1; i <= n; i++) {
                if (!used[i]) {
                    print text[i]
                }
            }
        }' - "$work/assertions"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

found=$(rotten sim/audit_assertions.c)
[ -z "$found" ] || {
    echo "these rows name no assertion, or an earlier one names all of theirs:"
    echo "$found"
    failed=1
}
count=$(rows sim/audit_assertions.c | wc -l)
[ "$count" -eq "$(grep -c '^    {"' sim/audit_assertions.c)" ] || {
    echo "only $count rows were read"
    failed=1
}
rows sim/audit_assertions.c | cut -f 3 | sort -u | while read -r rule; do
    grep -q "\.name = \"$rule\"" sim/audit_*.c || {
        echo "$rule is no invariant"
        exit 1
    }
done || failed=1

# The test itself: a row that rots, and one behind a row that takes all of its.
cat >"$work/table" <<'END'
    {"consensus/log.c", "slot->header", "S9"},
    {"consensus/log.c", "no_such_thing == 0", "S9"},
    {"consensus/log.c", "slot->header == NULL", "S9"},
    {"consensus/no_such_file.c", "slot", "S9"},
END
[ "$(rotten "$work/table" | wc -l)" -eq 3 ] || {
    echo "rows that rot are not seen:"
    rotten "$work/table"
    failed=1
}
exit $failed
