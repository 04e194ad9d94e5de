#include "stage/caption/batch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/map.h"
#include "base/stream.h"
#include "engine/openai/answer.h"
#include "engine/openai/batch_api.h"
#include "engine/openai/request.h"
#include "io/json.h"
#include "io/lines.h"
#include "stage/caption/record.h"
#include "tables/fuse.h"
#include "tables/ingest.h"

enum { NOTES_MAX = 5, LINE_BYTES_MAX = 64 << 20, JOURNALS_MAX = 64 };
enum { FILE_BYTES_MAX = 200000000 };         /* OpenAI takes no larger one */

/* ---- writing ---- */

typedef struct {
    const df_caption_work *work;
    df_folder *folder;
    df_batch_written *written;
    df_stream file;                          /* of the batch at work */
    int64_t n, bytes;                        /* in it */
    df_str line;
} writer;

static df_status open_file(writer *w, df_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "batch-%04d.jsonl", w->written->n_files);
    w->n = w->bytes = 0;
    return df_stream_open(&w->file, w->folder, name, err);
}

static df_status close_file(writer *w, df_error *err)
{
    if (!w->file.file)
        return DF_OK;
    w->written->n_files++;
    return df_stream_commit(&w->file, err);
}

/* Puts a request into the file at work; begins another file when this one is full. */
static df_status put_line(writer *w, const char *custom_id, df_error *err)
{
    const int64_t size = (int64_t)w->line.size;
    if (w->line.failed)
        return df_no_memory(err, "batch");
    if (size > FILE_BYTES_MAX)
        return df_fail(err, DF_CONFIG,
                       "batch: the request of %s has %lld bytes, more than a file may have: lower "
                       "caption.image_side "
                       "or caption.image_bytes",
                       custom_id, (long long)size);
    if (w->file.file && (w->n == df_caption_openai(w->work->config)->batch_requests ||
                         w->bytes + size > FILE_BYTES_MAX))
        DF_TRY(close_file(w, err));
    if (!w->file.file)
        DF_TRY(open_file(w, err));
    DF_TRY(df_stream_put(&w->file, &w->line, err));
    w->n++;
    w->bytes += size;
    w->written->n_requests++;
    return DF_OK;
}

/* Writes the request of one record; an image that cannot be read is a note. */
static df_status write_request(writer *w, const df_caption_part *p, int part, int64_t i,
                               df_error *err)
{
    const df_caption_work *work = w->work;
    const df_caption_record *r = &p->records[i];
    const df_caption_place place = {work->ds, p->tables.ingest, r->row};
    df_caption_image seen = {0};
    df_error why = {""};
    char id[DF_PLACE_ID_MAX], custom_id[DF_PLACE_ID_MAX + DF_HASH_HEX];
    df_status status =
        df_caption_image_load(work->gates, work->config, work->ops, &place, &seen, &why);
    if (df_is_of_one_image(status)) {
        df_run_note(work->run, "batch: %s: %.300s", p->evidence[r->row].path, why.message);
        w->written->n_no_image++;
        return DF_OK;
    }
    const df_caption_request request = {.key = r->key,
                                        .prompt = df_table_text(p->fuse, i, DF_FUSE_PROMPT),
                                        .evidence = &p->evidence[r->row],
                                        .jpeg = seen.jpeg,
                                        .jpeg_size = seen.jpeg_size};
    df_place_print((df_place){part, r->row}, id);
    snprintf(custom_id, sizeof custom_id, "%s-%s", id, r->key);
    df_str_clear(&w->line);
    df_str_printf(
        &w->line,
        "{\"custom_id\":\"%s\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":",
        custom_id);
    status = status == DF_OK ? df_openai_request_append(&work->config->shared,
                                                        df_caption_openai(work->config)->extra,
                                                        &request, &w->line, err)
                             : df_fail(err, status, "%s", why.message);
    df_str_append(&w->line, "}\n");
    df_caption_image_free(work->gates, &seen);
    return status == DF_OK ? put_line(w, custom_id, err) : status;
}

/* Writes the requests of a part that have no answer yet. */
static df_status write_rows(writer *w, df_caption_part *p, int part, df_error *err)
{
    df_arena arena = {0};
    df_status status = DF_OK;
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(p->fuse); i++) {
        df_caption known;
        bool found = false;
        status = df_run_stopped(w->work->run)
                     ? df_stopped(err)
                     : df_caption_journal_find(p->journal, p->records[i].key, &arena, &known,
                                               &found, err);
        if (status != DF_OK)
            break;
        if (found)
            w->written->n_known++;
        else if (*df_table_text(p->tables.ingest, p->records[i].row, DF_INGEST_PROBLEM))
            w->written->n_no_image++;
        else
            status = write_request(w, p, part, i, err);
        df_arena_reset(&arena);
    }
    return status;
}

static df_status write_part(writer *w, int part, df_error *err)
{
    df_caption_part p = {0};
    if (!df_dataset_has_part(w->work->ds, "fuse", part))
        return df_fail(
            err, DF_CONFIG,
            "batch: part %d has no prompts yet; run `densefusion run` with --to=fuse first", part);
    df_status status = df_caption_part_open(&p, w->work, part, err);
    if (status == DF_OK)
        status = df_caption_journal_open(&p.journal, w->work->ds, part, err);
    if (status == DF_OK)
        status = write_rows(w, &p, part, err);
    df_caption_part_close(&p);
    return status;
}

/* Files that are there may be submitted already. */
static df_status check_folder(const char *folder, df_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return df_fail(err, DF_IO, "%s: %s", folder, strerror(errno));
    df_status status = DF_OK;
    for (const struct dirent *e; status == DF_OK && (errno = 0, e = readdir(dir)) != NULL;) {
        const size_t n = strlen(e->d_name);
        if (strncmp(e->d_name, "batch", 5) == 0 && n > 6 &&
            strcmp(e->d_name + n - 6, ".jsonl") == 0)
            status = df_fail(
                err, DF_CONFIG,
                "%s: there are batch files already, which may be submitted: give another folder",
                folder);
    }
    if (status == DF_OK && errno != 0)
        status = df_fail(err, DF_IO, "list %s: %s", folder, strerror(errno));
    closedir(dir);
    return status;
}

df_status df_batch_write(df_dataset *ds, const df_caption_config *config, const df_run *run,
                         const char *folder, df_batch_written *out, df_error *err)
{
    df_engine engine = {.ops = &df_engine_openai};
    df_caption_gates gates;
    *out = (df_batch_written){0};
    if (strcmp(config->engine, "openai") != 0 || !config->shared.model || !*config->shared.model)
        return df_fail(err, DF_CONFIG, "batch: needs caption.engine=openai and caption.model");
    DF_TRY(df_openai_request_check(df_caption_openai(config)->extra, err));
    df_folder *files;
    DF_TRY(df_folder_create(&files, folder, DF_BATCH_FOLDER, err));
    df_status status = check_folder(folder, err);
    if (status == DF_OK)
        status = df_caption_gates_init(&gates, config, 1, err);
    if (status != DF_OK) {
        df_folder_close(files);
        return status;
    }
    const df_caption_work work = {.ds = ds,
                                  .config = config,
                                  .run = run,
                                  .ops = engine.ops,
                                  .engine = &engine,
                                  .gates = &gates};
    writer w = {.work = &work, .folder = files, .written = out};
    const int n_parts = df_dataset_parts(ds);
    for (int part = 0; status == DF_OK && part < n_parts; part++) {
        if (df_run_wants(run, part))
            status = write_part(&w, part, err);
        df_run_progress(run, "batch", part + 1, n_parts);
    }
    if (status == DF_OK)
        status = close_file(&w, err);
    df_stream_drop(&w.file);
    df_folder_close(files);
    df_str_free(&w.line);
    df_caption_gates_free(&gates);
    return status;
}

/* ---- merging ---- */

typedef struct {
    df_dataset *ds;
    const df_run *run;
    df_batch_merged *sum;
    int n_parts;
    df_caption_journal **journals;
    int n_open;       /* [parts], opened as they are wanted */
    df_map taken;
    /* what this file brought: of two answers to one request the first counts */
    df_arena keys;
    int64_t n_notes;
} merger;

/* "00003-000012-KEY": ours, or not. */
static bool read_custom_id(int n_parts, const char *id, int *part, const char **key)
{
    char *end;
    if (!id)
        return false;
    const long p = strtol(id, &end, 10);
    if (end != id + 5 || *end != '-' || p < 0 || p >= n_parts)
        return false;
    const char *row = end + 1;
    if (strtoll(row, &end, 10) < 0 || end == row || *end != '-' ||
        strlen(end + 1) != DF_HASH_HEX - 1)
        return false;
    *part = (int)p;
    *key = end + 1;
    return strspn(*key, "0123456789abcdef") == DF_HASH_HEX - 1;
}

/* What was taken is on the disk then; else the first failure. */
static df_status close_journals(merger *m, df_error *err)
{
    df_status status = DF_OK;
    for (int part = 0; m->n_open > 0 && part < m->n_parts; part++) {
        if (m->journals[part] && status == DF_OK)
            status = df_caption_journal_sync(m->journals[part], err);
        df_caption_journal_close(m->journals[part]);
        m->journals[part] = NULL;
    }
    m->n_open = 0;
    return status;
}

/* A file of answers is about some neighbouring parts, in any order. */
static df_status open_journal(merger *m, int part, df_error *err)
{
    if (m->journals[part])
        return DF_OK;
    if (m->n_open == JOURNALS_MAX)
        DF_TRY(close_journals(m, err));
    m->n_open++;
    return df_caption_journal_open(&m->journals[part], m->ds, part, err);
}

static df_status is_known(const merger *m, int part, const char *key, bool *found, df_error *err)
{
    df_arena arena = {0};
    df_caption known;
    *found = df_map_find(&m->taken, key, -1) >= 0;
    df_status status =
        *found ? DF_OK
               : df_caption_journal_find(m->journals[part], key, &arena, &known, found, err);
    df_arena_reset(&arena);
    return status;
}

static df_status keep(merger *m, int part, const char *key, const df_caption *answer, df_error *err)
{
    const char *copy = df_arena_strdup(&m->keys, key);
    int64_t stored;
    if (!copy)
        return df_no_memory(err, "batch");
    const df_caption_entry entry = {.key = key};
    DF_TRY(df_caption_journal_keep(m->journals[part], &entry, answer, err));
    DF_TRY(df_map_put(&m->taken, copy, 0, &stored, err));
    m->sum->n_taken++;
    return DF_OK;
}

static void note_failure(merger *m, const char *id, const char *words)
{
    m->sum->n_failed++;
    if (m->n_notes++ < NOTES_MAX)
        df_run_note(m->run, "batch: %.13s: %.300s", id, words ? words : "no answer");
}

/* Takes one answer into the journal of its part. */
static df_status take_answer(merger *m, const df_json *line, const char *id, int part,
                             const char *key, df_error *err)
{
    df_arena arena = {0};
    df_caption answer = {.model = "", .finish = "", .prompt_tokens = -1, .completion_tokens = -1};
    const df_json *response = df_json_member(line, "response");
    const df_json *error = df_json_member(line, "error");
    const int64_t code = df_json_int(df_json_member(response, "status_code"), 0);
    bool known = false;
    DF_TRY(open_journal(m, part, err));
    DF_TRY(is_known(m, part, key, &known, err));
    if (known) {
        m->sum->n_known++;
        return DF_OK;
    }
    const df_answer_kind kind = df_openai_answer_judge((long)code, df_json_member(response, "body"),
                                                       "", 0, &arena, &answer);
    answer.attempts = 1;
    answer.batch = true;
    df_status status = DF_OK;
    if (code == 200 && kind == DF_ANSWER_DONE) {
        status = keep(m, part, key, &answer, err);
    } else {
        const char *words = df_json_text(df_json_member(error, "message"));
        note_failure(m, id, words ? words : answer.error);
    }
    df_arena_reset(&arena);
    return status;
}

/* Takes a line of a file of answers; a line that is not of this dataset is counted. */
static df_status merge_line(merger *m, const char *text, df_error *err)
{
    df_json *line = NULL;
    int part = 0;
    const char *key = NULL;
    df_status status = df_openai_answer_parse(&line, text, strlen(text));
    if (status == DF_NOMEM)
        return df_fail(err, status, "batch: out of memory");
    const char *id = df_json_text(df_json_member(line, "custom_id"));
    status = DF_OK;
    if (read_custom_id(m->n_parts, id, &part, &key))
        status = take_answer(m, line, id, part, key, err);
    else
        m->sum->n_foreign++;
    df_json_close(line);
    return status;
}

/* Takes all lines of a file of answers. */
static df_status merge_lines(merger *m, df_lines *lines, const char *file, df_error *err)
{
    const char *line, *broken;
    int64_t number;
    df_status status = DF_OK;
    while (status == DF_OK &&
           (status = df_lines_next(lines, &line, &number, &broken, err)) == DF_OK && line) {
        m->sum->n_lines++;
        if (df_run_stopped(m->run))
            status = df_stopped(err);
        else if (broken && df_lines_is_long(lines))
            status = df_fail(err, DF_FORMAT, "%s line %lld: %s: no answer is", file,
                             (long long)number, broken);
        else if (broken)
            m->sum->n_foreign++;
        else
            status = merge_line(m, line, err);
    }
    return status;
}

df_status df_batch_merge(df_dataset *ds, const df_run *run, const char *file, df_batch_merged *sum,
                         df_error *err)
{
    merger m = {.ds = ds, .run = run, .sum = sum, .n_parts = df_dataset_parts(ds)};
    df_lines *lines = NULL;
    DF_TRY(df_lines_open(&lines, file, err));
    df_lines_limit(lines, LINE_BYTES_MAX);
    m.journals = calloc((size_t)m.n_parts + 1, sizeof *m.journals);
    df_status status = m.journals ? merge_lines(&m, lines, file, err) : df_no_memory(err, "batch");
    df_lines_close(lines);
    const df_status closed = close_journals(&m, status == DF_OK ? err : NULL);
    free(m.journals);
    df_map_free(&m.taken);
    df_arena_reset(&m.keys);
    return status == DF_OK ? closed : status;
}
