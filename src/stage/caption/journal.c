#include "stage/caption/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "dataset/journal.h"
#include "io/json.h"

struct df_caption_journal {
    df_journal *lines;
    df_map by_key;                           /* key to the line of its answer */
    df_map failed;                           /* keys that had none, after all attempts */
    df_arena keys;
};

/* Of half a text the key would be that of other captions. */
static df_status hash_key(df_str *text, char key[DF_HASH_HEX], df_error *err)
{
    const bool failed = text->failed;
    df_hash_hex(df_str_text(text), text->size, key);
    df_str_free(text);
    return failed ? df_no_memory(err, "caption") : DF_OK;
}

/* What is done with answers; it changes no request. An option that nobody names here is in the key:
 * one that was forgotten costs money, but no wrong caption. */
static const char *const after_the_answer[] = {"ask_again", "on_fail",       "prices",
                                               "budget",    "in_flight_mib", NULL};

void df_caption_key_options(const df_caption_config *config, const df_engine *engine, df_str *out)
{
    df_options_describe(df_stage_caption.options, config, after_the_answer, out);
    df_engine_settings_describe(&config->engines, engine->ops->name, out);
    df_str_append(out, engine->identity ? engine->identity : "");
}

df_status df_caption_key(const char *options, const df_caption_subject *subject,
                         char key[DF_HASH_HEX], df_error *err)
{
    df_str text = {0};
    df_str_printf(&text, "%s\n%s\n%s\n%s", subject->image, subject->evidence, options,
                  subject->prompt);
    return hash_key(&text, key, err);
}

df_status df_caption_key_again(const char *key, const df_turn *turns, int n_turns,
                               char again[DF_HASH_HEX], df_error *err)
{
    df_str text = {0};
    df_str_append(&text, key);
    for (int i = 0; i < n_turns; i++)
        df_str_printf(&text, "\n%s\n%s", turns[i].answer, turns[i].reply);
    return hash_key(&text, again, err);
}

void df_caption_journal_close(df_caption_journal *j)
{
    if (!j)
        return;
    df_journal_close(j->lines);
    df_map_free(&j->by_key);
    df_map_free(&j->failed);
    df_arena_reset(&j->keys);
    free(j);
}

static df_status index_name(df_caption_journal *j, df_map *map, const char *name, int64_t line,
                            df_error *err)
{
    int64_t stored;
    if (!name)
        return DF_OK;
    const char *key = df_arena_strdup(&j->keys, name);
    return key ? df_map_put(map, key, line, &stored, err) : df_no_memory(err, "caption");
}

/* Indexes the lines of the journal by their keys. */
static df_status index_lines(df_caption_journal *j, df_error *err)
{
    for (int64_t i = 0; i < df_journal_lines(j->lines); i++) {
        const char *line = df_journal_line(j->lines, i);
        df_json *root = NULL;
        df_status status = df_json_parse(&root, line, strlen(line), "journal", err);
        if (status == DF_FORMAT)
            continue; /* asked again */
        if (status == DF_OK)
            status = index_name(j, &j->by_key, df_json_text(df_json_member(root, "key")), i, err);
        if (status == DF_OK)
            status =
                index_name(j, &j->failed, df_json_text(df_json_member(root, "failed")), i, err);
        df_json_close(root);
        DF_TRY(status);
    }
    return DF_OK;
}

df_status df_caption_journal_open(df_caption_journal **out, const df_dataset *ds, int part,
                                  df_error *err)
{
    char name[64];
    df_caption_journal *j = calloc(1, sizeof *j);
    snprintf(name, sizeof name, "caption/part-%05d.journal", part);
    df_status status = j ? df_journal_open(&j->lines, df_dataset_files(ds), name, err)
                         : df_no_memory(err, "caption");
    if (status == DF_OK)
        status = index_lines(j, err);
    if (status == DF_OK)
        *out = j;
    else
        df_caption_journal_close(j);
    return status;
}

static const char *member_text(const df_json *root, const char *key, df_arena *arena)
{
    const char *text = df_json_text(df_json_member(root, key));
    return df_arena_strdup(arena, text ? text : "");
}

static const char *optional_text(const df_json *root, const char *key, df_arena *arena)
{
    const char *text = df_json_text(df_json_member(root, key));
    return text ? df_arena_strdup(arena, text) : NULL;
}

df_status df_caption_journal_find(const df_caption_journal *j, const char *key, df_arena *arena,
                                  df_caption *answer, bool *found, df_error *err)
{
    const int64_t i = df_map_find(&j->by_key, key, -1);
    df_json *root = NULL;
    *found = false;
    if (i < 0)
        return DF_OK;
    const char *line = df_journal_line(j->lines, i);
    /* it was JSON when it was indexed */
    DF_TRY(df_json_parse(&root, line, strlen(line), "journal", err));
    *answer = (df_caption){.text = optional_text(root, "caption", arena),
                           .error = optional_text(root, "error", arena),
                           .model = member_text(root, "model", arena),
                           .finish = member_text(root, "finish", arena),
                           .prompt_tokens = df_json_int(df_json_member(root, "prompt_tokens"), -1),
                           .server = optional_text(root, "server", arena),
                           .completion_tokens =
                               df_json_int(df_json_member(root, "completion_tokens"), -1),
                           .cached_tokens = df_json_int(df_json_member(root, "cached_tokens"), 0),
                           .ms = df_json_int(df_json_member(root, "ms"), 0),
                           .n_shortened = (int)df_json_int(df_json_member(root, "shortened"), 0),
                           .attempts = df_json_int(df_json_member(root, "attempts"), -1)};
    const bool told = df_json_text(df_json_member(root, "caption")) ||
                      df_json_text(df_json_member(root, "error"));
    df_json_close(root);
    *found = (answer->text || answer->error) && answer->model && answer->finish;
    return *found || !told ? DF_OK : df_no_memory(err, "caption");
}

bool df_caption_journal_failed(const df_caption_journal *j, const char *key)
{
    return df_map_find(&j->failed, key, -1) >= 0;
}

/* ---- keeping ---- */

static void append_text(df_str *line, const char *text)
{
    if (text)
        df_json_append_text(line, text);
    else
        df_str_append(line, "null");
}

static void append_request(df_str *line, const df_caption_entry *entry)
{
    if (!entry->asked)
        return;
    df_str_append(line, ",\"asked\":");
    df_json_append_text(line, entry->asked);
    df_str_printf(line, ",\"most_prompt\":%lld,\"most_completion\":%lld",
                  (long long)entry->most.prompt, (long long)entry->most.completion);
}

/* Takes the line over. */
static df_status append_line(df_caption_journal *j, df_str *line, df_error *err)
{
    df_str_append(line, "}");
    df_status status = line->failed ? df_no_memory(err, "caption")
                                    : df_journal_append(j->lines, df_str_text(line), err);
    df_str_free(line);
    return status;
}

df_status df_caption_journal_keep(df_caption_journal *j, const df_caption_entry *entry,
                                  const df_caption *answer, df_error *err)
{
    df_str line = {0};
    df_str_printf(&line, "{\"key\":\"%s\",\"caption\":", entry->key);
    append_text(&line, answer->text);
    df_str_append(&line, ",\"error\":");
    append_text(&line, answer->error);
    df_str_append(&line, ",\"model\":");
    df_json_append_text(&line, answer->model);
    df_str_append(&line, ",\"finish\":");
    df_json_append_text(&line, answer->finish);
    df_str_append(&line, ",\"server\":");
    append_text(&line, answer->server);
    df_str_printf(&line,
                  ",\"prompt_tokens\":%lld,\"cached_tokens\":%lld,\"completion_tokens\":%lld,"
                  "\"attempts\":%lld,"
                  "\"ms\":%lld,\"shortened\":%d%s",
                  (long long)answer->prompt_tokens,
                  (long long)(answer->cached_tokens > 0 ? answer->cached_tokens : 0),
                  (long long)answer->completion_tokens, (long long)answer->attempts,
                  (long long)answer->ms, answer->n_shortened,
                  answer->batch ? ",\"batch\":true" : "");
    append_request(&line, entry);
    return append_line(j, &line, err);
}

static df_status append_event(df_caption_journal *j, const char *event,
                              const df_caption_entry *entry, df_error *err)
{
    df_str line = {0};
    df_str_printf(&line, "{\"%s\":\"%s\"", event, entry->key);
    append_request(&line, entry);
    return append_line(j, &line, err);
}

df_status df_caption_journal_send(df_caption_journal *j, const df_caption_entry *entry,
                                  df_error *err)
{
    return append_event(j, "sent", entry, err);
}

df_status df_caption_journal_refuse(df_caption_journal *j, const df_caption_entry *entry,
                                    df_error *err)
{
    return append_event(j, "refused", entry, err);
}

df_status df_caption_journal_fail(df_caption_journal *j, const char *key, const char *words,
                                  df_error *err)
{
    df_str line = {0};
    df_str_printf(&line, "{\"failed\":\"%s\",\"error\":", key);
    append_text(&line, words);
    return append_line(j, &line, err);
}

df_status df_caption_journal_sync(df_caption_journal *j, df_error *err)
{
    return df_journal_sync(j->lines, err);
}
