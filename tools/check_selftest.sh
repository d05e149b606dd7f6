#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the checks: each must find what it is there to find, say where, and let good files pass.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help) print_help "$0"; exit 0 ;; esac

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/tools" "$tree/base" "$tree/storage/kv" "$tree/query/exec" "$tree/server/api"
cp "$top/tools/layers.txt" "$tree/tools/"
failed=0

# file PATH LINE… : a C file with the two lines that every file begins with.
file() {
    local path=$tree/$1
    shift
    printf '%s\n' '// SPDX-License-Identifier: Apache-2.0' '// Serves as an example.' "$@" >"$path"
}

# passes COMMAND… and fails_with TEXT COMMAND…
passes() {
    local output
    output=$("$@" 2>&1) || {
        echo "should pass, but: $* printed: $output"
        failed=1
    }
}
fails_with() {
    local text=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "should fail with \"$text\": $*"
        failed=1
    elif [[ $output != *"$text"* ]]; then
        echo "should say \"$text\", but: $* printed: $output"
        failed=1
    fi
}
layers() { passes "$top/tools/check_layers.sh" "$tree"; }
layers_fail() { fails_with "$1" "$top/tools/check_layers.sh" "$tree"; }
style() { passes "$top/tools/check_style.sh" "$tree"; }
style_fail() { fails_with "$1" "$top/tools/check_style.sh" "$tree"; }

file base/str.c '#include "base/str.h"' '#include <string.h>'
file storage/kv/env.c '#include "base/str.h"' '#include <lmdb.h>'
file query/exec/scan.c '#include "query/plan/plan.h"' '#include "base/arena.h"'
layers
style

file query/exec/scan.c '#include <lmdb.h>'
layers_fail 'query/exec/scan.c:3: query/exec may not include lmdb.h'
file query/exec/scan.c '  #  include "storage/kv/kv.h"'
layers_fail 'query/exec/scan.c:3: query/exec may not include storage/kv/kv.h'
file query/exec/scan.c '#include "storage/store_internal.h"'
layers_fail 'query/exec may not include storage/store_internal.h'
file query/exec/scan.c '#include "plan.h"'
layers_fail 'query/exec/scan.c:3: includes are written from the root'
file query/exec/scan.c
file base/str.c '#include "storage/store.h"'
layers_fail 'base/str.c:3: base may not include storage/store.h'
file base/str.c
file server/api/route.c '#include <microhttpd.h>'
layers_fail 'server/api/route.c:3: server/api may not include microhttpd.h'
file server/api/route.c
layers
printf '%s\n' 'base:' 'query/plan: query/exec base' 'query/exec: query/plan base' >"$tree/circle.txt"
fails_with 'circle.txt:2: query/exec does not stand above query/plan' \
    "$top/tools/check_layers.sh" "$tree" "$tree/circle.txt"
printf '%s\n' 'base:' 'query/plan/plan.h: base' 'query/exec: query/plan/plan.h base' >"$tree/file.txt"
file query/exec/scan.c '#include "query/plan/plan.h"'
rm "$tree/server/api/route.c" "$tree/storage/kv/env.c"
passes "$top/tools/check_layers.sh" "$tree" "$tree/file.txt"
file query/exec/scan.c '#include "query/plan/print.h"'
fails_with 'query/exec may not include query/plan/print.h' \
    "$top/tools/check_layers.sh" "$tree" "$tree/file.txt"
file query/exec/scan.c
rm "$tree/circle.txt" "$tree/file.txt"

file base/str.c 'int n = atoi(text);'
style_fail 'base/str.c:3: atoi is a call the house does not use'
file base/str.c '/* a' 'comment */ x = strcpy (a, b);'
style_fail 'base/str.c:4: strcpy is a call'
file base/str.c '// never atoi(text)' 'f("time(0)", sprintf_like(), a->time(1), pz_time(2)); /* rand() */' \
    "g('\"', 1); // gets(x)"
style
file base/str.c '// TO''DO later'
style_fail 'base/str.c:3: a note about work left undone'
printf '%s\n' 'int x;' >"$tree/base/str.c"
style_fail 'base/str.c:1: the first line is not'
file base/str.c
printf '%s\n' 'echo' >"$tree/tools/x.sh"
style_fail 'tools/x.sh:1: no line # SPDX'
rm "$tree/tools/x.sh"

# A function of 70 lines passes, one of 71 does not, unless it is excused; the excuse must fit.
mapfile -t lines < <(seq -f '    step(%g);' 1 70)
file base/str.c 'void' 'pz_long_one(void)' '{' "${lines[@]}" '}'
style
file base/str.c 'void' 'pz_long_one(void)' '{' "${lines[@]}" '    step(71);' '}'
style_fail 'base/str.c:5: function pz_long_one has 71 lines'
licence='# SPDX-License-Identifier: Apache-2.0'
printf '%s\n' "$licence" 'function base/str.c:pz_long_one 71' >"$tree/tools/style_exceptions.txt"
style
printf '%s\n' "$licence" 'function base/str.c:pz_long_one 80' >"$tree/tools/style_exceptions.txt"
style_fail 'is down to 71 lines: say so in'
file base/str.c
style_fail 'excuses nothing that exists'
printf '%s\n' "$licence" >"$tree/tools/style_exceptions.txt"
mapfile -t lines < <(seq -f 'int x%g;' 1 699)
file base/str.c "${lines[@]}"
style_fail 'the file has 701 lines'
file base/str.c
style

# Hardening and symbols, on programs made for the purpose.
if command -v cc >/dev/null; then
    printf '%s\n' 'int main(void) { return 0; }' >"$tree/soft.c"
    cc -no-pie -o "$tree/soft" "$tree/soft.c"
    fails_with 'is not position-independent' "$top/tools/check_hardening.sh" "$tree/soft"
    printf '%s\n' 'int pz_good(void); int bad_name(void);' 'int pz_good(void) { return 1; }' \
        'int bad_name(void) { return 2; }' >"$tree/names.c"
    cc -c -o "$tree/names.o" "$tree/names.c"
    ar rcs "$tree/libnames.a" "$tree/names.o"
    fails_with 'libnames.a: bad_name is not static' "$top/tools/check_symbols.sh" "$tree/libnames.a"
fi
exit "$failed"
