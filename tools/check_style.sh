#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the rules of the house that a machine can check:
#   - a licence line first, and in C a sentence that says what the file is for
#   - no calls that the house does not use (strcpy, atoi, time, …)
#   - functions of at most 70 lines (outside tests), files of at most 700
#   - no notes to ourselves about work left undone
#
#   tools/check_style.sh [ROOT]
#
# What is longer is listed with its length in tools/style_exceptions.txt. That list may only shrink:
# growth fails, and so does an entry that is longer than what it excuses.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help) print_help "$0"; exit 0 ;; esac
root=${1:-$top}
exceptions=$root/tools/style_exceptions.txt
[[ -r $exceptions ]] || exceptions=/dev/null
failed=0
cd "$root"

source_files "$root" c h | xargs -0 -r awk '
function complain(line, text) {
    printf "%s:%d: %s\n", file, line, text
    bad = 1
}

# `kind` `key` has `length_now` lines where `limit` are allowed.
function check_length(kind, key, line, length_now, limit,    id, excused) {
    id = kind " " key
    excused = (id in exception) ? exception[id] : 0
    if (length_now > limit && length_now > excused)
        complain(line, sprintf("%s has %d lines, at most %d: look for a seam", \
            kind == "file" ? "the file" : "function " substr(key, index(key, ":") + 1), \
            length_now, excused > limit ? excused : limit))
    if (excused > 0) {
        seen[id] = 1
        if (length_now <= limit || length_now < excused)
            complain(line, sprintf("%s is down to %d lines: %s tools/style_exceptions.txt", key, \
                length_now, length_now <= limit ? "take it out of" : "say so in"))
    }
}

# The code of a line: comments dropped, texts emptied. Keeps is_in_comment over lines.
function code_of(line,    code, start, len, token) {
    code = ""
    for (;;) {
        if (is_in_comment) {
            start = index(line, "*/")
            if (start == 0)
                return code
            line = substr(line, start + 2)
            is_in_comment = 0
        }
        # Whichever begins first decides.
        if (!match(line, /"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047|\/\/.*|\/\*/))
            return code line
        start = RSTART
        len = RLENGTH
        token = substr(line, start, 2)
        code = code substr(line, 1, start - 1)
        line = substr(line, start + len)
        if (token == "/*")
            is_in_comment = 1
        else if (token != "//")
            code = code "\"\""
    }
}

function end_file() {
    if (file != "" && file != exceptions)
        check_length("file", file, line_count, line_count, 700)
}

FNR == 1 {
    end_file()
    file = FILENAME
    is_in_comment = 0
    function_start = 0
    name = ""
}

FILENAME == exceptions {
    if ($0 !~ /^[ \t]*(#|$)/)
        exception[$1 " " $2] = $3 + 0
    next
}

{ line_count = FNR }

FNR == 1 && $0 != "// SPDX-License-Identifier: Apache-2.0" {
    complain(1, "the first line is not: // SPDX-License-Identifier: Apache-2.0")
}
FNR == 2 && $0 !~ /^\/\/ [^ ]/ {
    complain(2, "after the licence line a comment says what the file is for")
}

/(^|[^A-Za-z])(TODO|FIXME|XXX|HACK)([^A-Za-z]|$)/ {
    complain(FNR, "a note about work left undone: do it, or write down the condition for it")
}

{
    code = code_of($0)
    if (code ~ /(^|[^A-Za-z0-9_.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|rand|srand|time|strerror|assert|alloca|setlocale)[ \t]*\(/) {
        match(code, /(^|[^A-Za-z0-9_.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|rand|srand|time|strerror|assert|alloca|setlocale)[ \t]*\(/)
        call = substr(code, RSTART, RLENGTH)
        gsub(/[^a-z]/, "", call)
        complain(FNR, call " is a call the house does not use")
    }
}

# A definition has its name at the start of a line and its braces in the first column.
code ~ /^[a-z_][A-Za-z0-9_]*\(/ {
    name = code
    sub(/\(.*/, "", name)
}
code ~ /^\{/ { function_start = FNR }
code ~ /^\}/ {
    if (function_start > 0 && name != "" && file !~ /^tests\//)
        check_length("function", file ":" name, function_start, FNR - function_start - 1, 70)
    function_start = 0
    name = ""
}

END {
    end_file()
    for (id in exception)
        if (!(id in seen)) {
            printf "%s: \"%s\" excuses nothing that exists\n", exceptions, id
            bad = 1
        }
    exit bad
}
' exceptions="$exceptions" "$exceptions" || failed=1

# Scripts, lists, pages: the licence line may follow the line that names the interpreter or the type.
while IFS= read -r -d '' file; do
    head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || {
        echo "$file:1: no line # SPDX-License-Identifier: Apache-2.0"
        failed=1
    }
done < <(source_files "$root" sh py cmake txt css js html lua | grep -zv '^tests/data/\|^docs/')

exit "$failed"
