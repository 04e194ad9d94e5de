/* A model card is a YAML file beside its ONNX file that says all there is to know about a model
 * (docs/EXTENDING.md). */
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
    char *file, *sha256, *licence, *source; /* file: name of the ONNX file, beside the card */
    /* input: tensor name; resize: stretch | crop | fit | shortest; channels: rgb | bgr; layout:
     * nchw | nhwc */
    char *input, *resize, *channels, *layout;
    int64_t width, height; /* of the input tensor, in pixels; 0: the image's own */
    /* crop: the image's short edge before the centre crop; shortest: the input's short edge */
    int64_t resize_side;
    /* shortest: the longest that the input's long edge may be, in pixels */
    int64_t max_side;
    /* fit: value of the padding right of and below the image; -1: the mean */
    double pad;
    /* a pixel 0..255 becomes (pixel - mean) / std, in the order of `channels` */
    double mean[3], std[3];
    char *interpolation; /* bilinear | bicubic */
    /* encoder: the tensor that holds its vector; none, or the cls token or the mean of its
     * tokens */
    char *output, *pooling;
    /* encoder: two images above cosine 1 - eps are duplicates */
    double eps;
    /* file beside the card, a class a line; after a tab the name to use ("" drops the class) */
    char *labels;
    /* file beside the card, a number for each label, in place of `threshold` */
    char *thresholds;
    /* the card (task text-embed) of the text encoder for labels and queries */
    char *text;
    /* text around a label or query, which stands for {}: "a photo of a {}" */
    char *template;
    /* for a model that reads words: tokenizer.json beside the card */
    char *tokenizer;
    double threshold, iou; /* least score kept; overlap for non-maximum suppression */
    /* score from which `fuse` believes an answer without confirmation; 0: as its options say */
    double accept;
    /* [n_labels], read from `labels`; NULL: the class is not used */
    const char **label;
    int n_labels;
    /* [n_labels], read from `thresholds`; NULL: `threshold` holds for all */
    const double *label_threshold;
    /* the numbers under `decode:`, for df_card_number; keys without "decode." */
    const df_yaml_entry *extra;
    int n_extra;
    /* hash of the card and of the files that it names, except the ONNX file */
    char hash[DF_HASH_HEX];
    char *path, *folder;
    /* how df_card_open_model runs the model; all-zero after df_card_open */
    df_onnx_options runtime;
    df_arena arena;
} df_card;

/* Reads FOLDER/NAME.yaml and its labels. Errors name the file and the field. verify: the ONNX
 * file's SHA-256 is checked as well. df_card_close frees *out; NULL is fine. */
df_status df_card_open(df_card **out, const char *folder, const char *name, bool verify,
                       df_error *err);
/* The same, but missing files are no error: "WHAT FILE" of each, also of those of its text card, is
 * appended to *missing, separated by ", ". Labels and thresholds may then be unread. */
df_status df_card_survey(df_card **out, const char *folder, const char *name, df_str *missing,
                         df_error *err);
void df_card_close(df_card *card);
/* A number of the decoder (key under `decode:`, "bins" or "strides.0"), or fallback. */
double df_card_number(const df_card *card, const char *key, double fallback);
/* FOLDER/file; the caller frees it; NULL: out of memory */
char *df_card_beside(const df_card *card, const char *file);
/* path of the ONNX file; the caller frees it; NULL: out of memory */
char *df_card_model_path(const df_card *card);
/* Whether the card and all files that it needs exist. A card that cannot be read counts as
 * installed, since opening it gives the reason. */
bool df_card_installed(const char *folder, const char *name);
/* Appends "model NAME CARD-HASH SHA-256\n", and the same for its text card. It is what a stage's
 * output depends on. */
df_status df_card_describe(const char *folder, const char *name, df_str *out, df_error *err);
/* Names of all cards of a folder, in alphabetical order, in the arena. Errors name the folder;
 * DF_MISSING: the folder does not exist. */
df_status df_cards_list(const char *folder, df_arena *arena, const char *const **names, int *n,
                        df_error *err);
/* Appends "NAME ACCEPT\n" for every readable card of FOLDER that sets `accept`, in alphabetical
 * order. */
df_status df_cards_accept(const char *folder, df_str *out, df_error *err);
/* Opens the card's ONNX file. For an image model, the card's `input`, `width` and `height` are
 * checked against what the file declares. */
df_status df_card_open_model(const df_card *card, df_onnx **out, df_error *err);
/* The same with the ONNX file at `path`, which may be about to become the card's. */
df_status df_card_open_file(const df_card *card, const char *path, df_onnx **out, df_error *err);
/* *out: the output that the card names, or the first. DF_CONFIG: there is no such output. */
df_status df_card_output(const df_card *card, const df_tensor *outputs, int n,
                         const df_tensor **out, df_error *err);
#endif
