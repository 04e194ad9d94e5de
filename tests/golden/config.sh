# A config file: sections and keys as on the command line; the command line wins; mistakes name the
# line.
. "$GOLDEN/pictures"
mkdir in && bmp in/a.bmp 300 300
printf 'filter:\n  min_side: 200\n' >good.yaml
densefusion run in -o out --to filter good.yaml 2>/dev/null | grep filter
densefusion run in -o out --to filter good.yaml --filter.min-side=301 2>/dev/null | grep filter
densefusion filter out --min_side=300 && densefusion status out | grep filter
printf 'filter:\n  max_aspect: 4\n  min_side: tall\n' >bad.yaml
densefusion run in -o out bad.yaml 2>&1
echo "exit $?"
printf 'filter: [1\n' >broken.yaml
densefusion run in -o out broken.yaml 2>&1
echo "exit $?"
# The paper's values: what is installed is understood, every key of it.
paper=$GOLDEN/../../share/configs/paper.yaml
densefusion run in -o paper --to filter "$paper" 2>/dev/null | grep filter
densefusion run in -o paper --to filter "$paper" --dry-run 2>&1 | head -3
