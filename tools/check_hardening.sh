#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that a program was linked as a release is: position-independent, with read-only
# relocations bound at start, without an executable stack, and with the checked C library calls.
#
#   tools/check_hardening.sh PROGRAM
set -euo pipefail
source "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help | '') print_help "$0"; exit 0 ;; esac

command -v readelf >/dev/null || die "readelf is not installed; tools/test installs it"
program=$1
[[ -r $program ]] || die "cannot read $program"
headers=$(LC_ALL=C readelf --wide --file-header --program-headers --dynamic "$program")
symbols=$(LC_ALL=C readelf --wide --dyn-syms "$program")
failed=0

# want DESCRIPTION TEXT PATTERN
want() {
    grep -Eq -- "$3" <<<"$2" || {
        echo "$program: $1"
        failed=1
    }
}
want "is not position-independent" "$headers" '^ *Type: +DYN '
want "has no RELRO segment" "$headers" '^ *GNU_RELRO '
want "does not bind its symbols at start" "$headers" '\(FLAGS(_1)?\).*(BIND_NOW|NOW)'
want "has an executable stack, or does not say" "$headers" '^ *GNU_STACK .* RW '
want "has no stack protector" "$symbols" '__stack_chk_fail'
want "was not built with _FORTIFY_SOURCE" "$symbols" '__(memcpy|snprintf|vsnprintf|fprintf|read)_chk'
exit "$failed"
