/* Foreign words about an image: a caption by a server, alt-text, labels and lines by models that
 * read text. Line 1: the caption, 2: alt-text, then a line each: "b..." a box, "t..." a tag, else a
 * line of text. The judge, the built-in engine, the prompt and what is said when asking again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "engine/engine.h"
#include "evidence/alt_text.h"
#include "evidence/fusion.h"
#include "evidence/prompt.h"
#include "evidence/shorten.h"
#include "judge/feedback.h"

enum { MANY = 64 };
typedef struct {
    df_tag tags[MANY];
    df_box boxes[MANY];
    df_line lines[MANY];
    df_evidence e;
} words;

static void must(bool good)
{
    if (!good)
        abort();
}

/* As words pass when they come in. */
static const char *clean(const uint8_t **at, const uint8_t *end, df_arena *arena)
{
    const uint8_t *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
    df_str text = {0};
    stop = stop ? stop : end;
    df_str_append_clean(&text, (const char *)line, (size_t)(stop - line), 2000);
    *at = stop < end ? stop + 1 : end;
    const char *kept = df_arena_strdup(arena, df_str_text(&text));
    df_str_free(&text);
    must(kept != NULL);
    return kept;
}

static void add(words *w, const char *text)
{
    df_evidence *e = &w->e;
    const double at = (double)(5 * (e->n_boxes + e->n_lines));
    if (text[0] == 'b' && e->n_boxes < MANY) {
        w->boxes[e->n_boxes] = (df_box){text + 1,
                                        "s",
                                        0.9,
                                        at,
                                        at,
                                        at + 90,
                                        at + 50,
                                        e->n_boxes,
                                        {{{0}}, 0, 0, 0, 0, 0},
                                        text[1] == '2' ? 3 : 0};
        e->n_boxes++;
    } else if (text[0] == 't' && e->n_tags < MANY) {
        w->tags[e->n_tags] = (df_tag){text + 1, 0.9, e->n_tags, "s"};
        e->n_tags++;
    } else if (text[0] && e->n_lines < MANY) {
        w->lines[e->n_lines] = (df_line){
            text,       0.9,           {at, at + 90, at + 90, at}, {at, at, at + 12, at + 12},
            e->n_lines, e->n_lines / 2};
        e->n_lines++;
    }
}

static void judge(const df_nouns *nouns, const char *caption, const df_evidence *e, df_arena *arena)
{
    df_verdict v;
    const df_written written = {.text = caption, .finish = "stop"};
    must(df_verdict_make(nouns, &written, e, &df_limits_default, arena, &v, NULL) == DF_OK);
    must(v.pass == (v.n_findings == 0) && v.n_findings <= DF_FINDINGS_MAX);
    must(v.text_recall <= 1 && v.object_recall <= 1 && v.repetition >= 0);
    for (int i = 0; i < v.support.n_spans; i++) {
        const df_span *s = &v.support.spans[i];
        must(s->from >= 0 && s->from < s->to && (size_t)s->to <= strlen(caption));
    }
    must(df_feedback_text(&v, arena) != NULL);
}

static void compose(const df_nouns *nouns, const df_evidence *e, df_arena *arena)
{
    static df_engine *engine;
    df_caption answer = {0};
    const df_engine_config shared = {0};
    const df_engine_setup setup = {.shared = &shared, .n_threads = 1};
    if (!engine)
        must(df_engine_compose.open(&engine, &setup, NULL) == DF_OK);
    const df_caption_request request = {.key = "k", .prompt = "", .evidence = e};
    must(df_engine_compose.caption(engine, &request, arena, &answer, NULL) == DF_OK);
    must(!answer.text != !answer.error);
    if (!answer.text)
        return;
    must(df_str_is_plain(answer.text, strlen(answer.text)));
    judge(nouns, answer.text, e, arena);
}

static void prompt(const char *template, const df_evidence *e)
{
    df_prompt *p = NULL;
    df_str filled = {0}, less = {0};
    int n_left = 0;
    if (df_prompt_open(&p, "fuzz", template, strlen(template), NULL) != DF_OK)
        return;
    must(df_prompt_fill(p, e, &filled, NULL) == DF_OK);
    if (df_prompt_shorten(df_str_text(&filled), e, 0.5, &less, &n_left, NULL) == DF_OK)
        must(n_left >= 0);
    df_str_free(&filled);
    df_str_free(&less);
    df_prompt_close(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static df_nouns *nouns;
    if (!nouns)
        must(df_nouns_open(&nouns, NULL) == DF_OK);
    const uint8_t *at = bytes, *end = bytes + size;
    df_arena arena = {0};
    words w = {.e = {.path = "a.jpg", .width = 640, .height = 480}};
    char title[200];
    if (size == 0 || size > 1 << 16)
        return 0;
    const char *caption = clean(&at, end, &arena);
    w.e.alt_text = clean(&at, end, &arena);
    while (at < end)
        add(&w, clean(&at, end, &arena));
    w.e.tags = w.tags;
    w.e.boxes = w.boxes;
    w.e.lines = w.lines;
    df_alt_title(w.e.alt_text, title, sizeof title);
    must(df_str_is_plain(title, strlen(title)) && !strchr(title, '"'));
    df_alt_contradicts(nouns, title, df_nouns_find(nouns, "dog", 3));
    judge(nouns, caption, &w.e, &arena);
    compose(nouns, &w.e, &arena);
    prompt(caption, &w.e);
    df_arena_reset(&arena);
    return 0;
}
