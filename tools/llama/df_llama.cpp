// See df_llama.h. Nothing here throws into C, and llama.cpp's log goes nowhere but its last error, which is given as why.
#include "df_llama.h"

#include <sys/random.h>

#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "chat.h"
#include "llama.h"
#include "mtmd-helper.h"
#include "mtmd.h"

namespace {

std::mutex log_lock;
std::string last_error;

void on_log(ggml_log_level level, const char *text, void *)
{
    if (level != GGML_LOG_LEVEL_ERROR || !*text)
        return;
    std::lock_guard<std::mutex> guard(log_lock);
    last_error = text;
}

void say(char *why, const std::string &words)
{
    std::lock_guard<std::mutex> guard(log_lock);
    std::string line = words;
    if (!last_error.empty())
        line += (line.empty() ? "" : ": ") + last_error;
    for (char &c : line)
        c = c == '\n' ? ' ' : c;
    line.erase(line.find_last_not_of(' ') + 1);
    std::snprintf(why, DF_LLAMA_WHY, "%s", line.c_str());
    last_error.clear();
}

struct sequence {
    llama_sampler *sampler = nullptr;
    llama_token token = 0;
    llama_pos n_past = 0;
};

}  // namespace

struct df_llama {
    llama_model *model = nullptr;
    llama_context *context = nullptr;
    mtmd_context *vision = nullptr;
    const llama_vocab *vocab = nullptr;
    common_chat_templates_ptr templates;
    std::string marker;                       // stands for the picture in a text; nobody outside can know it
    std::vector<std::string> controls;        // control tokens, spelled out
    std::vector<sequence> sequences;
    llama_batch batch = {};
    int32_t n_batch = 0;
};

struct df_llama_ask {
    mtmd_input_chunks *chunks = nullptr;      // with vision
    std::vector<llama_token> tokens;          // without
    int32_t n_tokens = 0;
};

namespace {

void make_marker(df_llama &l)
{
    unsigned char noise[12];
    char digits[sizeof noise * 2 + 1];
    if (getrandom(noise, sizeof noise, 0) != static_cast<ssize_t>(sizeof noise))
        throw std::runtime_error("no random bytes");
    for (size_t i = 0; i < sizeof noise; i++)
        std::snprintf(digits + 2 * i, 3, "%02x", noise[i]);
    l.marker = std::string("<__media_") + digits + "__>";
}

void find_controls(df_llama &l)
{
    for (int32_t i = 0; i < llama_vocab_n_tokens(l.vocab); i++) {
        const char *text = llama_vocab_get_text(l.vocab, i);
        if (llama_vocab_is_control(l.vocab, i) && text && std::strlen(text) > 2)
            l.controls.emplace_back(text);
    }
}

void open_vision(df_llama &l, const df_llama_options &o)
{
    mtmd_context_params params = mtmd_context_params_default();
    params.use_gpu = o.n_gpu_layers != 0;
    params.print_timings = false;
    params.n_threads = o.n_threads;
    params.warmup = false;
    params.media_marker = l.marker.c_str();
    l.vision = mtmd_init_from_file(o.mmproj, l.model, params);
    if (!l.vision)
        throw std::runtime_error("the projector (mmproj) cannot be loaded");
    if (!mtmd_support_vision(l.vision))
        throw std::runtime_error("the projector (mmproj) is not for pictures");
}

void open_context(df_llama &l, const df_llama_options &o)
{
    llama_context_params params = llama_context_default_params();
    params.n_ctx = static_cast<uint32_t>(o.n_ctx) * static_cast<uint32_t>(o.n_seq);
    params.n_seq_max = static_cast<uint32_t>(o.n_seq);
    params.n_threads = params.n_threads_batch = o.n_threads;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;    // its sums depend on the number of threads
    params.kv_unified = false;                // a sequence has its own cache: its neighbours cannot crowd it out
    params.abort_callback = o.aborted;
    params.abort_callback_data = o.ctx;
    l.context = llama_init_from_model(l.model, params);
    if (!l.context)
        throw std::runtime_error("the context cannot be made");
    l.n_batch = static_cast<int32_t>(llama_n_batch(l.context));
    l.batch = llama_batch_init(o.n_seq, 0, 1);
    l.sequences.resize(static_cast<size_t>(o.n_seq));
}

void open_all(df_llama &l, const df_llama_options &o)
{
    llama_model_params params = llama_model_default_params();
    params.n_gpu_layers = o.n_gpu_layers;
    params.check_tensors = true;              // a torn file is refused here, not found out in a caption
    l.model = llama_model_load_from_file(o.model, params);
    if (!l.model)
        throw std::runtime_error("the model cannot be loaded");
    l.vocab = llama_model_get_vocab(l.model);
    l.templates = common_chat_templates_init(l.model, "");
    make_marker(l);
    find_controls(l);
    if (o.mmproj)
        open_vision(l, o);
    open_context(l, o);
}

// A text must neither end its turn nor hold the picture's place.
std::string harmless(const df_llama &l, std::string text)
{
    for (const std::string &control : l.controls)
        for (size_t at = 0; (at = text.find(control, at)) != std::string::npos; at += control.size() + 1)
            text.insert(at + 1, " ");
    return text;
}

std::string render(const df_llama &l, const df_llama_message *messages, size_t n, bool picture)
{
    common_chat_templates_inputs inputs;
    for (size_t i = 0; i < n; i++) {
        common_chat_msg message;
        message.role = messages[i].role;
        std::string text = harmless(l, messages[i].text);
        if (i == 0 && picture) {
            message.content_parts.push_back({"text", text});
            message.content_parts.push_back({"media_marker", l.marker});
        } else {
            message.content = text;
        }
        inputs.messages.push_back(message);
    }
    inputs.enable_thinking = false;
    return common_chat_templates_apply(l.templates.get(), inputs).prompt;
}

void tokenize_picture(const df_llama &l, df_llama_ask &ask, const std::string &text, const df_llama_picture &picture)
{
    mtmd_bitmap *bitmap = mtmd_bitmap_init(picture.width, picture.height, picture.rgb);
    ask.chunks = mtmd_input_chunks_init();
    const mtmd_input_text input = {text.data(), text.size(), true, true};
    const mtmd_bitmap *bitmaps[] = {bitmap};
    const int32_t failed = mtmd_tokenize(l.vision, ask.chunks, &input, bitmaps, 1);
    mtmd_bitmap_free(bitmap);
    if (failed)
        throw std::runtime_error("the picture cannot be prepared");
    ask.n_tokens = static_cast<int32_t>(mtmd_helper_get_n_tokens(ask.chunks));
}

void tokenize_text(const df_llama &l, df_llama_ask &ask, const std::string &text)
{
    const int32_t size = static_cast<int32_t>(text.size());
    ask.tokens.resize(text.size() + 8);
    const int32_t n = llama_tokenize(l.vocab, text.data(), size, ask.tokens.data(),
                                     static_cast<int32_t>(ask.tokens.size()), true, true);
    if (n < 0)
        throw std::runtime_error("the prompt cannot be cut into tokens");
    ask.tokens.resize(static_cast<size_t>(n));
    ask.n_tokens = n;
}

llama_sampler *make_sampler(const df_llama_sampling &s)
{
    llama_sampler *chain = llama_sampler_chain_init(llama_sampler_chain_default_params());
    if (s.temperature <= 0) {
        llama_sampler_chain_add(chain, llama_sampler_init_greedy());
        return chain;
    }
    if (s.top_k > 0)
        llama_sampler_chain_add(chain, llama_sampler_init_top_k(s.top_k));
    if (s.top_p < 1)
        llama_sampler_chain_add(chain, llama_sampler_init_top_p(s.top_p, 1));
    llama_sampler_chain_add(chain, llama_sampler_init_temp(s.temperature));
    llama_sampler_chain_add(chain, llama_sampler_init_dist(s.seed));
    return chain;
}

// The prompt, n_batch tokens at a time; the last one's logits are wanted.
bool read_text(df_llama &l, int32_t seq, const std::vector<llama_token> &tokens, llama_pos &n_past)
{
    const int32_t n = static_cast<int32_t>(tokens.size());
    for (int32_t at = 0; at < n; at += l.n_batch) {
        const int32_t part = n - at < l.n_batch ? n - at : l.n_batch;
        llama_batch batch = llama_batch_init(part, 0, 1);
        for (int32_t i = 0; i < part; i++) {
            batch.token[i] = tokens[static_cast<size_t>(at + i)];
            batch.pos[i] = n_past + i;
            batch.n_seq_id[i] = 1;
            batch.seq_id[i][0] = seq;
            batch.logits[i] = at + i == n - 1;
        }
        batch.n_tokens = part;
        const int32_t failed = llama_decode(l.context, batch);
        llama_batch_free(batch);
        if (failed)
            return false;
        n_past += part;
    }
    return true;
}

template <typename F> bool guarded(char *why, F &&work)
{
    try {
        work();
        return true;
    } catch (const std::exception &e) {
        say(why, e.what());
    }
    return false;
}

}  // namespace

int df_llama_abi(void)
{
    return DF_LLAMA_ABI;
}

df_llama *df_llama_open(const df_llama_options *options, char *why)
{
    df_llama *l = new (std::nothrow) df_llama;
    llama_log_set(on_log, nullptr);
    mtmd_helper_log_set(on_log, nullptr);
    llama_backend_init();
    if (l && guarded(why, [&] { open_all(*l, *options); }))
        return l;
    df_llama_close(l);
    return nullptr;
}

void df_llama_close(df_llama *l)
{
    if (!l)
        return;
    for (sequence &s : l->sequences)
        if (s.sampler)
            llama_sampler_free(s.sampler);
    if (l->batch.token)
        llama_batch_free(l->batch);
    if (l->vision)
        mtmd_free(l->vision);
    if (l->context)
        llama_free(l->context);
    if (l->model)
        llama_model_free(l->model);
    delete l;
}

df_llama_ask *df_llama_ask_make(const df_llama *l, const df_llama_message *messages, size_t n,
                                const df_llama_picture *picture, char *why)
{
    df_llama_ask *ask = new (std::nothrow) df_llama_ask;
    const bool seen = picture && picture->rgb && l->vision;
    if (ask && guarded(why, [&] {
            const std::string text = render(*l, messages, n, seen);
            if (seen)
                tokenize_picture(*l, *ask, text, *picture);
            else
                tokenize_text(*l, *ask, text);
        }))
        return ask;
    df_llama_ask_free(ask);
    return nullptr;
}

int32_t df_llama_ask_tokens(const df_llama_ask *ask)
{
    return ask->n_tokens;
}

void df_llama_ask_free(df_llama_ask *ask)
{
    if (ask && ask->chunks)
        mtmd_input_chunks_free(ask->chunks);
    delete ask;
}

bool df_llama_start(df_llama *l, int32_t seq, const df_llama_ask *ask, const df_llama_sampling *sampling, char *why)
{
    sequence &s = l->sequences[static_cast<size_t>(seq)];
    s.n_past = 0;
    s.sampler = make_sampler(*sampling);
    const bool read = ask->chunks ? mtmd_helper_eval_chunks(l->vision, l->context, ask->chunks, 0, seq, l->n_batch, true,
                                                            &s.n_past) == 0
                                  : read_text(*l, seq, ask->tokens, s.n_past);
    if (read) {
        s.token = llama_sampler_sample(s.sampler, l->context, -1);
        return true;
    }
    say(why, "the prompt cannot be computed");
    df_llama_end(l, seq);
    return false;
}

bool df_llama_step(df_llama *l, const int32_t *seqs, size_t n, char *why)
{
    llama_batch &batch = l->batch;
    for (size_t i = 0; i < n; i++) {
        const sequence &s = l->sequences[static_cast<size_t>(seqs[i])];
        batch.token[i] = s.token;
        batch.pos[i] = s.n_past;
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = seqs[i];
        batch.logits[i] = true;
    }
    batch.n_tokens = static_cast<int32_t>(n);
    if (llama_decode(l->context, batch) != 0) {
        say(why, "the next token cannot be computed");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        sequence &s = l->sequences[static_cast<size_t>(seqs[i])];
        s.n_past++;
        s.token = llama_sampler_sample(s.sampler, l->context, static_cast<int32_t>(i));
    }
    return true;
}

int32_t df_llama_piece(const df_llama *l, int32_t seq, char *out, size_t size)
{
    const llama_token token = l->sequences[static_cast<size_t>(seq)].token;
    if (llama_vocab_is_eog(l->vocab, token))
        return -1;
    const int32_t n = llama_token_to_piece(l->vocab, token, out, static_cast<int32_t>(size), 0, false);
    return n < 0 ? 0 : n;                     // no token of any model is longer than the buffers here
}

void df_llama_end(df_llama *l, int32_t seq)
{
    sequence &s = l->sequences[static_cast<size_t>(seq)];
    llama_memory_seq_rm(llama_get_memory(l->context), seq, -1, -1);
    if (s.sampler)
        llama_sampler_free(s.sampler);
    s = {};
}
