/* Parses the command line by one table of flags. */
#include "args.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "put.h"

const args_flag args_flags[] = {
    {FLAG_OUT, 'o', "out", "OUT", NULL, "folder of the result; made when it is missing"},
    {FLAG_FROM, 0, "from", "STAGE", NULL, "first stage to run"},
    {FLAG_INSTALL_FROM, 0, "from", "SOURCE", NULL,
     "install: a path, an http(s) URL, pypi:NAME==VERSION/FILE or npm:NAME@VERSION/FILE"},
    {FLAG_TRUST, 0, "trust", NULL, NULL,
     "install: take this file, write its SHA-256 into the card"},
    {FLAG_TO, 0, "to", "STAGE", NULL, "last stage to run"},
    {FLAG_SKIP, 0, "skip", "A,B", "run.skip", "stages to leave out"},
    {FLAG_PARTS, 0, "parts", "0,4-7", NULL,
     "work on these parts only; runs of other parts may go on beside this one"},
    {FLAG_DRY_RUN, 'n', "dry-run", NULL, NULL, "say what would be done, do nothing"},
    {FLAG_JOBS, 'j', "jobs", "N", "run.threads", "threads to work with; 0: one per core"},
    {FLAG_MODELS, 0, "models", "DIR", "run.models", "folder of model cards and ONNX files"},
    {FLAG_PROVIDER, 0, "provider", "NAME[:DEVICE]", "run.provider",
     "what models run on: cpu, cuda:0, openvino:GPU, ..."},
    {FLAG_MODEL_THREADS, 0, "model-threads", "N", "run.model_threads",
     "threads of one run of a model"},
    {FLAG_SHARE, 0, "share", "DIR", "run.share", "folder of prompts, page assets and lexicon"},
    {FLAG_JSON, 0, "json", NULL, NULL, "answer as JSON"},
    {FLAG_VERIFY, 0, "verify", NULL, NULL, "hash the model files and compare with their cards"},
    {FLAG_HELP, 'h', "help", NULL, NULL, "this text"},
    {0},
};

static int usage(const char *fmt, const char *what)
{
    fputs("densefusion: ", stderr);
    put_words(stderr, fmt, what);
    fputs("; --help lists what there is\n", stderr);
    return EXIT_USAGE;
}

static int out_of_memory(void)
{
    fputs("densefusion: out of memory\n", stderr);
    return EXIT_FAILED;
}

/* Notes an option of the command line as section.key; dashes in it become underscores. */
static int add_setting(args *a, const char *section, const char *key, size_t n, const char *value)
{
    setting *settings = realloc(a->settings, ((size_t)a->n_settings + 1) * sizeof *settings);
    if (!settings)
        return out_of_memory();
    a->settings = settings;
    df_str name = {0};
    if (section && !memchr(key, '.', n))
        df_str_printf(&name, "%s.", section);
    df_str_append_n(&name, key, n);
    for (char *p = name.data; p && *p; p++)
        *p = *p == '-' ? '_' : *p;
    if (name.failed)
        df_str_free(&name);
    if (!name.data)
        return out_of_memory();
    a->settings[a->n_settings++] = (setting){name.data, value};
    return EXIT_DONE;
}

/* Parses a list of parts such as "0,4-7". */
static int parse_parts(args *a, const char *text)
{
    a->parts = calloc(PARTS_MAX, sizeof *a->parts);
    if (!a->parts)
        return out_of_memory();
    for (const char *p = text;; p++) {
        char *end;
        long first = isdigit((unsigned char)*p) ? strtol(p, &end, 10) : -1;
        if (first < 0 || first > INT_MAX - PARTS_MAX)
            return usage("--parts %s: not a list of part numbers like 0,4-7", text);
        long last = first;
        if (*end == '-' && isdigit((unsigned char)end[1]))
            last = strtol(end + 1, &end, 10);
        if (last < first || last - first >= PARTS_MAX - a->n_parts)
            return usage("--parts %s: a range that runs backwards or is too long", text);
        for (long part = first; part <= last; part++)
            a->parts[a->n_parts++] = (int)part;
        if (*end == '\0')
            return EXIT_DONE;
        if (*end != ',')
            return usage("--parts %s: not a list of part numbers like 0,4-7", text);
        p = end;
    }
}

/* Takes a flag with its value. */
static int take_flag(args *a, const args_flag *f, const char *value)
{
    a->given |= f->id;
    if (f->key)
        return add_setting(a, NULL, f->key, strlen(f->key), value);
    switch (f->id) {
    case FLAG_OUT:
        a->out = value;
        break;
    case FLAG_FROM:
    case FLAG_INSTALL_FROM:
        a->from = value;
        break;
    case FLAG_TO:
        a->to = value;
        break;
    case FLAG_PARTS:
        return a->parts ? usage("%s", "--parts is given twice") : parse_parts(a, value);
    default:
        break;
    }
    return EXIT_DONE;
}

static int take_positional(args *a, const char *text)
{
    size_t n = strlen(text);
    bool yaml = (n > 5 && strcmp(text + n - 5, ".yaml") == 0) ||
                (n > 4 && strcmp(text + n - 4, ".yml") == 0);
    if (yaml && a->config)
        return usage("%s: a second config file", text);
    if (yaml)
        a->config = text;
    else
        a->positional[a->n_positional++] = text;
    return EXIT_DONE;
}

static const args_flag *find_flag(const char *name, size_t n, char letter, unsigned accepts)
{
    for (const args_flag *f = args_flags; f->name; f++) {
        bool same = name ? strlen(f->name) == n && memcmp(f->name, name, n) == 0
                         : f->letter && f->letter == letter;
        if (same && (accepts & f->id))
            return f;
    }
    return NULL;
}

/* Takes an argument that begins with '-'. *i is advanced when the value is the next argument. */
static int take_dashed(args *a, int argc, char **argv, int *i, unsigned accepts,
                       const char *section)
{
    const char *text = argv[*i];
    bool is_long = text[1] == '-';
    const char *name = text + 2, *equals = is_long ? strchr(name, '=') : NULL;
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const args_flag *f = find_flag(is_long ? name : NULL, n, text[1], accepts);
    bool is_setting =
        !f && is_long && (accepts & FLAG_SETTINGS) && n && (memchr(name, '.', n) || section);
    if (!f && !is_setting)
        return usage("unknown option %s", text);
    if (f && !f->value)
        return equals || (!is_long && text[2]) ? usage("%s takes no value", text)
                                               : take_flag(a, f, NULL);
    const char *value = equals ? equals + 1 : !is_long && text[2] ? text + 2 : NULL;
    if (!value && *i + 1 < argc)
        value = argv[++*i];
    if (!value)
        return usage("%s needs a value", text);
    return f ? take_flag(a, f, value) : add_setting(a, section, name, n, value);
}

int args_parse(args *out, int argc, char **argv, unsigned accepts, const char *section)
{
    *out = (args){.positional = calloc((size_t)argc + 1, sizeof *out->positional)};
    int code = out->positional ? EXIT_DONE : out_of_memory();
    bool only_positional = false;
    for (int i = 0; code == EXIT_DONE && i < argc; i++) {
        if (!only_positional && strcmp(argv[i], "--") == 0)
            only_positional = true;
        else if (!only_positional && argv[i][0] == '-' && argv[i][1])
            code = take_dashed(out, argc, argv, &i, accepts | FLAG_HELP, section);
        else
            code = take_positional(out, argv[i]);
    }
    return code;
}

void args_free(args *a)
{
    for (int i = 0; i < a->n_settings; i++)
        free(a->settings[i].key);
    free(a->settings);
    free(a->positional);
    free(a->parts);
    *a = (args){0};
}

void args_flag_words(const args_flag *f, char *out, size_t size)
{
    char letter[8] = "";
    if (f->letter)
        snprintf(letter, sizeof letter, "-%c, ", f->letter);
    snprintf(out, size, "%s--%s%s%s", letter, f->name, f->value ? " " : "",
             f->value ? f->value : "");
}
