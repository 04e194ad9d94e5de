/* What detectors with a fixed list of labels share: opening, preparing the input, running the
 * model, non-maximum suppression, and the way back to the image. Each decoder adds how boxes are
 * read from the outputs of its family. */
#ifndef DF_EXPERT_DETECTOR_H
#define DF_EXPERT_DETECTOR_H
#include "expert/expert.h"
#include "vision/nms.h"

enum { DF_STRIDES_MAX = 5, DF_BINS_MAX = 64 };

/* A model's answer for an image. */
typedef struct {
    const df_tensor *outputs;
    int n;
    double width, height;                    /* of the input, in pixels */
} df_answer;

typedef struct df_detector df_detector;
/* Adds every box with at least the card's threshold: corners in input pixels, label as an index
 * into the card's labels. */
typedef df_status (*df_decode_fn)(const df_detector *d, const df_answer *answer, df_candidates *out,
                                  df_error *err);

struct df_detector {
    df_expert base;
    const df_card *card;
    df_onnx *model;
    df_decode_fn decode;
    df_tensor input; /* as the model declares it */
    /* name of a second input [1, 2] that takes the first one's width and height; NULL: none */
    const char *size_input;
    /* Numbers of the card's `decode:`, or their defaults. */
    int max_boxes; /* most boxes of an image after suppression */
    int strides[DF_STRIDES_MAX], n_strides, bins;
    /* 1: scores are logits of labels that exclude each other, and of "nothing" */
    int softmax;
    int class_offset; /* the class of the card's first label */
    int normalised; /* 1: boxes are shares of the input's sides */
    int boxes, scores, classes; /* index of each output; -1: found by name and shape */
};

/* A family of detectors. needs_*: it is an error if the card lacks these numbers. */
typedef struct {
    const df_expert_ops *ops;
    df_decode_fn decode;
    bool needs_strides, needs_bins;
} df_detector_kind;
/* The operations of every such detector. df_detector_open checks the card's decode numbers. */
df_status df_detector_open(df_expert **out, const df_detector_kind *kind, const df_card *card,
                           df_error *err);
df_status df_detector_perceive(df_expert *e, const df_image *image, const df_queries *queries,
                               df_arena *arena, df_percept *out, df_error *err);
void df_detector_close(df_expert *e);

/* The output that holds rows x columns values and has `columns` as its last dimension, the `nth`
 * that fits (0: the first); NULL: none. */
const df_tensor *df_answer_find(const df_answer *a, int64_t rows, int64_t columns, int nth);
/* Index of the highest of n scores, the first of equals. */
int df_best_label(const float *scores, int n);
#endif
