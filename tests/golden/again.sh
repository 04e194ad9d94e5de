# A second run has nothing to do, for the page and the counts too.
. "$GOLDEN/pictures"
mkdir in
bmp in/a.bmp 460 450
densefusion run in -o out --skip embed,cluster,dedup,select,tag,detect,read >/dev/null 2>&1
echo "exit $?"
densefusion run in -o out --skip embed,cluster,dedup,select,tag,detect,read --dry-run
densefusion status out
echo "== only up to filter, with another option: the page is older"
densefusion run in -o out --skip embed,cluster,dedup,select,tag,detect,read --to filter \
    --filter.min_side=449 2>/dev/null | tail -2
