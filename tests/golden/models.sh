# What `models` says of cards: installed, missing and for what, broken; and what a provider that is
# not there says.
try() { densefusion "$@" 2>&1; echo "exit $?"; }
oracle=$GOLDEN/../oracle/vision
mkdir m && cp "$oracle"/tiny-nanodet.* "$oracle"/tiny-classes.* "$oracle"/*.labels.txt m/
cp "$oracle/tiny-centernet.yaml" m/                                  # without its weights
sed -e 's/three.labels/none.labels/' -e 's/tiny-centernet/second/' "$oracle/tiny-centernet.yaml" \
    > m/second.yaml
try models --models m
try models --models m --verify
try models --models m --json
sed -i 's/bins/bin/' m/tiny-nanodet.yaml                             # no number of this decoder
sed -i 's/^licence.*//' m/tiny-centernet.yaml
printf x >> m/tiny-classes.onnx
try models --models m --verify
try models install --models m
try models install nothing --from x.onnx --models m
try models install tiny-classes --from "$oracle/tiny-four.onnx" --models m | sed "s|$oracle|ORACLE|"
try models install tiny-classes --from "$oracle/tiny-classes.onnx" --models m
mkdir photos
try run photos -o out --models m --provider abacus --to tag --tag.models=tiny-classes \
    --skip embed,cluster,dedup,select,detect | sed 's/has only: .*; /has only: ...; /'
try run photos -o out --model-threads 0
