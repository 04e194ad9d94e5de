#include "stage/caption/image.h"
#include "tables/ingest.h"

#include <stdlib.h>

enum { DECODE_SIDE = 2048, PROMPT_BYTES = 64 << 10 };

df_status df_caption_gates_init(df_caption_gates *g, const df_caption_config *config, int n_threads,
                                df_error *err)
{
    if (!df_gate_init(&g->memory, config->in_flight_mib << 20))
        return df_no_memory(err, "caption");
    if (df_gate_init(&g->decoders, n_threads))
        return DF_OK;
    df_gate_free(&g->memory);
    return df_no_memory(err, "caption");
}

void df_caption_gates_free(df_caption_gates *g)
{
    df_gate_free(&g->memory);
    df_gate_free(&g->decoders);
}

static df_jpeg_budget budget_of(const df_caption_config *config)
{
    return (df_jpeg_budget){(int)config->shared.image_side, (int)config->image_quality,
                            (size_t)config->image_bytes};
}

df_status df_caption_image_encode(const df_caption_config *config, const df_image *image,
                                  uint8_t **jpeg, size_t *size, df_error *err)
{
    const df_jpeg_budget budget = budget_of(config);
    return df_image_encode_within(image, &budget, jpeg, size, err);
}

/* The file's bytes, and those of a request: its base64 in a string that grows by doubling. */
static int64_t bytes_of_request(int64_t image_size)
{
    return image_size * 4 + PROMPT_BYTES;
}

static int64_t whole(const df_table *t, int64_t row, int column, int64_t most)
{
    const int64_t v = df_table_int(t, row, column);
    return v < 0 ? 0 : v < most ? v : most;
}

/* What ingest saw of the file tells what it will take. */
static int64_t estimate(const df_engine_ops *ops, const df_caption_place *place)
{
    const int64_t size = whole(place->ingest, place->row, DF_INGEST_SIZE, DF_SOURCE_BYTES_MAX);
    if (!ops->needs_pixels)
        return bytes_of_request(size);
    const int64_t width = whole(place->ingest, place->row, DF_INGEST_WIDTH, DECODE_SIDE);
    return size + 3 * width * whole(place->ingest, place->row, DF_INGEST_HEIGHT, DECODE_SIDE);
}

static df_status make_jpeg(df_caption_gates *g, const df_caption_config *config,
                           const uint8_t *bytes, size_t size, df_caption_image *out, df_error *err)
{
    const df_jpeg_budget budget = budget_of(config);
    if (df_image_copy_jpeg(bytes, size, &budget, &out->jpeg, &out->jpeg_size))
        return DF_OK;
    df_image image = {0};
    df_gate_take(&g->decoders, 1);
    df_status status = df_image_decode(bytes, size, budget.side, &image, err);
    if (status == DF_OK)
        status = df_image_encode_within(&image, &budget, &out->jpeg, &out->jpeg_size, err);
    df_image_free(&image);
    df_gate_give(&g->decoders, 1);
    return status;
}

/* Reads the image and makes what the engine needs of it: pixels, or a JPEG within its budget. */
static df_status read_and_make(df_caption_gates *g, const df_caption_config *config,
                               const df_engine_ops *ops, const df_caption_place *place,
                               df_caption_image *out, df_error *err)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    DF_TRY(df_source_read(place->ds, place->ingest, place->row, &bytes, &size, err));
    df_status status = DF_OK;
    if (ops->needs_pixels) {
        df_gate_take(&g->decoders, 1);
        status = df_image_decode(bytes, size, DECODE_SIDE, &out->image, err);
        df_gate_give(&g->decoders, 1);
    } else {
        status = make_jpeg(g, config, bytes, size, out, err);
    }
    free(bytes);
    return status;
}

df_status df_caption_image_load(df_caption_gates *g, const df_caption_config *config,
                                const df_engine_ops *ops, const df_caption_place *place,
                                df_caption_image *out, df_error *err)
{
    if (!ops->needs_pixels && !ops->needs_jpeg)
        return DF_OK;
    out->held = estimate(ops, place);
    df_gate_take(&g->memory, out->held);
    df_status status = read_and_make(g, config, ops, place, out, err);
    const int64_t needed = bytes_of_request((int64_t)out->jpeg_size);
    if (status != DF_OK) {
        df_caption_image_free(g, out);
    /* what was read is larger than what is sent */
    } else if (ops->needs_jpeg && needed < out->held) {
        df_gate_give(&g->memory, out->held - needed);
        out->held = needed;
    }
    return status;
}

void df_caption_image_free(df_caption_gates *g, df_caption_image *image)
{
    df_image_free(&image->image);
    free(image->jpeg);
    if (image->held > 0)
        df_gate_give(&g->memory, image->held);
    *image = (df_caption_image){0};
}
