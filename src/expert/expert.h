/* An expert looks at one image and says what it shows. Its decoder (listed in expert.c) is code for
 * a family of models; the models are described by cards. */
#ifndef DF_EXPERT_EXPERT_H
#define DF_EXPERT_EXPERT_H
#include "base/arena.h"
#include "evidence/evidence.h"
#include "image/image.h"
#include "model/card.h"

/* What was seen. Arrays and text live in the arena. Boxes and quadrilaterals are in pixels of the
 * upright full image. */
typedef struct {
    df_tag *tags;
    int n_tags; /* by falling score */
    df_box *boxes;
    int n_boxes; /* by falling score */
    df_line *lines;
    int n_lines; /* in reading order */
    /* set by a panel: why the expert has no answer, or only part of one; else NULL */
    const char *trouble;
} df_percept;

/* What an open-set expert searches for: the image's tags, by falling score. Other experts ignore
 * it. */
typedef struct {
    const df_tag *tags;
    int n;
} df_queries;

typedef struct df_expert df_expert;
/* A decoder is the code for one family of models. `cards` are the models that it needs: one, or for
 * text a detector, an orienter and a recogniser in that order (an optional one may be NULL). Cards
 * are borrowed and outlive the expert. */
typedef struct {
    const char *name; /* the card's `decoder` */
    df_status (*open)(df_expert **out, df_card *const *cards, int n_cards, df_error *err);
    /* Thread-safe. queries: never NULL, borrowed for the call, so text that is kept must be
     * copied. */
    df_status (*perceive)(df_expert *e, const df_image *image, const df_queries *queries,
                          df_arena *arena, df_percept *out, df_error *err);
    void (*close)(df_expert *e);
} df_expert_ops;
struct df_expert {
    const df_expert_ops *ops;
}; /* the first member of every decoder's own struct */

/* Checks that the card's decoder exists, serves the card's task and has all that it needs.
 * Otherwise DF_CONFIG; the message says file and field. */
df_status df_expert_check(const df_card *card, df_error *err);
/* Opens the named cards in the models folder, with verified hashes, by the first card's decoder.
 * The expert owns the cards. runtime: NULL for the CPU. df_expert_close frees *out; NULL is
 * fine. */
typedef struct df_expert_handle df_expert_handle;
df_status df_expert_open(df_expert_handle **out, const char *models, const char *const *names,
                         int n_names, const df_onnx_options *runtime, df_error *err);
/* Sets the fields of *out that this expert fills and leaves the others alone. Labels live as long
 * as the expert and the arena. queries may be NULL. */
df_status df_expert_perceive(df_expert_handle *h, const df_image *image, const df_queries *queries,
                             df_arena *arena, df_percept *out, df_error *err);
/* Replaces the thresholds of the cards. To be called before df_expert_perceive. */
void df_expert_set_threshold(df_expert_handle *h, double threshold);
void df_expert_close(df_expert_handle *h);
/* The i-th card, owned by the expert; NULL when there is none. */
const df_card *df_expert_card(const df_expert_handle *h, int i);
#endif
