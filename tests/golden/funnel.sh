# Every input is a row or counted with its reason; the counts add up; one broken file costs nothing
# else.
. "$GOLDEN/pictures"
mkdir in in/deep
bmp in/big.bmp 460 450
bmp in/deep/copy.bmp 460 450
bmp in/small.bmp 320 200
bmp in/strip.bmp 4000 500
printf 'a grey square\n' >in/big.txt
printf 'no image' >in/text.jpg
head -c 5000 in/big.bmp >in/cut.bmp
: >in/empty.png
printf 'notes' >in/notes.md
densefusion run in -o out --to filter 2>/dev/null >summary
echo "exit $?"
first() { grep -E '^ *(ingest|filter)|"(ingest|filter|skipped_inputs)"'; }
first <summary
densefusion status out | first
densefusion status out --json | first
densefusion show out big.bmp | sed 's/hash [0-9a-f]*/hash H/'
densefusion show out 00000-000002 --json | sed 's/"hash": "[0-9a-f]*"/"hash": "H"/'
densefusion show out 00000-000099 2>&1
densefusion show out 00001-000000 2>&1
densefusion show out nothing.bmp 2>&1
densefusion run in -o out --to filter --dry-run | first
densefusion run in -o out --to filter --filter.min_side=100 --dry-run | first
