/* densefusion metadata: filters Parquet lists of URLs, and prints the command that fetches the
 * images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "dataset/metadata.h"
#include "io/json_writer.h"
#include "put.h"

static const struct {
    const char *name, *words;
} reasons[DF_METADATA_REASONS] = {
    [DF_METADATA_KEPT] = {"kept", "kept"},
    [DF_METADATA_NO_URL] = {"no_url", "no URL"},
    [DF_METADATA_NO_SIZE] = {"no_size", "no width or height"},
    [DF_METADATA_SMALL] = {"small", "short edge too small"},
    [DF_METADATA_ASPECT] = {"aspect", "too long for its height"},
    [DF_METADATA_WHERE] = {"where", "not what --where asks for"},
    [DF_METADATA_REPEATED] = {"repeated", "URL came before"},
};

static df_status print_metadata_json(const df_metadata_result *r, df_error *err)
{
    df_str out = {0};
    df_json_writer w = {.out = &out};
    df_json_begin_object(&w, NULL);
    df_json_put_int(&w, "in", r->n_in);
    for (int i = 0; i < DF_METADATA_REASONS; i++)
        df_json_put_int(&w, reasons[i].name, r->n[i]);
    df_json_put_int(&w, "files", r->n_files);
    df_json_end(&w);
    return put_json(&out, err);
}

/* Prints text as a word of a POSIX shell. What is not printable is written as $'\033', which most
 * shells understand and no terminal obeys. */
static void print_word(const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:=+@%";
    if (*text && text[strspn(text, plain)] == '\0') {
        fputs(text, stdout);
        return;
    }
    const bool plain_text = df_str_is_printable(text, strlen(text));
    fputs(plain_text ? "'" : "$'", stdout);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (plain_text)
            fputs(c == '\'' ? "'\\''" : (char[]){*text, '\0'}, stdout);
        else if (c < ' ' || c >= 0x7F || c == '\'' || c == '\\')
            printf("\\%03o", c);
        else
            putchar(c);
    }
    putchar('\'');
}

static void print_flag(const char *flag, const char *value)
{
    printf(" --%s ", flag);
    print_word(value);
}

/* Prints the commands that come next. They keep the pictures as they are; by default img2dataset
 * would make squares of 256 pixels. */
static void print_next(const df_metadata_result *r, const char *out)
{
    df_str images = {0};
    size_t n = strlen(out);
    while (n > 1 && out[n - 1] == '/')
        n--;
    df_str_printf(&images, "%.*s-images", (int)n, out);
    fputs("\nnext:\n  img2dataset", stdout);
    print_flag("url_list", out);
    print_flag("input_format", "parquet");
    print_flag("url_col", r->url);
    if (r->text[0])
        print_flag("caption_col", r->text);
    print_flag("output_format", "webdataset");
    print_flag("output_folder", df_str_text(&images));
    fputs(" --resize_mode no --skip_reencode True\n  densefusion run ", stdout);
    print_word(df_str_text(&images));
    fputs(" -o OUT\n", stdout);
    df_str_free(&images);
}

static void print_table(const df_metadata_result *r, const char *out)
{
    printf("%15lld  rows\n", (long long)r->n_in);
    for (int i = DF_METADATA_KEPT + 1; i < DF_METADATA_REASONS; i++)
        if (r->n[i])
            printf("%15lld  %s\n", -(long long)r->n[i], reasons[i].words);
    put_line(stdout, "%15lld  kept, in %d file%s of %s", (long long)r->n[DF_METADATA_KEPT],
             r->n_files, r->n_files == 1 ? "" : "s", out);
    if (r->n_files)
        print_next(r, out);
}

/* Reads the options of metadata and those of the run, such as the threads. */
static df_status take_settings(const args *a, df_metadata_config *config, int *n_threads,
                               df_error *err)
{
    df_config run;
    DF_TRY(df_config_init(&run, df_stages, err));
    df_status status = df_options_defaults(df_metadata_options, config, err);
    for (int i = 0; status == DF_OK && i < a->n_settings; i++) {
        const char *key = a->settings[i].key, *own = "metadata.";
        bool mine = strncmp(key, own, strlen(own)) == 0;
        status = mine ? df_option_set(df_metadata_options, config, "metadata", key + strlen(own),
                                      a->settings[i].value, err)
                      : df_config_set(&run, key, a->settings[i].value, err);
    }
    *n_threads = df_config_threads(&run);
    df_config_free(&run);
    return status;
}

int cmd_metadata(const command *self, const args *a)
{
    if (a->n_positional < 1 || !a->out)
        return command_usage(
            self, "Parquet lists, or a folder of them, and a folder for the result are needed");
    df_metadata_config config = {0};
    df_metadata_result result = {0};
    df_error err = {""};
    int n_threads = 1;
    df_status status = take_settings(a, &config, &n_threads, &err);
    if (status == DF_OK)
        status = df_metadata_filter(a->positional, a->n_positional, a->out, &config, n_threads,
                                    &result, &err);
    if (status == DF_OK && a->given & FLAG_JSON)
        status = print_metadata_json(&result, &err);
    else if (status == DF_OK)
        print_table(&result, a->out);
    df_options_free(df_metadata_options, &config);
    return command_failed(status, &err);
}
