#include "pipeline/fingerprint.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/path.h"

#define CONTENT_FILE_MAX ((size_t)4 << 30)
#define READS "reads %s %s\n"

size_t df_fingerprint_fixed(const char *made)
{
    const char *content = strncmp(made, "content ", 8) == 0 ? made : strstr(made, "\ncontent ");
    return content ? (size_t)(content - made) + (content != made) : strlen(made);
}

/* By its fixed text: its content is hashed on its own. */
static void hash_fixed(const char *fingerprint, char hex[DF_HASH_HEX])
{
    df_hash_hex(fingerprint, df_fingerprint_fixed(fingerprint), hex);
}

df_status df_fingerprint(const df_stage *stage, const void *config, const df_run *run,
                         const char *const *made, df_str *out, df_error *err)
{
    df_options_describe(stage->options, config, stage->aside, out);
    if (stage->depends)
        DF_TRY(stage->depends(config, run, out, err));
    const df_stage *used = stage->uses ? stage->uses(config) : NULL;
    if (used && run->used)
        df_options_describe(used->options, run->used, used->aside, out);
    if (out->size && out->data[out->size - 1] != '\n')
        df_str_append(out, "\n");
    if (stage->revision)
        df_str_printf(out, "revision %d\n", stage->revision);
    for (int i = 0; stage->reads && stage->reads[i]; i++) {
        char hex[DF_HASH_HEX];
        hash_fixed(made[i], hex);
        df_str_printf(out, READS, stage->reads[i], hex);
    }
    return out->failed ? df_no_memory(err, "fingerprint") : DF_OK;
}

bool df_fingerprint_reads(const char *text, const char *stage, const char *fingerprint)
{
    char hex[DF_HASH_HEX], line[256];
    hash_fixed(fingerprint, hex);
    snprintf(line, sizeof line, READS, stage, hex);
    return strstr(text, line) != NULL;
}

/* Journals and the beginnings of parts are not output. */
static bool is_output(const char *name)
{
    const char *dot = strrchr(name, '.');
    return !dot || (strcmp(dot, ".journal") != 0 && strcmp(dot, ".partial") != 0);
}

/* Appends "NAME HASH" of a file of the dataset, nothing when it is missing. */
static df_status hash_file(const df_dataset *ds, const char *name, df_str *out, df_error *err)
{
    char path[PATH_MAX], hex[DF_HASH_HEX], *bytes;
    size_t size;
    bool found;
    DF_TRY(df_path(path, err, "%s/%s", df_dataset_folder(ds), name));
    DF_TRY(df_file_find(path, &found, err));
    if (!found)
        return DF_OK;
    DF_TRY(df_file_read(path, CONTENT_FILE_MAX, &bytes, &size, err));
    df_hash_hex(bytes, size, hex);
    free(bytes);
    df_str_printf(out, "%s %s\n", strrchr(name, '/') + 1, hex);
    return DF_OK;
}

/* What a stage has put out, in order of name. Files of others in its folder are none of it. */
static df_status hash_stage(const df_dataset *ds, const char *stage, df_str *out, df_error *err)
{
    char prefix[64];
    const char **names;
    size_t n;
    snprintf(prefix, sizeof prefix, "%s/", stage);
    DF_TRY(df_folder_list(df_dataset_files(ds), prefix, &names, &n, err));
    df_status status = DF_OK;
    for (size_t i = 0; status == DF_OK && i < n; i++)
        if (is_output(names[i]))
            status = hash_file(ds, names[i], out, err);
    free(names);
    return status;
}

df_status df_fingerprint_content(const df_dataset *ds, const df_stage *stage, df_str *out,
                                 df_error *err)
{
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && stage->reads && stage->reads[i]; i++) {
        char hex[DF_HASH_HEX];
        df_str files = {0};
        status = hash_stage(ds, stage->reads[i], &files, err);
        df_hash_hex(df_str_text(&files), files.size, hex);
        df_str_printf(out, "content %s %s\n", stage->reads[i], hex);
        if (status == DF_OK && (files.failed || out->failed))
            status = df_no_memory(err, "fingerprint");
        df_str_free(&files);
    }
    return status;
}
