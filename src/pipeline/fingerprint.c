#include "pipeline/fingerprint.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hash.h"

#define CONTENT_FILE_MAX ((size_t)4 << 30)
#define CONTENT_DEPTH_MAX 4

size_t df_fingerprint_fixed(const char *made)
{
    const char *content = strncmp(made, "content ", 8) == 0 ? made : strstr(made, "\ncontent ");
    return content ? (size_t)(content - made) + (content != made) : strlen(made);
}

/* By its fixed text: its content is hashed on its own. */
static void append_read(df_str *out, const char *stage, const char *fingerprint)
{
    char hex[DF_HASH_HEX];
    df_hash_hex(fingerprint, df_fingerprint_fixed(fingerprint), hex);
    df_str_printf(out, "reads %s %s\n", stage, hex);
}

df_status df_fingerprint(const df_stage *stage, const void *config, const df_run *run, const char *const *made,
                         df_str *out, df_error *err)
{
    df_options_describe(stage->options, config, stage->aside, out);
    if (stage->depends)
        DF_TRY(stage->depends(config, run, out, err));
    if (out->size && out->data[out->size - 1] != '\n')
        df_str_append(out, "\n");
    if (stage->revision)
        df_str_printf(out, "revision %d\n", stage->revision);
    for (int i = 0; stage->reads && stage->reads[i]; i++)
        append_read(out, stage->reads[i], made[i]);
    return out->failed ? df_fail(err, DF_NOMEM, "fingerprint: out of memory") : DF_OK;
}

bool df_fingerprint_reads(const char *text, const char *stage, const char *fingerprint)
{
    df_str line = {0};
    append_read(&line, stage, fingerprint);
    bool found = strstr(text, df_str_text(&line)) != NULL;
    df_str_free(&line);
    return found;
}

/* Journals and half-written files are not output. */
static int is_output(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    if (e->d_name[0] == '.')
        return 0;
    return !dot || (strcmp(dot, ".journal") != 0 && strcmp(dot, ".tmp") != 0 && strcmp(dot, ".partial") != 0);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static df_status hash_file(const char *path, const char *name, df_str *out, df_error *err)
{
    char *bytes, hex[DF_HASH_HEX];
    size_t size;
    DF_TRY(df_file_read(path, CONTENT_FILE_MAX, &bytes, &size, err));
    df_hash_hex(bytes, size, hex);
    free(bytes);
    df_str_printf(out, "%s %s\n", name, hex);
    return DF_OK;
}

/* Appends "name hash" of every output file under a folder, in order of name. A missing folder has none. */
static df_status hash_folder(const char *folder, int depth, df_str *out, df_error *err)
{
    struct dirent **entries = NULL;
    int n = depth < CONTENT_DEPTH_MAX ? scandir(folder, &entries, is_output, by_name) : 0;
    df_status status = DF_OK;
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        struct stat st;
        bool fits = (size_t)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name) < sizeof path;
        if (status == DF_OK && fits && stat(path, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                status = hash_folder(path, depth + 1, out, err);
            else if (S_ISREG(st.st_mode))
                status = hash_file(path, entries[i]->d_name, out, err);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

df_status df_fingerprint_content(const df_dataset *ds, const df_stage *stage, df_str *out, df_error *err)
{
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && stage->reads && stage->reads[i]; i++) {
        char folder[PATH_MAX], hex[DF_HASH_HEX];
        df_str files = {0};
        if ((size_t)snprintf(folder, sizeof folder, "%s/%s", df_dataset_folder(ds), stage->reads[i]) >= sizeof folder)
            return df_fail(err, DF_IO, "%s: path is too long", df_dataset_folder(ds));
        status = hash_folder(folder, 0, &files, err);
        df_hash_hex(df_str_text(&files), files.size, hex);
        df_str_printf(out, "content %s %s\n", stage->reads[i], hex);
        if (status == DF_OK && (files.failed || out->failed))
            status = df_fail(err, DF_NOMEM, "fingerprint: out of memory");
        df_str_free(&files);
    }
    return status;
}
