# Help comes from the option tables: every option is told with type, default and bounds, and the
# manual has it too.
densefusion filter --help
densefusion run --help | grep -o -E '^  --[a-z_]+(\.[a-z_0-9]+)+' | tr -d ' ' | sed 's/^--//' |
    grep -v -x section.key | sort >options
densefusion man >page
while read -r option; do
    grep -q -x "\.B $option" page || echo "not in the manual: $option"
done <options
[ "$(wc -l <options)" -gt 40 ] && echo 'the manual has every option'
for stage in ingest filter embed tag detect read look fuse caption check stats export report; do
    densefusion $stage --help | head -1
done
