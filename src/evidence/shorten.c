/* Finds the evidence in a filled prompt by filling its placeholders again, and replaces it by
 * less. */
#include "evidence/shorten.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "evidence/prompt.h"

typedef enum { TAG, BOX, LINE } item_kind;
typedef struct {
    double score;
    item_kind kind;
    int at;
} item;

static int by_score(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->score > y->score || x->score < y->score)
        return x->score > y->score ? -1 : 1;
    return x->kind != y->kind ? (int)x->kind - (int)y->kind : x->at - y->at;
}

static void list_items(const df_evidence *e, item *items)
{
    for (int i = 0; i < e->n_tags; i++)
        *items++ = (item){e->tags[i].score, TAG, i};
    for (int i = 0; i < e->n_boxes; i++)
        *items++ = (item){e->boxes[i].score, BOX, i};
    for (int i = 0; i < e->n_lines; i++)
        *items++ = (item){e->lines[i].score, LINE, i};
}

/* Copies the kept items, in their order. kept: one flag for each item, in the order of
 * list_items. */
static bool copy_kept(const df_evidence *told, const bool *kept, df_arena *arena, df_evidence *less)
{
    df_tag *tags = df_arena_alloc(arena, (size_t)told->n_tags + 1, sizeof *tags);
    df_box *boxes = df_arena_alloc(arena, (size_t)told->n_boxes + 1, sizeof *boxes);
    df_line *lines = df_arena_alloc(arena, (size_t)told->n_lines + 1, sizeof *lines);
    if (!tags || !boxes || !lines)
        return false;
    *less = *told;
    less->n_tags = less->n_boxes = less->n_lines = 0;
    for (int i = 0; i < told->n_tags; i++)
        if (*kept++)
            tags[less->n_tags++] = told->tags[i];
    for (int i = 0; i < told->n_boxes; i++)
        if (*kept++)
            boxes[less->n_boxes++] = told->boxes[i];
    for (int i = 0; i < told->n_lines; i++)
        if (*kept++)
            lines[less->n_lines++] = told->lines[i];
    less->tags = tags;
    less->boxes = boxes;
    less->lines = lines;
    return true;
}

/* Keeps the share `keep` of all evidence, the surest of it. */
static df_status keep_best(const df_evidence *told, double keep, df_arena *arena, df_evidence *less,
                           df_error *err)
{
    const size_t n = (size_t)told->n_tags + (size_t)told->n_boxes + (size_t)told->n_lines;
    const size_t n_kept = (size_t)floor((double)n * keep);
    item *items = df_arena_alloc(arena, n + 1, sizeof *items);
    bool *kept = df_arena_alloc(arena, n + 1, sizeof *kept);
    if (!items || !kept)
        return df_no_memory(err, "shorten a prompt");
    list_items(told, items);
    qsort(items, n, sizeof *items, by_score);
    const int first[] = {[TAG] = 0, [BOX] = told->n_tags, [LINE] = told->n_tags + told->n_boxes};
    for (size_t i = 0; i < n_kept; i++)
        kept[first[items[i].kind] + items[i].at] = true;
    if (!copy_kept(told, kept, arena, less))
        return df_no_memory(err, "shorten a prompt");
    if (n_kept == 0)
        less->alt_text = "";
    return DF_OK;
}

static df_status render(const char *placeholder, const df_evidence *e, df_str *out, df_error *err)
{
    df_prompt *prompt = NULL;
    DF_TRY(df_prompt_open(&prompt, "evidence", placeholder, strlen(placeholder), err));
    df_status status = df_prompt_fill(prompt, e, out, err);
    df_prompt_close(prompt);
    return status;
}

/* The last place at which `old` stands as whole lines, or after ": " to the end of a line. It is
 * the last since the template's own words come first. */
static const char *find_block(const char *text, const char *old)
{
    const size_t n = strlen(old);
    const char *found = NULL;
    for (const char *at = text; n > 0 && (at = strstr(at, old)); at++) {
        const bool starts =
            at == text || at[-1] == '\n' || (at - text >= 2 && at[-1] == ' ' && at[-2] == ':');
        if (starts && (at[n] == '\0' || at[n] == '\n'))
            found = at;
    }
    return found;
}

/* Replaces `old` by `new` in *text; false: not found. If `new` is empty, the whole block between
 * blank lines is removed. */
static bool replace(df_str *text, const char *old, const char *new)
{
    const char *whole = df_str_text(text), *from = find_block(whole, old);
    if (!from)
        return false;
    const char *to = from + strlen(old);
    if (!*new) {
        while (from > whole && !(from[-1] == '\n' && (from - 1 == whole || from[-2] == '\n')))
            from--;
        const char *end = strstr(to, "\n\n");
        to = end ? end + 2 : to + strlen(to);
    }
    df_str changed = {0};
    df_str_append_n(&changed, whole, (size_t)(from - whole));
    df_str_append(&changed, new);
    df_str_append(&changed, to);
    df_str_free(text);
    *text = changed;
    return true;
}

/* Replaces what a placeholder was filled with by what it gives for less evidence. */
static df_status swap(const char *placeholder, const df_evidence *told, const df_evidence *less,
                      df_str *text, bool *done, df_error *err)
{
    df_str old = {0}, new = {0};
    df_status status = render(placeholder, told, &old, err);
    if (status == DF_OK)
        status = render(placeholder, less, &new, err);
    *done = status == DF_OK && strcmp(df_str_text(&old), df_str_text(&new)) != 0 &&
            replace(text, df_str_text(&old), df_str_text(&new));
    df_str_free(&old);
    df_str_free(&new);
    return status;
}

df_status df_prompt_shorten(const char *prompt, const df_evidence *told, double keep, df_str *out,
                            int *n_left, df_error *err)
{
    df_arena arena = {0};
    df_evidence less = {0};
    df_str text = {0};
    bool done = false;
    int left = 0;
    df_str_append(&text, prompt);
    df_status status = keep_best(told, keep, &arena, &less, err);
    if (status == DF_OK)
        status = swap("{tags}", told, &less, &text, &done, err);
    left += done ? told->n_tags - less.n_tags : 0;
    if (status == DF_OK)
        status = swap("{detection_box}", told, &less, &text, &done, err);
    left += done ? told->n_boxes - less.n_boxes : 0;
    if (status == DF_OK)
        status = swap("{ocr}", told, &less, &text, &done, err);
    left += done ? told->n_lines - less.n_lines : 0;
    if (status == DF_OK)
        status = swap("{world_knowledge}", told, &less, &text, &done, err);
    left += done;
    if (status == DF_OK && (text.failed || out->failed))
        status = df_no_memory(err, "shorten a prompt");
    if (status == DF_OK) {
        df_str_append(out, df_str_text(&text));
        *n_left = left;
    }
    df_str_free(&text);
    df_arena_reset(&arena);
    return status;
}
