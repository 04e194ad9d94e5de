#include "engine/openai_request.h"

#include <stdlib.h>

#include "io/json.h"

static void append_base64(df_str *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t v = (uint32_t)bytes[i] << 16 | (n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (n > 2 ? bytes[i + 2] : 0);
        char four[4] = {digits[v >> 18], digits[v >> 12 & 63], n > 1 ? digits[v >> 6 & 63] : '=', n > 2 ? digits[v & 63] : '='};
        df_str_append_n(out, four, sizeof four);
    }
}

static df_status append_image(const df_engine_config *config, const df_image *image, df_str *body, df_error *err)
{
    df_image small = {0};
    int side = (int)config->image_side, longer = image->width > image->height ? image->width : image->height;
    if (longer > side) {
        int w = image->width * side / longer, h = image->height * side / longer;
        DF_TRY(df_image_resize(image, w > 0 ? w : 1, h > 0 ? h : 1, &small, err));
    }
    uint8_t *jpeg = NULL;
    size_t size = 0;
    df_status status = df_image_encode_jpeg(small.rgb ? &small : image, (int)config->image_quality, &jpeg, &size, err);
    df_image_free(&small);
    if (status != DF_OK)
        return status;
    df_str_append(body, ",{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/jpeg;base64,");
    append_base64(body, jpeg, size);
    df_str_append(body, "\"}}");
    free(jpeg);
    return DF_OK;
}

static void append_turn(const df_turn *turn, df_str *body)
{
    df_str_append(body, ",{\"role\":\"assistant\",\"content\":");
    df_json_append_text(body, turn->answer);
    df_str_append(body, "},{\"role\":\"user\",\"content\":");
    df_json_append_text(body, turn->reply);
    df_str_append(body, "}");
}

df_status df_openai_request_append(const df_engine_config *config, const df_caption_request *request, df_str *body,
                                   df_error *err)
{
    df_str_append(body, "{\"model\":");
    df_json_append_text(body, config->model && *config->model ? config->model : "default");
    df_str_printf(body, ",\"max_tokens\":%lld,\"seed\":%lld,\"temperature\":", (long long)config->max_tokens,
                  (long long)config->seed);
    df_json_append_real(body, config->temperature);
    df_str_append(body, ",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":");
    df_json_append_text(body, request->prompt);
    df_str_append(body, "}");
    if (request->image)
        DF_TRY(append_image(config, request->image, body, err));
    df_str_append(body, "]}");
    for (int i = 0; i < request->n_turns; i++)
        append_turn(&request->turns[i], body);
    df_str_append(body, "]}");
    return body->failed ? df_fail(err, DF_NOMEM, "write a request: out of memory") : DF_OK;
}
