/* What the one-image call of the library shares with the stage. */
#ifndef DF_STAGE_FUSE_H
#define DF_STAGE_FUSE_H
#include "algo/fusion.h"
#include "algo/prompt.h"

typedef struct {
    char *prompt;                            /* "engine", "meta", or the path of a template */
    df_fuse_options fuse;
} df_fuse_config;                            /* the stage's config */

/* The template that config names; share is the folder with prompts/. *hash (may be NULL) is of its bytes. */
df_status df_fuse_prompt_open(df_prompt **out, const df_fuse_config *config, const char *share, char hash[DF_HASH_HEX], df_error *err);
#endif
