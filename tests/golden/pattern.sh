# Folders whose names are patterns elsewhere: they are read as they are written, and what lies
# beside them is not.
. "$GOLDEN/pictures"
mkdir 'in [a]' 'in a' 'out [a]*?'
bmp 'in [a]/one.bmp' 460 450
bmp 'in a/other.bmp' 480 470
touch 'in [a]/notes.odt'
skip=embed,cluster,dedup,select,tag,detect,read
densefusion run 'in [a]' -o 'out [a]*?' --skip $skip 2>&1 | grep -v '^$'
densefusion status 'out [a]*?' | grep -v 'not run'
densefusion show 'out [a]*?' one.bmp | head -1
wc -l < 'out [a]*?/captions.jsonl'
