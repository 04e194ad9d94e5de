#!/usr/bin/env bash
# Every check, as `make test` runs it: gcc and all tests; AddressSanitizer with UBSan;
# ThreadSanitizer over what has threads; clang. Each build goes on after another's failure; one
# closing line counts them all. Set-up has run.
set -uo pipefail
cd "$(dirname "$0")/.."
jobs=$(nproc)
passed=0 failed=0 skipped=0

# Runs ctest in a build folder and adds its counts. The tests' own output is shown for the failed
# ones.
run_tests() {                                # FOLDER CTEST-ARGUMENT...
    local folder=$1 log
    shift
    log=$folder/ctest.log
    ctest --test-dir "$folder" --output-on-failure -j "$jobs" "$@" 2>&1 | tee "$log"
    passed=$((passed + $(grep -c -E '^ *[0-9]+/[0-9]+ Test .* Passed ' "$log")))
    skipped=$((skipped + $(grep -c -E '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped ' "$log")))
    failed=$((failed + $(grep -E '^ *[0-9]+/[0-9]+ Test ' "$log" |
        grep -v -c -E ' Passed |\*\*\*Skipped ')))
    grep -q -E '^ *[0-9]+/[0-9]+ Test ' "$log" || failed=$((failed + 1))
}

# Configures and builds; a build that fails counts as one failed test.
build() {                                    # FOLDER CMAKE-ARGUMENT...
    local folder=$1
    shift
    echo "=== $folder"
    if cmake -G Ninja -B "$folder" -Wno-dev --log-level=WARNING "$@" &&
        cmake --build "$folder" -- --quiet; then return; fi
    failed=$((failed + 1))
    return 1
}

# What has threads of its own: everything else is one thread an image and is covered by these.
threaded='test_(pool|gate|tokenizer|kmeans|cluster|semdedup|dedup|select|library|pipeline|onnx'
threaded+='|experts|text|embed|words|imported|evidence_import)|golden_funnel'
# Interrupting runs again and again is about the disk: once, without sanitizers. The browser test is
# about the page.
undecorated='^output$|together|^parts$|paths|special_files|resume|curation|truth|browser|setup'
undecorated+='|install|convert|tutorial|openai_server|openai_chaos|img2dataset|llama'
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
export ORT_DISABLE_TELEMETRY=1               # of the Python scripts; the program refuses it itself
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp:second_deadlock_stack=1"

build build/test -DDF_RESUME_TESTS=ON -DDF_ASSERT=ON && run_tests build/test
build build/asan -DDF_SANITIZE=address,undefined && run_tests build/asan -E "$undecorated"
build build/tsan -DDF_SANITIZE=thread && run_tests build/tsan -R "$threaded"
build build/clang -DCMAKE_C_COMPILER=clang-19 -DDF_ASSERT=ON &&
    run_tests build/clang -R '^test_|^fuzz_'

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
