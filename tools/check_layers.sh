#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that no file includes what tools/layers.txt does not allow its folder, and that the table
# itself runs one way: a line names only what stands above it.
#
#   tools/check_layers.sh [ROOT [TABLE]]     default: this tree and its own table
#
# Prints one line per forbidden include, e.g.
#   query/exec/scan.c:2: query/exec may not include lmdb.h
set -euo pipefail
source "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help) print_help "$0"; exit 0 ;; esac
root=${1:-$top}
table=${2:-$root/tools/layers.txt}
[[ -r $table ]] || die "cannot read $table"

cd "$root"
source_files "$root" c h def | xargs -0 -r awk '
# Whether `path` is `place` or lies in the folder `place`.
function is_in(path, place) {
    return place == "*" || path == place || index(path, place "/") == 1
}

function is_in_any(path, places,    count, list, i) {
    count = split(places, list, " ")
    for (i = 1; i <= count; i++)
        if (is_in(path, list[i]))
            return 1
    return 0
}

# The longest entry of the table that is `path` or holds it, or "".
function room_of(path,    room) {
    room = path
    do
        if (room in allowed)
            return room
    while (sub(/\/[^\/]*$/, "", room))
    return ""
}

function forbid(what) {
    folder = FILENAME
    sub(/\/[^\/]*$/, "", folder)
    printf "%s:%d: %s may not include %s\n", FILENAME, FNR, folder, what
    bad = 1
}

FILENAME == table {
    if ($0 ~ /^[ \t]*(#|$)/)
        next
    colon = index($0, ":")
    if (colon == 0) {
        printf "%s:%d: a rule is written <folder>: <what it may include>\n", FILENAME, FNR
        bad = 1
        next
    }
    name = substr($0, 1, colon - 1)
    if (name ~ /^<.*>$/)
        library[substr(name, 2, length(name) - 2)] = substr($0, colon + 1)
    else {
        count = split(substr($0, colon + 1), places, " ")
        for (i = 1; i <= count; i++)
            if (places[i] != "*" && room_of(places[i]) == "") {
                printf "%s:%d: %s does not stand above %s\n", FILENAME, FNR, places[i], name
                bad = 1
            }
        allowed[name] = substr($0, colon + 1)
    }
    next
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    is_own = $0 ~ /include[ \t]*"/
    what = $0
    sub(/^[^<"]*[<"]/, "", what)
    sub(/[>"].*$/, "", what)
    if (what in library) {
        if (!is_in_any(FILENAME, library[what]))
            forbid(what)
        next
    }
    if (!is_own)
        next
    room = room_of(FILENAME)
    if (room == "") {
        printf "%s:%d: no rule in the table covers this folder\n", FILENAME, FNR
        bad = 1
    } else if (index(what, "/") == 0) {
        printf "%s:%d: includes are written from the root: \"folder/%s\"\n", FILENAME, FNR, what
        bad = 1
    } else if (!is_in(what, room) && !is_in_any(what, allowed[room])) {
        forbid(what)
    }
}

END { exit bad }
' table="$table" "$table"
