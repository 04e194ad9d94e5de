/* What detectors of a card's labels share: opening, the model's input and run, suppression, the way
 * back to the image. A decoder adds how boxes are read from its family's outputs. */
#ifndef DF_EXPERT_DETECTOR_H
#define DF_EXPERT_DETECTOR_H
#include "expert/expert.h"
#include "vision/nms.h"

enum { DF_STRIDES_MAX = 5, DF_BINS_MAX = 64 };

/* What a model said of an image. */
/* of the input, pixels */
typedef struct {
    const df_tensor *outputs;
    int n;
    double width, height;
} df_answer;

typedef struct df_detector df_detector;
/* Adds every box of at least the card's threshold: corners in input pixels, label an index into the
 * card's labels. */
typedef df_status (*df_decode_fn)(const df_detector *d, const df_answer *answer, df_candidates *out,
                                  df_error *err);

struct df_detector {
    df_expert base;
    const df_card *card;
    df_onnx *model;
    df_decode_fn decode;
    df_tensor input; /* as the model declares it */
    /* second input [1, 2], for the first's width and height; or NULL */
    const char *size_input;
    /* Numbers of the card's `decode:`; what it does not say is at its default. */
    int max_boxes; /* of an image, after suppression */
    int strides[DF_STRIDES_MAX], n_strides, bins;
    /* logits of labels that exclude each other, and of none */
    int softmax;
    int class_offset; /* the class that is the first label */
    int normalised; /* boxes are shares of the input's sides */
    int boxes, scores, classes; /* which output, from 0; -1: by name and shape */
};

/* One card, whose decode numbers are checked. needs_*: an error without them. */
typedef struct {
    const df_expert_ops *ops;
    df_decode_fn decode;
    bool needs_strides, needs_bins;
} df_detector_kind;
df_status df_detector_open(df_expert **out, const df_detector_kind *kind, const df_card *card,
                           df_error *err);
df_status df_detector_perceive(df_expert *e, const df_image *image, const df_queries *queries,
                               df_arena *arena, df_percept *out, df_error *err);
void df_detector_close(df_expert *e);

/* The output of rows x columns whose last dimension is columns, the `nth` that fits (0: first);
 * NULL: none. */
const df_tensor *df_answer_find(const df_answer *a, int64_t rows, int64_t columns, int nth);
/* Index of the highest of n scores, the first of equals. */
int df_best_label(const float *scores, int n);
#endif
