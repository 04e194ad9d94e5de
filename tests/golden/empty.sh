# An empty folder is one clear line.
mkdir in
densefusion run in -o out --to filter 2>&1 | sed "s|$PWD/||"
