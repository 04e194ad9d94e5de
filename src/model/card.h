/* A model card: a YAML file beside its ONNX file that says all there is to know about a model.
 * docs/EXTENDING.md. */
#ifndef DF_MODEL_CARD_H
#define DF_MODEL_CARD_H
#include <stdbool.h>
#include "base/arena.h"
#include "base/hash.h"
#include "base/option.h"
#include "base/status.h"
#include "io/yaml.h"
#include "model/onnx.h"

typedef struct {
    /* task: tag, detect, text-detect, text-recognise, text-orient, safety, embed, text-embed */
    char *name, *task, *decoder;
    char *file, *sha256, *licence, *source; /* file: beside the card */
    /* tensor name; stretch | crop | fit | shortest; rgb | bgr; nchw | nhwc */
    char *input, *resize, *channels, *layout;
    int64_t width, height; /* of the input tensor, pixels; 0: the image's own */
    /* crop: the short edge before the centre crop; shortest: the input's */
    int64_t resize_side;
    /* shortest: the most that the input's long edge may be, pixels */
    int64_t max_side;
    /* fit: value of the pixels beside the image; -1: the mean */
    double pad;
    /* (pixel 0..255 - mean) / std, in the order of `channels` */
    double mean[3], std[3];
    char *interpolation; /* bilinear | bicubic */
    /* of an encoder: the tensor with its vector; none | cls | mean of its tokens */
    char *output, *pooling;
    /* of an encoder: above cosine 1 - eps two images are duplicates */
    double eps;
    /* file beside the card: a line per class; after a tab the name to use ("" drops it) */
    char *labels;
    /* file beside the card: a number a label, in place of `threshold` */
    char *thresholds;
    /* the card (task text-embed) that makes vectors of its labels and queries */
    char *text;
    /* around a label or query, which stands for {}: "a photo of a {}" */
    char *template;
    /* of a model that reads words: tokenizer.json beside the card */
    char *tokenizer;
    double threshold, iou; /* least score kept; NMS overlap */
    /* score from which `fuse` believes an answer by itself; 0: as its options say */
    double accept;
    /* [n_labels], read from `labels`; NULL entry: class not used */
    const char **label;
    int n_labels;
    /* [n_labels] of `thresholds`; NULL: `threshold` holds for all */
    const double *label_threshold;
    /* the keys under `decode:`, for df_card_number; key without "decode." */
    const df_yaml_entry *extra;
    int n_extra;
    /* of the bytes of the card and of the files that it names, but the model's */
    char hash[DF_HASH_HEX];
    char *path, *folder;
    /* what df_card_open_model runs it on; all-zero after df_card_open */
    df_onnx_options runtime;
    df_arena arena;
} df_card;

/* Reads FOLDER/NAME.yaml and its labels; errors name the file and the field. verify: also hash the
 * ONNX file. */
df_status df_card_open(df_card **out, const char *folder, const char *name, bool verify,
                       df_error *err);
/* The same, but a file that is not there is no error: "WHAT FILE" of each, those of its
 * text card too, is appended to *missing, joined by ", "; without them labels and
 * thresholds may be unread. */
df_status df_card_survey(df_card **out, const char *folder, const char *name, df_str *missing,
                         df_error *err);
void df_card_close(df_card *card);
/* A decoder's own number (key under `decode:`, "bins" or "strides.0"), or fallback. */
double df_card_number(const df_card *card, const char *key, double fallback);
char *df_card_beside(const df_card *card, const char *file); /* FOLDER/file; caller frees */
char *df_card_model_path(const df_card *card); /* FOLDER/FILE; caller frees */
/* Card and all files that it needs are there (a card that cannot be read counts: opening it says
 * why). */
bool df_card_installed(const char *folder, const char *name);
/* Appends "model NAME CARD-HASH SHA-256\n", and the same of its text card: what a stage's output
 * depends on. */
df_status df_card_describe(const char *folder, const char *name, df_str *out, df_error *err);
/* Names of all cards of a folder, in alphabetical order, in the arena. Errors name the folder;
 * DF_MISSING: there is none. */
df_status df_cards_list(const char *folder, df_arena *arena, const char *const **names, int *n,
                        df_error *err);
/* Appends "NAME ACCEPT\n" of every readable card of FOLDER that has `accept`, in alphabetical
 * order. */
df_status df_cards_accept(const char *folder, df_str *out, df_error *err);
/* Opens the card's ONNX file; an image model's: checks the fields `input`, `width` and `height`
 * against what it declares. */
df_status df_card_open_model(const df_card *card, df_onnx **out, df_error *err);
/* The same with the ONNX file at path: one that is about to become the card's. */
df_status df_card_open_file(const df_card *card, const char *path, df_onnx **out, df_error *err);
/* Of what the model gave, the tensor that `output` names, or the first. DF_CONFIG: there is no such
 * one. */
df_status df_card_output(const df_card *card, const df_tensor *outputs, int n,
                         const df_tensor **out, df_error *err);
#endif
