/* A panel is several experts of one kind, named by a list such as "nanodet,centernet". The first
 * must be installed; the others give second opinions and are used where they are installed. An
 * empty list is an empty panel. */
#ifndef DF_EXPERT_PANEL_H
#define DF_EXPERT_PANEL_H
#include "base/str.h"
#include "expert/expert.h"
#include "vision/slices.h"

enum { DF_PANEL_MAX = 8 };
typedef struct {
    df_expert_handle *experts[DF_PANEL_MAX];
    int n_experts;
    /* tiles in which the experts look for small objects; all-zero: none */
    df_slicing slicing;
    /* names of the experts that are not installed, joined by ", " */
    df_str missing;
} df_panel;                                  /* all-zero is freeable */

/* threshold: least score, for all experts; 0: as each card says. runtime: NULL for the CPU. On
 * success df_panel_free frees the panel. */
df_status df_panel_init(df_panel *panel, const char *models, const char *names, double threshold,
                        const df_onnx_options *runtime, df_error *err);
/* seen[i] is what expert i sees. A model that has no answer for this image (DF_FORMAT) sees nothing
 * and its message goes to seen[i].trouble, in the arena, so one odd image does not stop a run. With
 * slicing, what the tiles show is there nevertheless. queries may be NULL. */
df_status df_panel_perceive(const df_panel *panel, const df_image *image, const df_queries *queries,
                            df_arena *arena, df_percept seen[DF_PANEL_MAX], df_error *err);
void df_panel_free(df_panel *panel);
/* Appends a line for each model that df_panel_init would open: name, hash of the card, SHA-256 of
 * the model. */
df_status df_panel_describe(const char *models, const char *names, df_str *out, df_error *err);
#endif
