# Every mistake on the command line is one line that says what is meant; exit code 2.
try() { densefusion "$@" 2>&1; echo "exit $?"; }
list() { sed 's/there are: .*/there are: .../'; }
try frobnicate
try run
try run photos
try run a b -o out
try run photos -o
try run photos -o out --filter.min_sides=3
try run photos -o out --filter.min_side=many
try run photos -o out --filter.min_side=-1
try run photos -o out --filtre.min_side=1 | list
try run photos -o out --from nothing
try run photos -o out --from filter --to ingest
try run photos -o out --parts 3-1
try run photos -o out --parts x
try run photos -o out --skip ingest,nothing
try run photos -o out missing.yaml
try run missing -o out
try filter
try filter nowhere
try status nowhere
try show nowhere 00000-000000
try models --models nowhere
# Options of an engine, wrong and by their old names.
try run missing -o out --caption.openai.retrys=3
try run missing -o out --caption.opnai.retries=3
try run missing -o out --caption.openai.seed=3
try run missing -o out --openai.retries=3
try run missing -o out --caption.retries=3 --caption.retries=4 --caption.batch_mb=100
try run missing -o out --caption.retries=3 --caption.openai.retries=4
try clusters
try clusters nowhere
try clusters nowhere --tip 4
try metadata list.parquet
try metadata list.parquet -o kept --min_side=x
try metadata list.parquet -o kept
try run --dry-run=yes photos -o out
try --version
rm -rf out
