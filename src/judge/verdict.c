/* Turns rules broken, evidence left out or invented, and signs of a bad generation into one
 * verdict. */
#include "judge/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "language/english.h"
#include "language/language.h"

const df_limits df_limits_default = {.max_words = 192,
                                     .min_words = 3,
                                     .max_repetition = 0.25,
                                     .min_text_recall = 0.5,
                                     .min_object_recall = 0.3};

/* The faults found so far. */
typedef struct {
    df_verdict *verdict;
    df_arena *arena;
    bool failed;                             /* out of memory */
} findings;

/* Adds a finding; its words are cleaned, since they quote the caption. */
static void __attribute__((format(printf, 3, 4))) add_finding(findings *f, const char *code,
                                                              const char *fmt, ...)
{
    va_list args;
    char words[160];
    df_str clean = {0};
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    df_str_append_clean(&clean, words, strlen(words), sizeof words);
    const char *kept = clean.failed ? NULL : df_arena_strdup(f->arena, df_str_text(&clean));
    df_str_free(&clean);
    const char *detail = kept ? df_arena_printf(f->arena, "%s: %s", code, kept) : NULL;
    f->failed |= !detail;
    if (detail && f->verdict->n_findings < DF_FINDINGS_MAX)
        f->verdict->findings[f->verdict->n_findings++] = (df_finding){code, kept, detail};
}

static double share(int part, int all)
{
    return all > 0 ? (double)part / all : -1;
}

static int at_most(int n, int most)
{
    return n < most ? n : most;
}

/* Judges what the caption invents, misquotes and leaves out. */
static void judge_evidence(findings *f, const df_verdict *v, const df_limits *limits)
{
    const df_support *s = &v->support;
    if (s->n_quotes > limits->max_quotes)
        add_finding(f, "quote", "no text line says \"%s\"", s->quote ? s->quote : "");
    if (s->n_invented > limits->max_invented)
        add_finding(f, "invented", "no evidence of \"%s\"", s->invented ? s->invented : "");
    if (s->lines > 0 &&
        s->line_words_told < limits->min_text_recall * at_most(s->line_words, DF_TEXT_WORDS_ROOM))
        add_finding(f, "text", "%d of %d text lines are told", s->lines_told, s->lines);
    if (s->objects > 0 &&
        s->objects_told < limits->min_object_recall * at_most(s->objects, DF_OBJECTS_ROOM))
        add_finding(f, "objects", "%d of %d kinds of objects are told", s->objects_told,
                    s->objects);
}

/* Judges length, rules and repetition, then the evidence. */
static void judge_words(findings *f, const df_verdict *v, const df_rules_found *rules,
                        const df_limits *limits)
{
    if (v->words == 0) {
        add_finding(f, "empty", "no words");
        return;
    }
    if (v->words < limits->min_words)
        add_finding(f, "short", "%d word%s, at least %" PRId64, v->words, v->words == 1 ? "" : "s",
                    limits->min_words);
    if (v->words > limits->max_words)
        add_finding(f, "long", "%d words, at most %" PRId64, v->words, limits->max_words);
    for (int i = 0; i < DF_RULES; i++)
        if (rules->found[i])
            add_finding(f, df_rule_codes[i], "%s", rules->found[i]);
    if (v->repetition > limits->max_repetition)
        add_finding(f, "repetition", "%.0f %% of its four-word runs are repeats",
                    100 * v->repetition);
    judge_evidence(f, v, limits);
}

/* Adds the fault that a phrase repeats or that a word is endless. It is quoted up to its 60th byte,
 * between characters. */
static void add_loop(findings *f, const char *text, const df_word *words, const df_loop *loop)
{
    const char *said = text + words[loop->from].from;
    const int size = words[loop->from + loop->words - 1].to - words[loop->from].from;
    int shown = at_most(size, 60);
    while (shown < size && ((unsigned char)said[shown] & 0xC0) == 0x80)
        shown--;
    if (loop->times == 1)
        add_finding(f, "loop", "\"%.*s...\" is one word of %d bytes", shown, said, size);
    else
        add_finding(f, "loop", "\"%.*s\" %d times in a row", shown, said, loop->times);
}

/* Judges signs that the generation went wrong: cut off, mixed up, another language, a loop. */
static void judge_making(findings *f, const df_written *written, const df_word *words,
                         const df_limits *limits)
{
    const df_verdict *v = f->verdict;
    const bool english = limits->language && strcmp(limits->language, "en") == 0;
    df_loop loop;
    if (written->finish && strcmp(written->finish, "length") == 0)
        add_finding(f, "truncated", "the engine stopped at its longest answer");
    if (written->elsewhere)
        add_finding(f, "duplicate", "another image has the same caption");
    if (english && !df_text_is_english(v->support.own, words, v->words))
        add_finding(f, "language", "not English");
    if (df_words_loop(words, v->words, &loop))
        add_loop(f, written->text, words, &loop);
}

df_status df_verdict_make(const df_nouns *nouns, const df_written *written, const df_evidence *ev,
                          const df_limits *limits, df_arena *arena, df_verdict *out, df_error *err)
{
    df_verdict v = {0};
    df_rules_found rules;
    findings f = {&v, arena, false};
    const char *caption = written->text;
    df_word *words = df_words_of(caption, arena, &v.words);
    bool ok = words && df_support_find(nouns, caption, words, v.words, ev, arena, &v.support);
    if (ok) {
        df_rules_check(v.support.own, words, v.words, arena, &rules);
        v.repetition = rules.repetition;
        v.text_recall = share(v.support.lines_told, v.support.lines);
        v.object_recall = share(v.support.objects_told, v.support.objects);
        judge_words(&f, &v, &rules, limits);
        if (v.words > 0)
            judge_making(&f, written, words, limits);
        v.pass = v.n_findings == 0;
        ok = !f.failed;
    }
    if (!ok || arena->failed)
        return df_no_memory(err, "check %s", ev->path);
    *out = v;
    return DF_OK;
}
