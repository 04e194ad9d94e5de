# Words of others never command the terminal: names on the command line, of files and folders, model
# cards, a library's words, imported labels. Escapes, C1 controls, marks that turn the text round,
# broken UTF-8: each is shown as \x1b, \u009b.
. "$GOLDEN/pictures"
try() { densefusion "$@" 2>&1; echo "exit $?"; }
esc=$(printf '\033[31m') c1=$(printf '\302\233') turn=$(printf '\342\200\256') bad=$(printf '\303(')
try "fro${esc}b"
try run photos -o out "--filter.min_side${c1}=3"
try run photos -o out "--filter.min_side=${esc}3"
try run "pho${turn}tos" -o out
try run photos -o out "--pa${esc}rts" 3
try filter "no${bad}where"
try show "no
where" 00000-000000

mkdir m && cat >m/card.yaml <<'CARD'
name: card
task: tag
decoder: classes
file: no.onnx
licence: "MIT \e[2J"
source: "https://example.org/\x9b31m \u202e\x7f \e]0;title\a"
CARD
printf 'name: "x\\e[1m"\n"k\\e[2m": 3\n' >m/odd.yaml
try models --models m
densefusion models --models m --json 2>/dev/null | grep -o '"source.*use"'

mkdir in && bmp in/a.bmp 460 450
printf '{"path": "a.bmp", "label": "dog \\u001b[31m\\u009b\\u202e", "score": 0.9, ' >boxes.jsonl
printf '"x0": 1, "y0": 1, "x1": 300, "y1": 300}\n' >>boxes.jsonl
try run in -o "o${esc}ut"
densefusion run in -o seen --skip embed,cluster,dedup,select,tag,read --detect.from=boxes.jsonl \
    2>/dev/null >&2
mv seen "o${esc}ut"
densefusion status "o${esc}ut" | tail -2
densefusion show "o${esc}ut" a.bmp | grep -o 'label dog.*score'
densefusion show "o${esc}ut" a.bmp --json | grep -o '"label": "[^"]*"'
printf 'url,width,height\nhttps://example.org/a.jpg,600,500\n' >list.csv
densefusion run list.csv -o urls --to filter 2>/dev/null | head -1
try metadata urls/ingest/part-00000.parquet -o kept --where "no${c1}${esc}such = 1"
try metadata urls/ingest/part-00000.parquet -o "it's${esc}kept${c1}"
mkdir "${esc}list" && cp urls/ingest/part-00000.parquet "${esc}list/it's.parquet"
try metadata "${esc}list" -o kept2
try metadata "no${esc}ne.parquet" -o none
