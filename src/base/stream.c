/* A draft (base/folder.h) with a buffered FILE. */
#include "base/stream.h"

#include <errno.h>
#include <string.h>

static df_status failed(const df_stream *s, df_error *err)
{
    return df_fail(err, DF_IO, "write %s/%.300s: %s", df_folder_path(s->draft.folder),
                   s->draft.name, strerror(errno));
}

df_status df_stream_open(df_stream *out, df_folder *folder, const char *name, df_error *err)
{
    df_stream s = {.file = NULL};
    DF_TRY(df_folder_draft(folder, name, &s.draft, err));
    s.file = fopen(s.draft.path, "wbxe");
    if (!s.file) {
        df_status status = failed(&s, err);
        df_draft_drop(&s.draft);
        return status;
    }
    *out = s;
    return DF_OK;
}

df_status df_stream_put(df_stream *s, const df_str *text, df_error *err)
{
    if (text->failed)
        return df_no_memory(err, "write %.300s", s->draft.name);
    return fwrite(df_str_text(text), 1, text->size, s->file) == text->size ? DF_OK : failed(s, err);
}

df_status df_stream_commit(df_stream *s, df_error *err)
{
    int ended = fclose(s->file);
    s->file = NULL;
    if (ended == 0)
        return df_draft_commit(&s->draft, err);
    df_status status = failed(s, err);
    df_draft_drop(&s->draft);
    return status;
}

void df_stream_drop(df_stream *s)
{
    if (s->file)
        fclose(s->file);
    s->file = NULL;
    df_draft_drop(&s->draft);
}
