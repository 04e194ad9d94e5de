/* An expert looks at one image and says what it shows. Decoders are listed in expert.c; models are
 * cards. */
#ifndef DF_EXPERT_EXPERT_H
#define DF_EXPERT_EXPERT_H
#include "base/arena.h"
#include "evidence/evidence.h"
#include "image/image.h"
#include "model/card.h"

/* What was seen; arrays and text live in the arena. Boxes and quads in pixels of the upright full
 * image. */
typedef struct {
    df_tag *tags;
    int n_tags;              /* by falling score */
    df_box *boxes;
    int n_boxes;             /* by falling score */
    df_line *lines;
    int n_lines;             /* in reading order */
    /* of a panel's expert: why it has no answer, or no full one; else NULL */
    const char *trouble;
} df_percept;

/* What an open-set expert is asked to look for: the image's tags, by falling score. Other experts
 * pay no heed. */
typedef struct {
    const df_tag *tags;
    int n;
} df_queries;

typedef struct df_expert df_expert;
/* A decoder: the code for one family of models. `cards` are the models it needs: one, or text's
 * detector, orienter, recogniser in that order (an optional one may be NULL). Cards are borrowed
 * and outlive the expert. */
typedef struct {
    const char *name;                        /* the card's `decoder` */
    df_status (*open)(df_expert **out, df_card *const *cards, int n_cards, df_error *err);
    /* Thread-safe. queries: never NULL, borrowed for the call: text that is kept must be copied. */
    df_status (*perceive)(df_expert *e, const df_image *image, const df_queries *queries,
                          df_arena *arena, df_percept *out, df_error *err);
    void (*close)(df_expert *e);
} df_expert_ops;
struct df_expert {
    const df_expert_ops *ops;
}; /* first member of every decoder's own struct */

/* Whether the card's decoder is one of ours, serves the card's task and has all that it needs: else
 * DF_CONFIG, naming file and field. */
df_status df_expert_check(const df_card *card, df_error *err);
/* Opens the named cards in the models folder (hash verified) with the first card's decoder. The
 * expert owns them. runtime: NULL for the CPU. */
typedef struct df_expert_handle df_expert_handle;
df_status df_expert_open(df_expert_handle **out, const char *models, const char *const *names,
                         int n_names, const df_onnx_options *runtime, df_error *err);
/* Sets what this expert sees in *out and leaves the rest of it alone. Text of labels lives as long
 * as the expert and the arena. queries: NULL for none. */
df_status df_expert_perceive(df_expert_handle *h, const df_image *image, const df_queries *queries,
                             df_arena *arena, df_percept *out, df_error *err);
/* instead of the cards' own; before perceive */
void df_expert_set_threshold(df_expert_handle *h, double threshold);
void df_expert_close(df_expert_handle *h);
const df_card *df_expert_card(const df_expert_handle *h, int i);
#endif
