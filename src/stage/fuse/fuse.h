/* What the one-image call of the library shares with the stage. */
#ifndef DF_STAGE_FUSE_FUSE_H
#define DF_STAGE_FUSE_FUSE_H
#include "evidence/fusion.h"
#include "evidence/prompt.h"

typedef struct {
    char *prompt;                            /* "engine", "meta", or the path of a template */
    char *accept;                            /* "nanodet=0.7, owlv2=0.3" */
    char *tuning_prompt;                     /* as prompt; NULL: none */
    int64_t draw, draw_seed;
    df_fuse_options fuse;
} df_fuse_config;                            /* the stage's config */

/* All that fusion works with: how to fuse, and the template to fill. Immutable once open: shared by
 * threads. */
typedef struct {
    df_fusion how;
    df_prompt *prompt, *tuning; /* tuning: NULL without a second prompt */
    df_kinds *kinds;
    df_arena arena; /* of how.accept */
} df_fuser; /* all-zero is freeable */
/* share: the folder with prompts/ and lexicon/; models: that of the cards, whose `accept` counts
 * where config.accept is silent. config is borrowed. */
df_status df_fuser_init(df_fuser *fuser, const df_fuse_config *config, const char *share,
                        const char *models, df_error *err);
void df_fuser_free(df_fuser *fuser);
#endif
