# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts in tools/: sourced, never run. Sets $top, the root of the tree.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() {
    printf 'plaza: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# The comment that heads a script, without the licence line, is its --help.
print_help() {
    awk 'NR == 1 { next } /^# SPDX/ { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$1"
}

# Packages of the given groups in tools/packages.txt that are not installed, one a line.
missing_packages() {
    local group package
    while read -r group package; do
        case $group in
        '#'* | '') continue ;;
        esac
        case " $* " in
        *" $group "*)
            dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
                grep -q '^install ok installed$' || echo "$package"
            ;;
        esac
    done <"$top/tools/packages.txt"
}

# quietly [-e] COMMAND…: runs a command whose words matter only when it fails; then its last ones are
# shown, and where all are. With -e that goes for its standard error alone, and it may ask.
quietly() {
    local log status=0 stdout_too=yes
    [[ $1 != -e ]] || { stdout_too=no; shift; }
    log=$(mktemp "${TMPDIR:-/tmp}/plaza-tools.XXXXXX")
    if [[ $stdout_too == yes ]]; then
        "$@" >"$log" 2>&1 || status=$?
    else
        "$@" 2>"$log" || status=$?
    fi
    if ((status != 0)); then
        tail -n 5 "$log" >&2
        (($(wc -l <"$log") <= 5)) || { say "all that it said is in $log"; return "$status"; }
    fi
    rm -f "$log"
    return "$status"
}

# Installs what is missing of the given groups. Says what; asks only on a terminal.
install_packages() {
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || {
        say "this machine has no apt-get; the tools named in tools/packages.txt are taken as given"
        return 0
    }
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "to be installed with apt-get: ${missing[*]}"

    local as_root=()
    if [[ $(id -u) != 0 ]]; then
        command -v sudo >/dev/null ||
            die "that needs root, and there is no sudo; as root run: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    local options=(--no-install-recommends) frontend=${DEBIAN_FRONTEND:-} quiet=(quietly -e)
    if [[ ! -t 0 || ! -t 1 ]]; then
        options+=(-y -qq -o Dpkg::Use-Pty=0)
        frontend=noninteractive
        quiet=(quietly)
    fi
    as_root+=(env ${frontend:+DEBIAN_FRONTEND="$frontend"})
    quietly "${as_root[@]}" apt-get update -qq ||
        die "apt-get update failed; is there a network?"
    "${quiet[@]}" "${as_root[@]}" apt-get install "${options[@]}" "${missing[@]}" ||
        die "apt-get could not install what is missing; is there a network?"
    hash -r
}

# configure PRESET: makes build/PRESET ready. Nothing to do in most cases, since ninja itself
# configures anew when a CMake list has changed.
configure() {
    local dir=$top/build/$1 fresh=()
    if [[ -e $dir/CMakeCache.txt ]] &&
        ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$top" "$dir/CMakeCache.txt"; then
        fresh=(--fresh) # the tree was moved or copied
    elif [[ -e $dir/build.ninja && $dir/build.ninja -nt $top/CMakePresets.json ]]; then
        return 0
    fi
    local log
    log=$(mktemp)
    (cd "$top" && cmake --preset "$1" "${fresh[@]}") >"$log" 2>&1 || {
        cat "$log" >&2
        rm -f "$log"
        die "cmake could not configure the preset $1"
    }
    rm -f "$log"
}

# build PRESET [TARGET]
build() {
    configure "$1"
    (cd "$top" && cmake --build "build/$1" ${2:+--target "$2"}) ||
        die "the build failed; see the first error above"
}

# The tree's own files with the given endings (c h sh …), NUL-separated, relative to $1.
# Where there is no git, e.g. in an unpacked archive, everything but build results is taken.
source_files() {
    local root=$1 ending names=() tests=()
    shift
    for ending in "$@"; do
        names+=("*.$ending")
        tests+=(-o -name "*.$ending")
    done
    if [[ -e $root/.git ]] && git -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
        # Deleted but not yet committed files are still listed.
        (cd "$root" && git ls-files -z -- "${names[@]}" |
            while IFS= read -r -d '' file; do [[ -e $file ]] && printf '%s\0' "$file"; done)
    else
        (cd "$root" && find . \( -name build -o -name .git -o -name plaza-data \) -prune \
            -o -type f \( -false "${tests[@]}" \) -printf '%P\0')
    fi
}
