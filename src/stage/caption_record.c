#include "stage/caption_record.h"

#include <stdlib.h>

#include "dataset/source.h"

enum { DECODE_SIDE = 2048 };

df_status df_caption_record_name(const df_caption_work *w, df_caption_part *part, int64_t i, df_error *err)
{
    df_caption_record *r = &part->records[i];
    r->row = df_table_int(part->fuse, i, df_table_column(part->fuse, "row"));
    if (r->row < 0 || r->row >= df_table_rows(part->tables.ingest))
        return df_fail(err, DF_FORMAT, "fuse: row %lld is not in ingest", (long long)r->row);
    const df_table *ingest = part->tables.ingest;
    const char *image = df_table_text(ingest, r->row, df_table_column(ingest, "hash"));
    df_caption_subject subject = {*image ? image : part->evidence[r->row].path,
                                  df_table_text(part->fuse, i, df_table_column(part->fuse, "evidence_hash")),
                                  df_table_text(part->fuse, i, df_table_column(part->fuse, "prompt"))};
    df_caption_key(w->config, w->engine, &subject, r->key);
    return DF_OK;
}

static void refuse(df_caption_record *r, const char *why)
{
    const char *words = df_arena_strdup(&r->arena, why);
    r->answer = (df_caption){.error = words ? words : "out of memory", .model = "", .finish = "", .prompt_tokens = -1,
                             .completion_tokens = -1, .attempts = 0};
}

static df_status load_pixels(const df_caption_work *w, const df_caption_part *part, df_caption_record *r,
                             df_image *image, df_error *err)
{
    df_error why = {""};
    uint8_t *bytes = NULL;
    size_t size = 0;
    df_status status = df_source_read(w->ds, part->tables.ingest, r->row, &bytes, &size, &why);
    if (status == DF_OK)
        status = df_image_decode(bytes, size, DECODE_SIDE, image, &why);
    free(bytes);
    if (status == DF_OK || status == DF_NOMEM)
        return status == DF_OK ? DF_OK : df_fail(err, status, "%s", why.message);
    refuse(r, why.message);
    return DF_OK;
}

static df_status ask(const df_caption_work *w, df_caption_part *part, int64_t i, df_error *err)
{
    df_caption_record *r = &part->records[i];
    df_image image = {0};
    if (w->ops->needs_pixels)
        DF_TRY(load_pixels(w, part, r, &image, err));
    df_caption_request request = {r->key, df_table_text(part->fuse, i, df_table_column(part->fuse, "prompt")),
                                  &part->evidence[r->row], image.rgb ? &image : NULL};
    df_status status = DF_OK;
    if (!r->answer.error)
        status = w->ops->caption(w->engine, &request, &r->arena, &r->answer, err);
    df_image_free(&image);
    if (status == DF_OK && part->journal && r->answer.text)
        status = df_caption_journal_keep(part->journal, r->key, &r->answer, err);
    return status;
}

df_status df_caption_record_answer(const df_caption_work *w, df_caption_part *part, int64_t i, df_error *err)
{
    df_caption_record *r = &part->records[i];
    const df_table *ingest = part->tables.ingest;
    const char *problem = df_table_text(ingest, r->row, df_table_column(ingest, "problem"));
    if (df_run_stopped(w->run))
        return df_fail(err, DF_STOPPED, "stopped");
    if (part->journal && df_caption_journal_find(part->journal, r->key, &r->arena, &r->answer))
        return DF_OK;
    if (*problem)                            /* kept for its vector, never seen */
        refuse(r, problem);
    else
        DF_TRY(ask(w, part, i, err));
    if (r->answer.error && !*problem)
        df_run_note(w->run, "caption: %s: %.300s", part->evidence[r->row].path, r->answer.error);
    return DF_OK;
}
