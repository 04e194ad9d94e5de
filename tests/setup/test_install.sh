#!/usr/bin/env bash
# test_install.sh BUILD_FOLDER: installs into a prefix and uses it as others do: the program from
# anywhere, the example in C by pkg-config, both without the source tree's models.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix
cmake -S "$source" -B "$build" -G Ninja -Wno-dev -DDF_FOR_INSTALL=ON \
    -DCMAKE_INSTALL_PREFIX="$prefix" > "$scratch/log"
cmake --build "$build" --target densefusion-cli densefusion-shared man > "$scratch/log" ||
    { cat "$scratch/log"; exit 1; }
DESTDIR=$scratch/stage cmake --install "$build" > /dev/null
test -x "$scratch/stage$prefix/bin/densefusion"      # DESTDIR is put before the prefix
mv "$scratch/stage$prefix" "$prefix"

cd "$scratch"
mkdir photos
cp "$source"/samples/{two-dogs,clock}.jpg photos/
"$prefix/bin/densefusion" models > models.txt
grep -q '^installed nanodet ' models.txt
"$prefix/bin/densefusion" run photos -o out > log 2>&1 || { cat log; exit 1; }
test -s out/captions.jsonl
test -s out/report/index.html
test -s "$prefix/share/densefusion/configs/paper.yaml"
grep -q 'TH DENSEFUSION 1' "$prefix/share/man/man1/densefusion.1"

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name densefusion.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
${CC:-cc} "$source/examples/caption.c" -o caption $(pkg-config --cflags --libs densefusion)
./caption "$source/samples/two-dogs.jpg" | tee caption.txt
test -s caption.txt
exported=$(nm -D --defined-only "$prefix"/lib*/libdensefusion.so \
    "$prefix"/lib/*/libdensefusion.so 2> /dev/null |
    awk '$2 == "T" {print $3}' | grep -v '^df_pipeline_') || true
test -z "$exported" || { echo "exported beyond densefusion.h: $exported"; exit 1; }
echo "installed, and used from there"
