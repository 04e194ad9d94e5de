/* The only file that knows ONNX Runtime: loads it, chooses a provider, opens and runs models. */
#include "model/onnx.h"
#include <dlfcn.h>
#include <float.h>
#include <onnxruntime_c_api.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"

enum { ENDS_MAX = 32 };                      /* most inputs or outputs of a model */

struct df_onnx {
    const OrtApi *api;
    /* all models share one environment, for which ONNX Runtime counts references */
    OrtEnv *env;
    OrtSession *session;
    OrtMemoryInfo *memory;
    /* the same for every run; ONNX Runtime only reads them */
    OrtRunOptions *run_options;
    void *library;
    char *path;
    size_t n_inputs, n_outputs;
    const char *output_names[ENDS_MAX];
    df_tensor inputs[ENDS_MAX];
    ONNXTensorElementDataType input_types[ENDS_MAX];
    atomic_bool has_run;
    df_arena arena;
};

/* Turns ONNX Runtime's status into ours. Of its long messages the first line is kept, which says
 * what matters. */
static df_status check(const df_onnx *m, OrtStatus *status, const char *doing, df_error *err)
{
    if (!status)
        return DF_OK;
    const char *message = m->api->GetErrorMessage(status);
    df_fail(err, DF_MODEL, "%s %s: %.*s", doing, m->path, (int)strcspn(message, "\n"), message);
    m->api->ReleaseStatus(status);
    return DF_MODEL;
}

/* Checks that ONNX Runtime made an object. Without memory even for an error it reports success, and
 * the object is NULL. */
static df_status check_made(const df_onnx *m, const void *made, df_error *err)
{
    return made ? DF_OK : df_fail(err, DF_NOMEM, "use %s: ONNX Runtime is out of memory", m->path);
}

/* Drops ONNX Runtime's log. Errors reach the caller as a status; the rest is not for the user's
 * screen. */
static void ORT_API_CALL be_silent(void *ctx, OrtLoggingLevel level, const char *category,
                                   const char *id, const char *where, const char *message)
{
    (void)ctx, (void)level, (void)category, (void)id, (void)where, (void)message;
}

/* ---- the library and its execution providers ---- */

/* Refuses telemetry. From 1.29 on the official builds for Linux keep an identifier of the machine
 * in the user's home, and send events with the names of models to the makers of ONNX Runtime
 * (microsoft/onnxruntime pull request 27379). These variables are the only ways to refuse, and only
 * before the library starts; a release knows one or the other. A value that the user has set is
 * kept. */
static void refuse_telemetry(void)
{
    setenv("ORT_DISABLE_TELEMETRY", "1", 0);
    setenv("ORT_TELEMETRY_DISABLED", "1", 0);
}

/* Loads ONNX Runtime from where this build has it, else (in a prefix that was moved) from the run
 * path. Once loaded it stays in memory, since its threads may outlive a session; closing the handle
 * only counts. */
static df_status open_library(const df_onnx_options *options, void **library, const OrtApi **api,
                              df_error *err)
{
    const int mode = RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE;
    const bool own = !options->library || !options->library[0];
    static pthread_once_t refused = PTHREAD_ONCE_INIT;
    pthread_once(&refused, refuse_telemetry);
    void *handle = dlopen(own ? DF_ONNXRUNTIME : options->library, mode), *symbol;
    if (!handle && own && !df_file_exists(DF_ONNXRUNTIME))
        handle = dlopen("libonnxruntime.so.1", mode);
    symbol = handle ? dlsym(handle, "OrtGetApiBase") : NULL;
    if (!symbol) {
        const char *why = dlerror();
        df_fail(err, DF_MODEL, "load ONNX Runtime: %.400s", why ? why : "failed");
        if (handle)
            dlclose(handle);
        return DF_MODEL;
    }
    const OrtApiBase *(*base)(void);
    /* ISO C has no cast from an object pointer to a function pointer */
    memcpy(&base, &symbol, sizeof base);
    *api = base()->GetApi(ORT_API_VERSION);
    *library = handle;
    return *api ? DF_OK
                : df_fail(err, DF_MODEL, "ONNX Runtime %s is too old: it lacks API %d",
                          base()->GetVersionString(), ORT_API_VERSION);
}

/* Whether `theirs` is the provider that is called `name` here: "CUDAExecutionProvider" is
 * "cuda". */
static bool is_provider(const char *theirs, const char *name, size_t n)
{
    return strncasecmp(theirs, name, n) == 0 && strcmp(theirs + n, "ExecutionProvider") == 0;
}

static size_t name_size(const df_onnx_options *options)
{
    return options->provider ? strcspn(options->provider, ":") : 0;
}

static bool wants_cpu(const df_onnx_options *options)
{
    const size_t n = name_size(options);
    return n == 0 || (n == 3 && strncasecmp(options->provider, "cpu", 3) == 0);
}

static void append_providers(char **names, int n, df_str *out)
{
    for (int i = 0; i < n; i++)
        for (const char *c = names[i]; *c && strcmp(c, "ExecutionProvider") != 0; c++)
            df_str_printf(out, "%s%c", c == names[i] && i ? ", " : "",
                          *c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
}

/* Finds ONNX Runtime's own spelling of the wanted provider, without "ExecutionProvider". */
static df_status find_provider(const OrtApi *api, const df_onnx_options *options, char name[64],
                               df_error *err)
{
    char **names = NULL;
    int n = 0;
    const size_t size = name_size(options);
    name[0] = '\0';
    api->ReleaseStatus(api->GetAvailableProviders(&names, &n));
    for (int i = 0; i < n; i++)
        if (size < 64 && is_provider(names[i], options->provider, size))
            snprintf(name, 64, "%.*s", (int)size, names[i]);
    df_str have = {0};
    append_providers(names, n, &have);
    df_status status = name[0] ? DF_OK
                               : df_fail(err, DF_CONFIG,
                                         "provider \"%.100s\": this ONNX Runtime has only: %s; "
                                         "docs/EXTENDING.md tells how to use another",
                                         options->provider, df_str_text(&have));
    df_str_free(&have);
    if (names)
        api->ReleaseStatus(api->ReleaseAvailableProviders(names, n));
    return status;
}

df_status df_onnx_describe(const df_onnx_options *options, df_str *out, df_error *err)
{
    char name[64];
    void *library = NULL;
    const OrtApi *api = NULL;
    if (wants_cpu(options))
        return DF_OK;
    df_status status = open_library(options, &library, &api, err);
    if (status == DF_OK)
        status = find_provider(api, options, name, err);
    if (status == DF_OK)
        df_str_printf(out, "provider %s\n", name);
    if (library)
        dlclose(library);
    return status;
}

/* Adds the CUDA provider with its options. */
static df_status append_cuda(const df_onnx *m, OrtSessionOptions *to, const char *const *keys,
                             const char *const *values, size_t n, df_error *err)
{
    OrtCUDAProviderOptionsV2 *cuda = NULL;
    DF_TRY(check(m, m->api->CreateCUDAProviderOptions(&cuda), "open", err));
    DF_TRY(check_made(m, cuda, err));
    df_status status =
        check(m, m->api->UpdateCUDAProviderOptions(cuda, keys, values, n), "open", err);
    if (status == DF_OK)
        status =
            check(m, m->api->SessionOptionsAppendExecutionProvider_CUDA_V2(to, cuda), "open", err);
    m->api->ReleaseCUDAProviderOptions(cuda);
    return status;
}

/* Adds the TensorRT provider, and CUDA on the same device for what TensorRT cannot do. */
static df_status append_tensorrt(const df_onnx *m, OrtSessionOptions *to, const char *const *keys,
                                 const char *const *values, size_t n, df_error *err)
{
    OrtTensorRTProviderOptionsV2 *tensorrt = NULL;
    DF_TRY(check(m, m->api->CreateTensorRTProviderOptions(&tensorrt), "open", err));
    DF_TRY(check_made(m, tensorrt, err));
    df_status status =
        check(m, m->api->UpdateTensorRTProviderOptions(tensorrt, keys, values, n), "open", err);
    if (status == DF_OK)
        status = check(m, m->api->SessionOptionsAppendExecutionProvider_TensorRT_V2(to, tensorrt),
                       "open", err);
    m->api->ReleaseTensorRTProviderOptions(tensorrt);
    return status == DF_OK ? append_cuda(m, to, keys, values, n, err) : status;
}

/* Adds the OpenVINO provider. On a CPU it gets as many streams as runs at once, since runs in one
 * stream wait for each other. */
static df_status append_openvino(const df_onnx *m, OrtSessionOptions *to, const char *name,
                                 const char *device, const df_onnx_options *options, df_error *err)
{
    const int at_once = options->at_once > 1 ? options->at_once : 1,
              threads = options->threads > 1 ? options->threads : 1;
    const bool on_cpu = !device || !device[0] || strcasecmp(device, "CPU") == 0;
    char n_streams[12], n_threads[12];
    snprintf(n_streams, sizeof n_streams, "%d", at_once);
    snprintf(n_threads, sizeof n_threads, "%d", at_once * threads);
    const char *const keys[] = {"device_type", "num_streams", "num_of_threads"};
    const char *const values[] = {on_cpu ? "CPU" : device, n_streams, n_threads};
    return check(
        m, m->api->SessionOptionsAppendExecutionProvider(to, name, keys, values, on_cpu ? 3 : 1),
        "open", err);
}

/* Adds the provider that the options name. What follows the colon is the provider's own name of a
 * device. */
static df_status append_provider(const df_onnx *m, OrtSessionOptions *to,
                                 const df_onnx_options *options, df_error *err)
{
    char name[64];
    if (wants_cpu(options))
        return DF_OK;
    DF_TRY(find_provider(m->api, options, name, err));
    const char *colon = strchr(options->provider, ':');
    const char *key = strcmp(name, "QNN") == 0 ? "backend_path" : "device_id",
               *value = colon ? colon + 1 : NULL;
    const size_t n = value && value[0];
    if (strcmp(name, "OpenVINO") == 0)
        return append_openvino(m, to, name, value, options, err);
    if (strcmp(name, "CUDA") == 0)
        return append_cuda(m, to, &key, &value, n, err);
    if (strcmp(name, "Tensorrt") == 0)
        return append_tensorrt(m, to, &key, &value, n, err);
    return check(m, m->api->SessionOptionsAppendExecutionProvider(to, name, &key, &value, n),
                 "open", err);
}

/* ---- opening ---- */

/* One thread for a run, since the pool above has a thread for each core. No memory pattern, since
 * it keeps the most that any shape needed. The arena gives free memory back after each run
 * (shrinkage); otherwise changing shapes make it grow, as shrinking after every 4th run still did.
 * That costs a tenth of the text models' time in page faults; no arena at all costs two fifths. */
static df_status set_options(const df_onnx *m, OrtSessionOptions *options, int threads,
                             df_error *err)
{
    const OrtApi *api = m->api;
    DF_TRY(check(m, api->SetIntraOpNumThreads(options, threads > 1 ? threads : 1), "open", err));
    DF_TRY(check(m, api->SetInterOpNumThreads(options, 1), "open", err));
    DF_TRY(check(m, api->SetSessionExecutionMode(options, ORT_SEQUENTIAL), "open", err));
    DF_TRY(check(m, api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL), "open", err));
    DF_TRY(check(m, api->SetDeterministicCompute(options, true), "open", err));
    DF_TRY(check(m, api->DisableMemPattern(options), "open", err));
    return check(m, api->EnableCpuMemArena(options), "open", err);
}

/* Opens ONNX Runtime's environment and a session of the model. */
static df_status open_session(df_onnx *m, const df_onnx_options *how, df_error *err)
{
    const OrtApi *api = m->api;
    OrtSessionOptions *options = NULL;
    DF_TRY(check(m, api->CreateRunOptions(&m->run_options), "open", err));
    DF_TRY(check_made(m, m->run_options, err));
    DF_TRY(check(
        m, api->AddRunConfigEntry(m->run_options, "memory.enable_memory_arena_shrinkage", "cpu:0"),
        "open", err));
    DF_TRY(check(m,
                 api->CreateEnvWithCustomLogger(be_silent, NULL, ORT_LOGGING_LEVEL_FATAL,
                                                "densefusion", &m->env),
                 "open", err));
    DF_TRY(check_made(m, m->env, err));
    DF_TRY(check(m, api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &m->memory),
                 "open", err));
    DF_TRY(check_made(m, m->memory, err));
    DF_TRY(check(m, api->CreateSessionOptions(&options), "open", err));
    DF_TRY(check_made(m, options, err));
    df_status status = set_options(m, options, how->threads, err);
    if (status == DF_OK)
        status = append_provider(m, options, how, err);
    if (status == DF_OK)
        status = check(m, api->CreateSession(m->env, m->path, options, &m->session), "open", err);
    api->ReleaseSessionOptions(options);
    return status == DF_OK ? check_made(m, m->session, err) : status;
}

/* Copies a string that ONNX Runtime allocated, and frees it. NULL stays NULL: the key does not
 * exist, or memory is out. */
static const char *take_name(df_onnx *m, OrtAllocator *allocator, char *theirs, df_arena *arena)
{
    const char *name = theirs ? df_arena_strdup(arena, theirs) : NULL;
    if (theirs)
        (void)check(m, m->api->AllocatorFree(allocator, theirs), "free", NULL);
    return name;
}

static df_status read_dims(const df_onnx *m, const OrtTensorTypeAndShapeInfo *info, df_tensor *t,
                           df_error *err)
{
    size_t n = 0;
    DF_TRY(check(m, m->api->GetDimensionsCount(info, &n), "shape of", err));
    if (n > DF_TENSOR_DIMS_MAX)
        return df_fail(err, DF_MODEL, "%s: %s has %zu dimensions, at most %d are supported",
                       m->path, t->name, n, DF_TENSOR_DIMS_MAX);
    t->n_dims = (int)n;
    return check(m, m->api->GetDimensions(info, t->dims, n), "shape of", err);
}

/* Reads the name, type and shape of an input. */
static df_status read_input(df_onnx *m, OrtAllocator *allocator, size_t i, df_error *err)
{
    char *theirs = NULL;
    DF_TRY(
        check(m, m->api->SessionGetInputName(m->session, i, allocator, &theirs), "inputs of", err));
    m->inputs[i].name = take_name(m, allocator, theirs, &m->arena);
    if (!m->inputs[i].name)
        return df_no_memory(err, "open %s", m->path);
    OrtTypeInfo *type = NULL;
    const OrtTensorTypeAndShapeInfo *shape = NULL;
    DF_TRY(check(m, m->api->SessionGetInputTypeInfo(m->session, i, &type), "inputs of", err));
    DF_TRY(check_made(m, type, err));
    df_status status = check(m, m->api->CastTypeInfoToTensorInfo(type, &shape), "inputs of", err);
    if (status == DF_OK && shape) /* NULL: it is not a tensor, which the run reports */
        status =
            check(m, m->api->GetTensorElementType(shape, &m->input_types[i]), "inputs of", err);
    if (status == DF_OK && shape)
        status = read_dims(m, shape, &m->inputs[i], err);
    m->api->ReleaseTypeInfo(type);
    return status;
}

/* Reads the inputs and the names of the outputs. */
static df_status read_ends(df_onnx *m, df_error *err)
{
    OrtAllocator *allocator = NULL;
    DF_TRY(check(m, m->api->GetAllocatorWithDefaultOptions(&allocator), "open", err));
    DF_TRY(check(m, m->api->SessionGetInputCount(m->session, &m->n_inputs), "inputs of", err));
    DF_TRY(check(m, m->api->SessionGetOutputCount(m->session, &m->n_outputs), "outputs of", err));
    if (m->n_inputs > ENDS_MAX || m->n_outputs > ENDS_MAX || m->n_inputs < 1)
        return df_fail(err, DF_MODEL, "%s: %zu inputs and %zu outputs; 1 to %d are supported",
                       m->path, m->n_inputs, m->n_outputs, ENDS_MAX);
    for (size_t i = 0; i < m->n_inputs; i++)
        DF_TRY(read_input(m, allocator, i, err));
    for (size_t i = 0; i < m->n_outputs; i++) {
        char *theirs = NULL;
        DF_TRY(check(m, m->api->SessionGetOutputName(m->session, i, allocator, &theirs),
                     "outputs of", err));
        m->output_names[i] = take_name(m, allocator, theirs, &m->arena);
        if (!m->output_names[i])
            return df_no_memory(err, "open %s", m->path);
    }
    return DF_OK;
}

df_status df_onnx_open(df_onnx **out, const char *path, const df_onnx_options *options,
                       df_error *err)
{
    static const df_onnx_options plain = {0};
    df_error why = {""};
    if (df_file_check(path, &why) != DF_OK)
        return df_fail(err, DF_MODEL, "%s", why.message);
    df_onnx *m = calloc(1, sizeof *m);
    if (!m)
        return df_no_memory(err, "open %s", path);
    options = options ? options : &plain;
    m->path = strdup(path);
    df_status status = m->path ? open_library(options, &m->library, &m->api, err)
                               : df_no_memory(err, "open %s", path);
    if (status == DF_OK)
        status = open_session(m, options, err);
    if (status == DF_OK)
        status = read_ends(m, err);
    if (status != DF_OK) {
        df_onnx_close(m);
        return status;
    }
    *out = m;
    return DF_OK;
}

void df_onnx_close(df_onnx *m)
{
    if (!m)
        return;
    if (m->session)
        m->api->ReleaseSession(m->session);
    if (m->run_options)
        m->api->ReleaseRunOptions(m->run_options);
    if (m->memory)
        m->api->ReleaseMemoryInfo(m->memory);
    if (m->env)
        m->api->ReleaseEnv(m->env);
    if (m->library)
        dlclose(m->library);
    df_arena_reset(&m->arena);
    free(m->path);
    free(m);
}

df_tensor df_onnx_input(const df_onnx *model, int i)
{
    return i >= 0 && (size_t)i < model->n_inputs ? model->inputs[i] : (df_tensor){0};
}

int64_t df_tensor_size(const df_tensor *t)
{
    int64_t size = 1;
    for (int i = 0; i < t->n_dims; i++)
        if (t->dims[i] < 0 || __builtin_mul_overflow(size, t->dims[i], &size))
            return 0;
    return size;
}

const df_tensor *df_tensor_named(const df_tensor *tensors, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(tensors[i].name, name) == 0)
            return &tensors[i];
    return NULL;
}

#define COPY_AS(type)                                                                              \
    for (size_t i = 0; i < n; i++)                                                                 \
    to[i] = (float)((const type *)from)[i]

/* Copies numbers of any type as floats. False: a type that is not known. */
static bool copy_floats(float *to, const void *from, size_t n, ONNXTensorElementDataType type)
{
    switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
        COPY_AS(float);
        return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
        COPY_AS(double);
        return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
        COPY_AS(int64_t);
        return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
        COPY_AS(int32_t);
        return true;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
        COPY_AS(uint8_t);
        return true;
    default:
        return false;
    }
}

/* Whether there is a NaN or +infinity, the results of an overflow. Models use -infinity as a
 * mask. */
static bool is_broken(const float *x, size_t n)
{
    int found = 0;
    for (size_t i = 0; i < n; i++)
        found |= !(x[i] <= FLT_MAX);
    return found;
}

/* Copies an output of a run into the arena and refuses values that are no numbers. */
static df_status copy_output(const df_onnx *m, OrtValue *value, df_arena *arena, df_tensor *t,
                             df_error *err)
{
    const OrtApi *api = m->api;
    OrtTensorTypeAndShapeInfo *info = NULL;
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    void *data = NULL;
    DF_TRY(check_made(m, value, err));
    DF_TRY(check(m, api->GetTensorTypeAndShape(value, &info), "outputs of", err));
    DF_TRY(check_made(m, info, err));
    df_status status = read_dims(m, info, t, err);
    if (status == DF_OK)
        status = check(m, api->GetTensorElementType(info, &type), "outputs of", err);
    api->ReleaseTensorTypeAndShapeInfo(info);
    if (status == DF_OK)
        status = check(m, api->GetTensorMutableData(value, &data), "outputs of", err);
    DF_TRY(status);

    size_t n = (size_t)df_tensor_size(t);
    t->data = df_arena_alloc(arena, n ? n : 1, sizeof *t->data);
    if (!t->data)
        return df_no_memory(err, "run %s", m->path);
    if (!copy_floats(t->data, data, n, type))
        return df_fail(err, DF_MODEL, "%s: output %s is of a type that is not supported (%d)",
                       m->path, t->name, type);
    if (is_broken(t->data, n))
        return df_fail(err, DF_FORMAT,
                       "%s: output %s holds values that are not numbers, or infinite", m->path,
                       t->name);
    return DF_OK;
}

static ONNXTensorElementDataType type_of(const df_onnx *m, const char *name)
{
    for (size_t i = 0; i < m->n_inputs; i++)
        if (strcmp(m->inputs[i].name, name) == 0)
            return m->input_types[i];
    /* the run reports that there is no such input */
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
}

/* Makes an input of the caller's floats, without copying, unless the input wants whole numbers
 * (tokens). ONNX Runtime takes void * but only reads inputs. */
static df_status wrap_input(const df_onnx *m, const df_tensor *t, const char *name, df_arena *arena,
                            OrtValue **value, df_error *err)
{
    const size_t n = (size_t)df_tensor_size(t);
    void *data = t->data;
    size_t size = n * sizeof(float);
    ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    if (type_of(m, name) == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) {
        int64_t *whole = df_arena_alloc(arena, n, sizeof *whole);
        if (!whole)
            return df_no_memory(err, "run %s", m->path);
        for (size_t i = 0; i < n; i++)
            whole[i] = (int64_t)t->data[i];
        data = whole;
        size = n * sizeof *whole;
        type = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    }
    DF_TRY(check(m,
                 m->api->CreateTensorWithDataAsOrtValue(m->memory, data, size, t->dims,
                                                        (size_t)t->n_dims, type, value),
                 "run", err));
    return check_made(m, *value, err);
}

static df_status wrap_inputs(const df_onnx *m, const df_tensor *inputs, int n, df_arena *arena,
                             OrtValue **values, const char **names, df_error *err)
{
    if (n < 1 || n > ENDS_MAX)
        return df_fail(err, DF_MODEL, "run %s: %d inputs", m->path, n);
    for (int i = 0; i < n; i++) {
        const df_tensor *t = &inputs[i];
        names[i] = t->name && t->name[0] ? t->name : m->inputs[0].name;
        if (df_tensor_size(t) < 1)
            return df_fail(err, DF_MODEL, "run %s: input %s is empty", m->path, names[i]);
        DF_TRY(wrap_input(m, t, names[i], arena, &values[i], err));
    }
    return DF_OK;
}

static df_status copy_outputs(const df_onnx *m, OrtValue **values, df_arena *arena, df_tensor *to,
                              df_error *err)
{
    for (size_t i = 0; i < m->n_outputs; i++) {
        to[i].name = m->output_names[i];
        DF_TRY(copy_output(m, values[i], arena, &to[i], err));
    }
    return DF_OK;
}

/* Runs the session, twice if the first run fails. When a model that has run before fails twice, the
 * cause is this input, unless memory is out. */
static df_status run_session(df_onnx *m, const char *const *names, OrtValue *const *in,
                             size_t n_inputs, OrtValue **results, df_error *err)
{
    for (int tries = 0;; tries++) {
        OrtStatus *failed =
            m->api->Run(m->session, m->run_options, names, (const OrtValue *const *)in, n_inputs,
                        m->output_names, m->n_outputs, results);
        if (!failed) {
            atomic_store(&m->has_run, true);
            return DF_OK;
        }
        const bool no_memory = strstr(m->api->GetErrorMessage(failed), "alloc") != NULL;
        const df_status status = check(m, failed, "run", err);
        if (tries > 0)
            return no_memory ? DF_NOMEM : atomic_load(&m->has_run) ? DF_FORMAT : status;
    }
}

df_status df_onnx_run(df_onnx *m, const df_tensor *inputs, int n_inputs, df_arena *arena,
                      df_tensor **outputs, int *n_outputs, df_error *err)
{
    OrtValue *in[ENDS_MAX] = {0}, *results[ENDS_MAX] = {0};
    const char *names[ENDS_MAX];
    df_tensor *copies = df_arena_alloc(arena, ENDS_MAX, sizeof *copies);
    if (!copies)
        return df_no_memory(err, "run %s", m->path);
    df_status status = wrap_inputs(m, inputs, n_inputs, arena, in, names, err);
    if (status == DF_OK)
        status = run_session(m, names, in, (size_t)n_inputs, results, err);
    if (status == DF_OK)
        status = copy_outputs(m, results, arena, copies, err);
    for (int i = 0; i < ENDS_MAX; i++) {
        if (in[i])
            m->api->ReleaseValue(in[i]);
        if (results[i])
            m->api->ReleaseValue(results[i]);
    }
    if (status != DF_OK)
        return status;
    *outputs = copies;
    *n_outputs = (int)m->n_outputs;
    return DF_OK;
}

const char *df_onnx_metadata(df_onnx *m, const char *key, df_arena *arena)
{
    const OrtApi *api = m->api;
    OrtModelMetadata *metadata = NULL;
    OrtAllocator *allocator = NULL;
    char *theirs = NULL;
    if (check(m, api->GetAllocatorWithDefaultOptions(&allocator), "metadata of", NULL) != DF_OK ||
        check(m, api->SessionGetModelMetadata(m->session, &metadata), "metadata of", NULL) !=
            DF_OK ||
        !metadata)
        return NULL;
    (void)check(m, api->ModelMetadataLookupCustomMetadataMap(metadata, allocator, key, &theirs),
                "metadata of", NULL);
    api->ReleaseModelMetadata(metadata);
    return take_name(m, allocator, theirs, arena);
}
