/* densefusion: dense captions for image datasets.
 *
 *     df_error err;
 *     df_pipeline *p;
 *     if (df_pipeline_open(&p, NULL, &err) != DF_OK) ...           // defaults; or a YAML config
 * file df_pipeline_set(p, "caption.engine", "compose", &err); df_pipeline_run(p, "photos/", "out/",
 * &err);                  // images to captions and report char *caption; df_pipeline_caption(p,
 * jpeg, jpeg_size, "alt text", &caption, &err);   // one image from memory free(caption);
 *     df_pipeline_close(p);
 *
 * The program's locale changes nothing: the library reads and writes as in "C", and leaves the
 * locale as it was.
 */
#ifndef DENSEFUSION_H
#define DENSEFUSION_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    DF_OK,
    DF_NOMEM,
    DF_IO,
    DF_FORMAT,
    DF_CONFIG,
    DF_MODEL,
    DF_REMOTE,
    DF_STOPPED,
    DF_MISSING
} df_status;
/* NULL is allowed: status only */
typedef struct {
    char message[512];
} df_error;
typedef struct df_pipeline df_pipeline;

/* config_path: YAML with sections named after stages, or NULL for defaults. */
df_status df_pipeline_open(df_pipeline **out, const char *config_path, df_error *err);
/* key: "section.key" as in the config file. Errors: DF_CONFIG naming key and bounds. */
df_status df_pipeline_set(df_pipeline *p, const char *key, const char *value, df_error *err);
/* Runs every stage that is not up to date. DF_STOPPED after df_pipeline_stop: run again
 * to go on. */
df_status df_pipeline_run(df_pipeline *p, const char *input, const char *out_folder, df_error *err);
/* Captions one encoded image. alt_text may be NULL. *caption is malloc'ed. */
df_status df_pipeline_caption(df_pipeline *p, const void *image, size_t size, const char *alt_text,
                              char **caption, df_error *err);
void df_pipeline_stop(df_pipeline *p);                               /* async-signal-safe */
void df_pipeline_close(df_pipeline *p);

#ifdef __cplusplus
}
#endif
#endif
