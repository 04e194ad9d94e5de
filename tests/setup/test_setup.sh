#!/usr/bin/env bash
# tools/setup.sh against a registry that is not there, sends something else, or is cut off: one
# clear line, nothing half-installed, and the next run puts it right. pip is a stand-in that serves
# files of a folder as wheels.
set -uo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

check() {                                    # WHAT COMMAND...
    local what=$1
    shift
    "$@" || { echo "FAILED: $what"; sed 's/^/    /' "$scratch/log"; failed=1; }
}

# A project with the real set-up script, two small packages to fetch and nothing for apt to do.
fresh_project() {
    root=$scratch/project registry=$scratch/registry
    rm -rf "$root" "$registry"
    mkdir -p "$root/tools/setup" "$root/tools/convert" "$root/.deps/venv/bin" "$registry"
    cp "$source/tools/setup.sh" "$root/tools/"
    cp "$source/tools/setup/fetch.sh" "$root/tools/setup/"
    touch "$root/tools/convert/none.py"
    echo "# none" | tee "$root/tools/setup/"{apt,apt-test,requirements,requirements-test}.txt \
        > "$root/.deps/venv/complete"
    for name in one two; do
        echo "content of $name" > "$registry/$name.txt"
        printf 'any pypi %s==1.0 data/%s.txt copy share/%s.txt %s\n' $name $name $name \
            "$(sha256sum < "$registry/$name.txt" | cut -c 1-64)"
    done > "$root/tools/setup/files.lock"
    cat > "$root/.deps/venv/bin/pip" << 'PIP'
#!/usr/bin/env bash
# pip download ... -d FOLDER NAME==VERSION
while [ "$1" != -d ]; do shift; done
name=${3%%==*}
echo "$name" >> "$REGISTRY/asked"
[ ! -e "$REGISTRY/stalls" ] || { touch "$REGISTRY/stalled"; sleep 60; }
[ -e "$REGISTRY/$name.txt" ] || { echo "ERROR: No matching distribution found for $3" >&2; exit 1; }
python3 -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel: wheel.write(sys.argv[2], sys.argv[3])' \
    "$2/$name-1.0-py3-none-any.whl" "$REGISTRY/$name.txt" "data/$name.txt"
PIP
    chmod +x "$root/.deps/venv/bin/pip"
}

setup() {
    REGISTRY=$registry "$root/tools/setup.sh" > "$scratch/log" 2>&1
}

fails() { ! "$@"; }
last_line_has() { tail -n 1 "$scratch/log" | grep -q -F -- "$1"; }
one_line_more_than() { [ "$(wc -l < "$scratch/log")" = $(($1 + 1)) ]; }
is_installed() { [ "$(cat "$root/share/$1.txt" 2> /dev/null)" = "content of $1" ]; }
is_absent() { [ ! -e "$root/share/$1.txt" ]; }
no_leftovers() { [ -z "$(find "$root/.deps" -name 'tmp.*')" ]; }
is_quiet() { [ ! -s "$scratch/log" ]; }
asked() { [ "$(cat "$registry/asked" 2> /dev/null | wc -l)" = "$1" ]; }

fresh_project
check "set-up succeeds" setup
check "the first file is there" is_installed one
check "the second file is there" is_installed two
check "no temporary folder stays" no_leftovers
start=$(date +%s%N)
check "set-up again succeeds" setup
check "the second set-up takes less than 2 s" test $((($(date +%s%N) - start) / 1000000)) -lt 2000
check "the second set-up says nothing" is_quiet
check "the second set-up asks for nothing" asked 2
rm "$root/share/two.txt"
check "set-up with a file removed succeeds" setup
check "it brings the file back" is_installed two
check "it asks for that package only" asked 3

fresh_project
echo "something else" > "$registry/two.txt"
check "a wrong hash fails" fails setup
check "its line names package, file and what is wrong" \
    last_line_has "two==1.0: data/two.txt: wrong SHA-256"
check "there is one line for it" one_line_more_than 2
check "the wrong file is not installed" is_absent two
check "the right one stays" is_installed one
check "no temporary folder stays" no_leftovers
check "it fails again, for there is no stamp" fails setup
echo "content of two" > "$registry/two.txt"
check "with the right file it succeeds" setup
check "and installs it" is_installed two

fresh_project
mv "$registry/one.txt" "$scratch/away"
check "a failed download fails" fails setup
check "its line has the client's reason" last_line_has \
    "one==1.0: download failed: ERROR: No matching distribution found for one==1.0"
check "there is one line for it" one_line_more_than 1
check "nothing is installed" is_absent one
check "no temporary folder stays" no_leftovers

fresh_project
touch "$registry/stalls"
REGISTRY=$registry setsid "$root/tools/setup.sh" > "$scratch/log" 2>&1 &
pid=$!
for _ in $(seq 100); do [ -e "$registry/stalled" ] && break; sleep 0.1; done
kill -9 -- "-$pid"
wait "$pid" 2> /dev/null
check "nothing is installed by a killed set-up" is_absent one
rm "$registry/stalls"
check "the set-up after it succeeds" setup
check "and installs the first file" is_installed one
check "and the second" is_installed two
check "and removes what the killed one left" no_leftovers

fresh_project
mkdir -p "$root/share"
echo "damaged" > "$root/share/one.txt"
check "set-up over a damaged file succeeds" setup
check "and replaces it" is_installed one

[ $failed = 0 ] && echo "set-up: all checks passed"
exit $failed
