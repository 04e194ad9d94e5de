/* Reads model cards and the files beside them. */
#include "model/card.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/sha256.h"
#include "model/card_check.h"

enum {
    CARD_BYTES_MAX = 1 << 20,
    LABEL_BYTES_MAX = 4 << 20,
    LABELS_MAX = 100000,
    TOKENIZER_BYTES_MAX = 64 << 20
};

#define TEXT(field, initial, help)                                                                 \
    {#field, DF_OPT_TEXT, offsetof(df_card, field), initial, 0, 0, help}
#define SIDE(field, help) {#field, DF_OPT_INT, offsetof(df_card, field), "0", 0, 8192, help}
#define REAL(key, at, initial, least, most, help)                                                  \
    {key, DF_OPT_REAL, offsetof(df_card, at), initial, least, most, help}

static const df_option fields[] = {
    TEXT(name, NULL, "the card's own name, as its file is called"),
    TEXT(task, NULL,
         "tag, detect, text-detect, text-recognise, text-orient, safety, embed or text-embed"),
    TEXT(decoder, NULL, "code that reads the model's output"),
    TEXT(file, NULL, "ONNX file beside the card"),
    TEXT(sha256, "", "of the ONNX file; empty in a card for a file that the user brings"),
    TEXT(licence, NULL, "of the weights"),
    TEXT(source, NULL, "where the weights come from"),
    TEXT(input, "", "input tensor; the model's first when empty"),
    TEXT(resize, "stretch",
         "stretch, crop (centre), fit (padded right and below) or shortest (edge to resize_side)"),
    TEXT(channels, "rgb", "rgb or bgr"),
    TEXT(layout, "nchw", "nchw or nhwc"),
    TEXT(interpolation, "bilinear", "bilinear or bicubic"),
    TEXT(output, "", "encoder: the tensor that holds the vector; the model's first when empty"),
    TEXT(pooling, "none", "encoder, of an output [1, tokens, dim]: cls (the first token) or mean"),
    REAL("eps", eps, "0", 0, 2, "encoder: two images above cosine 1 - eps are duplicates"),
    SIDE(width, "of the input, pixels; 0: the image's own"),
    SIDE(height, "of the input, pixels; 0: the image's own"),
    SIDE(resize_side, "crop: the image's short edge before the centre crop; shortest: the input's "
                      "short edge; pixels"),
    SIDE(max_side, "shortest: the most that the input's long edge may be, pixels"),
    REAL("mean.0", mean[0], "0", -1e4, 1e4, "subtracted from the first channel's 0..255"),
    REAL("mean.1", mean[1], "0", -1e4, 1e4, "of the second channel"),
    REAL("mean.2", mean[2], "0", -1e4, 1e4, "of the third channel"),
    REAL("pad", pad, "-1", -1, 255,
         "fit: value of the pixels right and below the image; -1: the mean"),
    REAL("std.0", std[0], "1", 1e-6, 1e6, "the first channel is divided by it"),
    REAL("std.1", std[1], "1", 1e-6, 1e6, "of the second channel"),
    REAL("std.2", std[2], "1", 1e-6, 1e6, "of the third channel"),
    TEXT(labels, NULL, "file beside the card: a class a line"),
    TEXT(thresholds, NULL,
         "file beside the card: a least score a line, one for each label, in place of threshold"),
    TEXT(text, NULL, "card (task text-embed) that makes vectors of the labels and queries"),
    TEXT(template, "{}",
         "what a label or query becomes before the text encoder sees it: it stands for {}"),
    TEXT(tokenizer, NULL, "tokenizer.json beside the card, of a model that reads words"),
    REAL("threshold", threshold, "0.5", 0, 1, "least score kept"),
    REAL("accept", accept, "0", 0, 1,
         "score from which fuse believes an answer by itself; 0: as its options say"),
    REAL("iou", iou, "0.5", 0, 1, "of two boxes of one class that overlap more, the weaker goes"),
    {0},
};

static df_status read_decode_key(df_card *card, df_yaml_entry *entry, df_error *err)
{
    char *end;
    double number = strtod(entry->value, &end);
    if (end == entry->value || *end || !isfinite(number))
        return df_fail(err, DF_CONFIG, "%s:%d: %s: \"%s\" is not a number", card->path, entry->line,
                       entry->key, entry->value);
    entry->key += strlen("decode.");
    return DF_OK;
}

static df_status set_field(df_card *card, const df_yaml_entry *entry, df_error *err)
{
    for (const df_option *o = fields; o->name; o++) {
        df_error why;
        if (strcmp(o->name, entry->key) != 0)
            continue;
        df_status status = df_option_set(fields, card, card->name ? card->name : "card", entry->key,
                                         entry->value, &why);
        return status == DF_OK
                   ? DF_OK
                   : df_fail(err, status, "%s:%d: %s", card->path, entry->line, why.message);
    }
    return df_fail(err, DF_CONFIG, "%s:%d: a model card has no field \"%s\"", card->path,
                   entry->line, entry->key);
}

/* Reads the card's fields; those of decode.* are kept for the decoder. */
static df_status read_fields(df_card *card, df_error *err)
{
    df_yaml_entry *entries = NULL, *extra;
    int n_entries = 0;
    DF_TRY(df_options_defaults(fields, card, err));
    DF_TRY(df_yaml_read(card->path, &card->arena, &entries, &n_entries, err));
    extra = entries;
    for (int i = 0; i < n_entries; i++) {
        if (strncmp(entries[i].key, "decode.", strlen("decode.")) != 0) {
            DF_TRY(set_field(card, &entries[i], err));
            continue;
        }
        DF_TRY(read_decode_key(card, &entries[i], err));
        extra[card->n_extra++] = entries[i]; /* in place: the write index is never ahead of i */
    }
    card->extra = extra;
    return DF_OK;
}

/* The name in a line of labels: what follows a tab, or the whole line without one. An empty name
 * drops the class. */
static const char *label_name(char *line)
{
    line[strcspn(line, "\r")] = '\0';
    char *tab = strchr(line, '\t');
    const char *name = tab ? tab + 1 : line;
    return name[0] ? name : NULL;
}

static int count_lines(const char *text, size_t size)
{
    int n = 0;
    for (const char *at = text; (size_t)(at - text) < size; n++) {
        const char *end = memchr(at, '\n', size - (size_t)(at - text));
        at = end ? end + 1 : text + size;
    }
    return n;
}

/* Splits the labels file into its lines. */
static df_status split_labels(df_card *card, char *text, size_t size, df_error *err)
{
    int n = count_lines(text, size);
    if (n < 1 || n > LABELS_MAX || strlen(text) != size)
        return df_card_bad_field(card, "labels", "the file must hold 1 to 100,000 lines of text",
                                 err);
    card->label = df_arena_alloc(&card->arena, (size_t)n, sizeof *card->label);
    if (!card->label)
        return df_no_memory(err, "read %s", card->path);
    for (char *line = text; card->n_labels < n; card->n_labels++) {
        char *next = line + strcspn(line, "\n");
        bool last = *next == '\0';
        *next = '\0';
        card->label[card->n_labels] = label_name(line);
        line = next + !last;
    }
    return DF_OK;
}

char *df_card_beside(const df_card *card, const char *file)
{
    size_t size = strlen(card->folder) + strlen(file) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", card->folder, file);
    return path;
}

/* Appends the bytes of a file that the card's field names; nothing when file is NULL. */
static df_status read_beside(const df_card *card, const char *field, const char *file, size_t max,
                             df_str *all, df_error *err)
{
    df_error why;
    char *path = file ? df_card_beside(card, file) : NULL, *bytes = NULL;
    size_t size = 0;
    if (!file)
        return DF_OK;
    df_status status =
        path ? df_file_read(path, max, &bytes, &size, &why) : df_no_memory(&why, NULL);
    if (status != DF_OK)
        df_fail(err, status, "%s: %s: %s", card->path, field, why.message);
    else
        df_str_append_n(all, bytes, size);
    free(bytes);
    free(path);
    return status;
}

/* Reads one threshold in [0, 1] for each label. */
static df_status split_thresholds(df_card *card, const char *text, df_error *err)
{
    double *least = df_arena_alloc(&card->arena, (size_t)card->n_labels + 1, sizeof *least);
    if (!least)
        return df_no_memory(err, "read %s", card->path);
    int n = 0;
    for (char *end; *(text += strspn(text, " \t\r\n")) && n < card->n_labels; n++, text = end) {
        least[n] = strtod(text, &end);
        if (end == text || (*end && !strchr(" \t\r\n", *end)) || !(least[n] >= 0 && least[n] <= 1))
            return df_fail(err, DF_CONFIG, "%s: thresholds: line %d is no number from 0 to 1",
                           card->path, n + 1);
    }
    if (n != card->n_labels || *text)
        return df_fail(err, DF_CONFIG,
                       "%s: thresholds: the file must hold %d numbers, one for each label",
                       card->path, card->n_labels);
    card->label_threshold = least;
    return DF_OK;
}

static df_status split_files(df_card *card, const df_str *labels, const df_str *thresholds,
                             df_error *err)
{
    /* names of labels point into it */
    char *copy = df_arena_alloc(&card->arena, labels->size + 1, 1);
    if (!copy)
        return df_no_memory(err, "read %s", card->path);
    memcpy(copy, df_str_text(labels), labels->size);
    if (card->labels)
        DF_TRY(split_labels(card, copy, labels->size, err));
    return card->thresholds ? split_thresholds(card, df_str_text(thresholds), err) : DF_OK;
}

/* Reads the files beside the card and hashes them together with it, since another threshold or name
 * gives another result. */
static df_status read_files(df_card *card, df_error *err)
{
    df_str all = {0}, labels = {0}, thresholds = {0};
    df_status status =
        read_beside(card, "card", strrchr(card->path, '/') + 1, CARD_BYTES_MAX, &all, err);
    if (status == DF_OK)
        status = read_beside(card, "labels", card->labels, LABEL_BYTES_MAX, &labels, err);
    if (status == DF_OK)
        status =
            read_beside(card, "thresholds", card->thresholds, LABEL_BYTES_MAX, &thresholds, err);
    df_str_append_n(&all, df_str_text(&labels), labels.size);
    df_str_append_n(&all, df_str_text(&thresholds), thresholds.size);
    if (status == DF_OK)
        status = read_beside(card, "tokenizer", card->tokenizer, TOKENIZER_BYTES_MAX, &all, err);
    if (status == DF_OK && (all.failed || labels.failed || thresholds.failed))
        status = df_no_memory(err, "read %s", card->path);
    if (status == DF_OK) {
        df_hash_hex(df_str_text(&all), all.size, card->hash);
        status = split_files(card, &labels, &thresholds, err);
    }
    df_str_free(&all);
    df_str_free(&labels);
    df_str_free(&thresholds);
    return status;
}

static df_status not_installed(const df_card *card, const char *path, df_error *err)
{
    if (!card->sha256[0])
        return df_fail(
            err, DF_MODEL,
            "%s is not installed: its weights are yours to bring: `densefusion models install "
            "%s --from FILE`; docs/EXTENDING.md tells how",
            path, card->name);
    return df_fail(err, DF_MODEL, "%s is not installed; run `make setup`", path);
}

/* Compares the model file's SHA-256 with the card's. */
static df_status verify_file(const df_card *card, df_error *err)
{
    char hex[DF_SHA256_HEX];
    char *path = df_card_model_path(card);
    if (!path)
        return df_no_memory(err, "open %s", card->path);
    df_status status =
        df_file_exists(path) ? df_sha256_file(path, hex, err) : not_installed(card, path, err);
    if (status == DF_OK && !card->sha256[0])
        status =
            df_fail(err, DF_MODEL,
                    "%s: the card does not say which file it means; if this is it, put \"sha256: "
                    "%s\" into %s.yaml",
                    path, hex, card->name);
    else if (status == DF_OK && strcmp(hex, card->sha256) != 0)
        status =
            df_fail(err, DF_MODEL,
                    "%s: its SHA-256 is %.12s..., the card says %.12s...; delete the file and run "
                    "`make setup`, or set sha256 in %s.yaml if the new file is yours",
                    path, hex, card->sha256, card->name);
    free(path);
    return status;
}

/* Appends "WHAT FILE" to *missing when a file beside the card does not exist; returns whether. */
static bool note_absent(const df_card *card, const char *what, const char *file, df_str *missing)
{
    char *path = file ? df_card_beside(card, file) : NULL;
    const bool absent = path && !df_file_exists(path);
    if (absent)
        df_str_printf(missing, "%s%s %s", missing->size ? ", " : "", what, file);
    free(path);
    return absent;
}

/* Notes all missing files. Returns whether the small ones exist, without which the card cannot be
 * read in full. */
static bool note_missing(const df_card *card, df_str *missing)
{
    bool absent = note_absent(card, "labels", card->labels, missing);
    absent |= note_absent(card, "thresholds", card->thresholds, missing);
    absent |= note_absent(card, "tokenizer", card->tokenizer, missing);
    note_absent(card, "weights", card->file, missing);
    return !absent;
}

/* Reads a card. missing: receives the names of missing files; NULL: a missing file is an error. */
static df_status read_card(df_card *card, const char *name, bool verify, df_str *missing,
                           df_error *err)
{
    card->folder = df_arena_strdup(&card->arena, card->folder);
    card->path =
        card->folder ? df_arena_printf(&card->arena, "%s/%s.yaml", card->folder, name) : NULL;
    if (!card->path)
        return df_no_memory(err, "open model card %s", name);
    if (!df_file_exists(card->path))
        return df_fail(
            err, DF_CONFIG,
            "there is no model %s: %s is missing; `densefusion models` lists those there are", name,
            card->path);
    DF_TRY(read_fields(card, err));
    DF_TRY(df_card_check_fields(card, name, err));
    if (!missing || note_missing(card, missing))
        DF_TRY(read_files(card, err));
    return verify ? verify_file(card, err) : DF_OK;
}

/* Opens a card by name. missing: collects what is not installed instead of failing; NULL: fails. */
static df_status open_card(df_card **out, const char *folder, const char *name, bool verify,
                           df_str *missing, df_error *err)
{
    if (!df_card_plain_name(name))
        return df_fail(err, DF_CONFIG, "\"%s\" is not the name of a model", name);
    df_card *card = calloc(1, sizeof *card);
    if (!card)
        return df_no_memory(err, "open model card %s", name);
    char *folder_copy = strdup(folder);
    card->folder = folder_copy;
    df_status status = folder_copy ? read_card(card, name, verify, missing, err)
                                   : df_no_memory(err, "open model card %s", name);
    free(folder_copy);
    if (status != DF_OK) {
        df_card_close(card);
        return status;
    }
    *out = card;
    return DF_OK;
}

df_status df_card_open(df_card **out, const char *folder, const char *name, bool verify,
                       df_error *err)
{
    return open_card(out, folder, name, verify, NULL, err);
}

df_status df_card_survey(df_card **out, const char *folder, const char *name, df_str *missing,
                         df_error *err)
{
    df_card *card = NULL, *text = NULL;
    df_error why = {""};
    DF_TRY(open_card(&card, folder, name, false, missing, err));
    df_status status =
        card->text ? open_card(&text, folder, card->text, false, missing, &why) : DF_OK;
    df_card_close(text);
    if (status == DF_IO || status == DF_NOMEM) {
        df_card_close(card);
        return df_fail(err, status, "%s", why.message);
    }
    if (status != DF_OK)
        df_str_printf(missing, "%stext card %s", missing->size ? ", " : "", card->text);
    *out = card;
    return DF_OK;
}

void df_card_close(df_card *card)
{
    if (!card)
        return;
    df_options_free(fields, card);
    df_arena_reset(&card->arena);
    free(card);
}

double df_card_number(const df_card *card, const char *key, double fallback)
{
    for (int i = 0; i < card->n_extra; i++)
        if (strcmp(card->extra[i].key, key) == 0)
            return strtod(card->extra[i].value, NULL);
    return fallback;
}

char *df_card_model_path(const df_card *card)
{
    return df_card_beside(card, card->file);
}

bool df_card_installed(const char *folder, const char *name)
{
    df_card *card = NULL;
    df_str missing = {0}, path = {0};
    bool there = df_card_survey(&card, folder, name, &missing, NULL) == DF_OK &&
                 (missing.size == 0 || missing.failed);
    if (!card) {
        df_str_printf(&path, "%s/%s.yaml", folder, name);
        there = path.failed || df_file_exists(df_str_text(&path));
    }
    df_str_free(&missing);
    df_str_free(&path);
    df_card_close(card);
    return there;
}

static df_status describe(const char *folder, const char *name, bool with_text, df_str *out,
                          df_error *err)
{
    df_card *card = NULL;
    DF_TRY(df_card_open(&card, folder, name, false, err));
    df_str_printf(out, "model %s %s %s\n", card->name, card->hash, card->sha256);
    df_status status =
        card->text && with_text ? describe(folder, card->text, false, out, err) : DF_OK;
    df_card_close(card);
    return status;
}

df_status df_card_describe(const char *folder, const char *name, df_str *out, df_error *err)
{
    return describe(folder, name, true, out, err);
}

static int is_card(const struct dirent *e)
{
    const size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".yaml") == 0;
}

df_status df_cards_list(const char *folder, df_arena *arena, const char *const **names, int *n,
                        df_error *err)
{
    struct dirent **entries = NULL;
    const int found = scandir(folder, &entries, is_card, alphasort);
    if (found < 0)
        return df_fail(err,
                       errno == ENOENT || errno == ENOTDIR ? DF_MISSING
                       : errno == ENOMEM                   ? DF_NOMEM
                                                           : DF_IO,
                       "open %s: %s", folder, strerror(errno));
    const char **list = df_arena_alloc(arena, (size_t)found + 1, sizeof *list);
    bool ok = list != NULL;
    for (int i = 0; i < found; i++) {
        entries[i]->d_name[strlen(entries[i]->d_name) - strlen(".yaml")] = '\0';
        ok = ok && (list[i] = df_arena_strdup(arena, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    if (!ok)
        return df_no_memory(err, "list %s", folder);
    *names = list;
    *n = found;
    return DF_OK;
}

/* Appends a card's `accept`. A broken card is passed over; one that cannot be read at the moment is
 * an error. */
static df_status append_accept(const char *folder, const char *name, df_str *out, df_error *err)
{
    df_card *card = NULL;
    df_str missing = {0};
    df_error why = {""};
    df_status status = df_card_survey(&card, folder, name, &missing, &why);
    if (status == DF_OK && missing.failed)
        status = df_no_memory(&why, "open model card %s", name);
    if (status == DF_OK && card->accept > 0)
        df_str_printf(out, "%s %.6g\n", card->name, card->accept);
    df_str_free(&missing);
    df_card_close(card);
    return status == DF_IO || status == DF_NOMEM ? df_fail(err, status, "%s", why.message) : DF_OK;
}

df_status df_cards_accept(const char *folder, df_str *out, df_error *err)
{
    df_arena arena = {0};
    const char *const *names = NULL;
    int n = 0;
    df_status status = df_cards_list(folder, &arena, &names, &n, err);
    if (status == DF_MISSING)
        status = DF_OK; /* without a folder there are no cards */
    for (int i = 0; status == DF_OK && i < n; i++)
        status = append_accept(folder, names[i], out, err);
    df_arena_reset(&arena);
    if (status == DF_OK && out->failed)
        status = df_no_memory(err, "read the cards of %s", folder);
    return status;
}

df_status df_card_open_file(const df_card *card, const char *path, df_onnx **out, df_error *err)
{
    df_onnx *model = NULL;
    df_status status = df_file_exists(path) ? df_onnx_open(&model, path, &card->runtime, err)
                                            : not_installed(card, path, err);
    if (status == DF_OK && strcmp(card->task, "text-embed") != 0)
        status = df_card_check_input(card, model, err);
    if (status != DF_OK) {
        df_onnx_close(model);
        return status;
    }
    *out = model;
    return DF_OK;
}

df_status df_card_open_model(const df_card *card, df_onnx **out, df_error *err)
{
    char *path = df_card_model_path(card);
    df_status status =
        path ? df_card_open_file(card, path, out, err) : df_no_memory(err, "open %s", card->path);
    free(path);
    return status;
}

df_status df_card_output(const df_card *card, const df_tensor *outputs, int n,
                         const df_tensor **out, df_error *err)
{
    *out = card->output[0] ? df_tensor_named(outputs, n, card->output) : n > 0 ? outputs : NULL;
    if (*out)
        return DF_OK;
    return df_fail(err, DF_CONFIG,
                   "%s: output: the model has no output \"%s\"; its first is \"%s\"", card->path,
                   card->output, n ? outputs[0].name : "");
}
