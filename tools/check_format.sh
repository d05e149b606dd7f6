#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that all C is laid out as .clang-format says. Tables (.def) keep their own columns.
#
#   tools/check_format.sh          shows what differs
#   tools/check_format.sh --fix    changes the files
#
# clang-format 14 (Debian 12) is the reference; other versions lay some lines out differently.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
case ${1:-} in -h | --help) print_help "$0"; exit 0 ;; esac

tool=$(command -v clang-format-14 || command -v clang-format) ||
    die "clang-format is not installed; tools/test installs it"
version=$("$tool" --version)
[[ $version == *" version 14."* ]] || die "clang-format 14 is needed, this is: $version"

cd "$top"
mode=(--dry-run -Werror)
[[ ${1:-} != --fix ]] || mode=(-i)
source_files "$top" c h | xargs -0 -r "$tool" --style=file "${mode[@]}"
