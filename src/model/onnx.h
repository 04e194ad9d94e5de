/* Runs ONNX models through ONNX Runtime's C API, which is loaded when a model is first opened.
 * onnx.c is the only file that knows it. */
#ifndef DF_MODEL_ONNX_H
#define DF_MODEL_ONNX_H
#include <stdint.h>
#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

enum { DF_TENSOR_DIMS_MAX = 6 };
/* A tensor of float32 in row-major order. name and data are borrowed. */
typedef struct {
    const char *name;
    int n_dims;
    int64_t dims[DF_TENSOR_DIMS_MAX];
    float *data;
} df_tensor;

/* How models are run; all-zero: on the CPU, with one thread for a run. Text is borrowed. */
typedef struct {
    /* path of ONNX Runtime's shared library; NULL: the one of this build */
    const char *library;
    /* execution provider and device, as "cuda", "cuda:1", "openvino:GPU"; NULL: the CPU */
    const char *provider;
    int threads; /* of one run; 0 means 1 */
    /* how many threads may run one model at once: some providers allocate for each; 0 means 1 */
    int at_once;
} df_onnx_options;
/* Appends "provider NAME\n" for any provider but the CPU's, since its results differ in the last
 * digits. DF_CONFIG: the library has no such provider; the message lists those it has. */
df_status df_onnx_describe(const df_onnx_options *options, df_str *out, df_error *err);

typedef struct df_onnx df_onnx; /* shared by threads: run is thread-safe */
/* options may be NULL, which is all-zero. df_onnx_close frees *out; NULL is fine. */
df_status df_onnx_open(df_onnx **out, const char *path, const df_onnx_options *options,
                       df_error *err);
void df_onnx_close(df_onnx *model);
/* product of dims; 0 when one is negative or it overflows */
int64_t df_tensor_size(const df_tensor *t);
/* The tensor of that name; NULL: there is none. */
const df_tensor *df_tensor_named(const df_tensor *tensors, int n, const char *name);
/* Runs the model. Inputs are matched by name; a single unnamed input is the first. Values of an
 * int64 input must be whole and below 2^24. All outputs, in the model's order, are copied into the
 * arena, integers converted to float. DF_FORMAT: the model has no answer for this input, that is,
 * NaN or +infinity in an output, or a failed run of a model that has run before. */
df_status df_onnx_run(df_onnx *model, const df_tensor *inputs, int n_inputs, df_arena *arena,
                      df_tensor **outputs, int *n_outputs, df_error *err);
/* What the model declares of input i: `name` (NULL beyond the last) and dims (-1: not fixed); data
 * is NULL. */
df_tensor df_onnx_input(const df_onnx *model, int i);
/* A metadata entry of the model file, in the arena; NULL when it has none. */
const char *df_onnx_metadata(df_onnx *model, const char *key, df_arena *arena);
#endif
