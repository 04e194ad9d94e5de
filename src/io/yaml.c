/* The only file that knows libyaml. Turns its events into flat entries; a stack of open containers
 * holds the key so far. */
#include "io/yaml.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "base/file.h"
#include "base/map.h"

enum { BYTES_MAX = 1 << 20, ENTRIES_MAX = 10000, DEPTH_MAX = 8, KEY_MAX = 256 };

/* An open mapping or sequence. key: was read, and its value comes next; else NULL. */
typedef struct {
    bool sequence;
    int next;
    const char *prefix, *key;
} level;
typedef struct {
    const char *path;
    df_arena *arena;
    df_yaml_entry *entries;
    int n_entries, depth;
    level levels[DEPTH_MAX];
    df_map seen;
    df_error *err;
} reader;

static df_status fail(const reader *r, const yaml_event_t *event, const char *what)
{
    return df_fail(r->err, DF_CONFIG, "%s:%zu: %s", r->path, event->start_mark.line + 1, what);
}

/* The full key of the next value; NULL when out of memory. */
static const char *next_key(reader *r)
{
    if (r->depth == 0)
        return "";
    level *at = &r->levels[r->depth - 1];
    const char *dot = at->prefix[0] ? "." : "";
    if (at->sequence)
        return df_arena_printf(r->arena, "%s%s%d", at->prefix, dot, at->next++);
    const char *key = df_arena_printf(r->arena, "%s%s%s", at->prefix, dot, at->key);
    at->key = NULL;
    return key;
}

static df_status open_level(reader *r, const yaml_event_t *event, bool sequence)
{
    if (r->depth == DEPTH_MAX)
        return fail(r, event, "nested more than 8 levels deep");
    if (r->depth == 0 && sequence)
        return fail(r, event, "a list where `key: value` lines are expected");
    if (r->depth && !r->levels[r->depth - 1].sequence && !r->levels[r->depth - 1].key)
        return fail(r, event, "a key must be plain text");
    const char *prefix = next_key(r);
    if (!prefix)
        return df_no_memory(r->err, "read %s", r->path);
    r->levels[r->depth++] = (level){.sequence = sequence, .prefix = prefix};
    return DF_OK;
}

static df_status add_entry(reader *r, const yaml_event_t *event, const char *value)
{
    if (r->n_entries == ENTRIES_MAX)
        return fail(r, event, "more than 10,000 values");
    const char *key = next_key(r);
    if (!key)
        return df_no_memory(r->err, "read %s", r->path);
    int64_t first = 0;
    DF_TRY(df_map_put(&r->seen, key, r->n_entries, &first, r->err));
    if (first != r->n_entries)
        return df_fail(r->err, DF_CONFIG, "%s:%zu: %s was set before, in line %d", r->path,
                       event->start_mark.line + 1, key, r->entries[first].line);
    r->entries[r->n_entries++] = (df_yaml_entry){key, value, (int)event->start_mark.line + 1};
    return DF_OK;
}

/* Takes a text: a key, or the value of the key before it. */
static df_status on_scalar(reader *r, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (event->data.scalar.anchor || event->data.scalar.tag)
        return fail(r, event, "anchors and tags are not supported");
    if (strlen(text) != event->data.scalar.length)
        return fail(r, event, "a zero byte in a value");
    if (r->depth == 0)
        return plain && !text[0] ? DF_OK
                                 : fail(r, event, "text where `key: value` lines are expected");
    if (plain && (!strcmp(text, "~") || !strcmp(text, "null")))
        text = "";
    const char *copy = df_arena_strdup(r->arena, text);
    if (!copy)
        return df_no_memory(r->err, "read %s", r->path);
    level *at = &r->levels[r->depth - 1];
    if (at->sequence || at->key)
        return add_entry(r, event, copy);
    if (!copy[0])
        return fail(r, event, "a key without a name");
    if (strlen(copy) > KEY_MAX)
        return fail(r, event, "a key longer than 256 bytes");
    at->key = copy;
    return DF_OK;
}

/* Takes one event of the parser. Only mappings, sequences and texts are allowed. */
static df_status on_event(reader *r, const yaml_event_t *event, int *n_documents)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++*n_documents > 1 ? fail(r, event, "a second document") : DF_OK;
    case YAML_MAPPING_START_EVENT:
        if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
            return fail(r, event, "anchors and tags are not supported");
        return open_level(r, event, false);
    case YAML_SEQUENCE_START_EVENT:
        if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
            return fail(r, event, "anchors and tags are not supported");
        return open_level(r, event, true);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        r->depth--;
        return DF_OK;
    case YAML_SCALAR_EVENT:
        return on_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return fail(r, event, "anchors and tags are not supported");
    default:
        return DF_OK;
    }
}

/* Reads the file event by event. What libyaml stumbles over is told with its line. */
static df_status read_events(reader *r, yaml_parser_t *parser)
{
    int n_documents = 0;
    for (bool more = true; more;) {
        yaml_event_t event;
        const bool parsed = yaml_parser_parse(parser, &event) != 0;
        if (!parsed && parser->error == YAML_MEMORY_ERROR)
            return df_no_memory(r->err, "%s", r->path);
        if (!parsed)
            return df_fail(r->err, DF_CONFIG, "%s:%zu: %s", r->path, parser->problem_mark.line + 1,
                           parser->problem ? parser->problem : "not YAML");
        df_status status = on_event(r, &event, &n_documents);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        DF_TRY(status);
    }
    return DF_OK;
}

df_status df_yaml_read(const char *path, df_arena *arena, df_yaml_entry **entries, int *n_entries,
                       df_error *err)
{
    char *text = NULL;
    size_t size = 0;
    yaml_parser_t parser;
    DF_TRY(df_file_read(path, BYTES_MAX, &text, &size, err));
    reader r = {.path = path, .arena = arena, .err = err};
    r.entries = df_arena_alloc(arena, ENTRIES_MAX, sizeof *r.entries);
    if (!r.entries || !yaml_parser_initialize(&parser)) {
        free(text);
        return df_no_memory(err, "read %s", path);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    df_status status = read_events(&r, &parser);
    yaml_parser_delete(&parser);
    df_map_free(&r.seen);
    free(text);
    if (status != DF_OK)
        return status;
    *entries = r.entries;
    *n_entries = r.n_entries;
    return DF_OK;
}
