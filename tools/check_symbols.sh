#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that the libraries given export only names that begin with pz_.
#
#   tools/check_symbols.sh LIBRARY.a …
set -euo pipefail
source "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help | '') print_help "$0"; exit 0 ;; esac

command -v nm >/dev/null || die "nm is not installed; tools/test installs it"
failed=0
for library; do
    # Names with a double underscore or a dot in front are the compiler's own.
    while read -r name; do
        echo "$(basename "$library"): $name is not static and does not begin with pz_"
        failed=1
    done < <(nm --extern-only --defined-only --format=posix "$library" |
        awk 'NF >= 2 && $1 !~ /^(pz_|__|\.)/ && $1 != "main" { print $1 }' | sort -u)
done
exit "$failed"
