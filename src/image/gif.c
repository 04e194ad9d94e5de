/* Decodes the first frame of a GIF onto a white canvas of the logical screen's size. */
#include <stdlib.h>
#include <string.h>
#include <gif_lib.h>
#include "image/codec.h"

typedef struct {
    const uint8_t *bytes;
    size_t left;
} source;

static int read_bytes(GifFileType *gif, GifByteType *to, int n)
{
    source *s = gif->UserData;
    size_t take = (size_t)n < s->left ? (size_t)n : s->left;
    if (take)
        memcpy(to, s->bytes, take);
    s->bytes += take;
    s->left -= take;
    return (int)take;
}

/* Reads up to the first image. *transparent: the transparent colour that its control block
 * names. */
static bool find_image(GifFileType *gif, int *transparent)
{
    GifRecordType type;
    while (DGifGetRecordType(gif, &type) == GIF_OK && type != TERMINATE_RECORD_TYPE) {
        if (type == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(gif) == GIF_OK;
        int code = 0;
        GifByteType *block = NULL;
        if (type != EXTENSION_RECORD_TYPE || DGifGetExtension(gif, &code, &block) != GIF_OK)
            return false;
        GraphicsControlBlock control;
        if (code == GRAPHICS_EXT_FUNC_CODE && block &&
            DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
            *transparent = control.TransparentColor;
        while (block)
            if (DGifGetExtensionNext(gif, &block) != GIF_OK)
                return false;
    }
    return false;
}

/* Paints a line of a frame onto the canvas, except where it is transparent. */
static void paint_line(const GifFileType *gif, const ColorMapObject *map, int transparent,
                       const GifPixelType *line, int y, df_image *canvas)
{
    const GifImageDesc *frame = &gif->Image;
    int top = frame->Top + y;
    if (top >= canvas->height)
        return;
    for (int x = 0; x < frame->Width && frame->Left + x < canvas->width; x++) {
        if (line[x] == transparent || line[x] >= map->ColorCount)
            continue;
        const GifColorType *color = &map->Colors[line[x]];
        uint8_t *to =
            canvas->rgb + ((size_t)top * (size_t)canvas->width + (size_t)(frame->Left + x)) * 3;
        to[0] = color->Red;
        to[1] = color->Green;
        to[2] = color->Blue;
    }
}

/* Paints the first frame; an interlaced one comes in four passes. */
static df_status paint(GifFileType *gif, int transparent, df_image *canvas, df_error *err)
{
    /* the four passes of an interlaced frame */
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const GifImageDesc *frame = &gif->Image;
    const ColorMapObject *map = frame->ColorMap ? frame->ColorMap : gif->SColorMap;
    if (!map)
        return df_fail(err, DF_FORMAT, "gif: no colour table");
    /* the frame may be larger than its canvas */
    DF_TRY(df_image_check_size(frame->Width, frame->Height, err));
    GifPixelType *line = malloc((size_t)frame->Width);
    if (!line)
        return df_no_memory(err, "gif");
    df_status status = DF_OK;
    for (int pass = 0; pass < (frame->Interlace ? 4 : 1) && status == DF_OK; pass++) {
        int step = frame->Interlace ? steps[pass] : 1;
        for (int y = starts[pass]; y < frame->Height && status == DF_OK; y += step) {
            if (DGifGetLine(gif, line, frame->Width) != GIF_OK)
                status = df_fail(err, DF_FORMAT, "gif: data is cut or damaged");
            else
                paint_line(gif, map, transparent, line, y, canvas);
        }
    }
    free(line);
    return status;
}

df_status df_gif_decode(const uint8_t *bytes, size_t size, df_image *out, df_error *err)
{
    source s = {bytes, size};
    df_image canvas = {0};
    int transparent = NO_TRANSPARENT_COLOR;
    GifFileType *gif = DGifOpen(&s, read_bytes, NULL);
    if (!gif)
        return df_fail(err, DF_FORMAT, "gif: data is cut or damaged");
    df_status status;
    if (!find_image(gif, &transparent))
        status = df_fail(err, DF_FORMAT, "gif: data is cut or holds no image");
    else
        status = df_image_alloc(gif->SWidth, gif->SHeight, &canvas, err);
    if (status == DF_OK) {
        memset(canvas.rgb, 255, (size_t)canvas.width * (size_t)canvas.height * 3);
        status = paint(gif, transparent, &canvas, err);
    }
    /* after a frame, a complete file has a frame, a comment or the trailer */
    GifRecordType next;
    if (status == DF_OK && DGifGetRecordType(gif, &next) != GIF_OK)
        status = df_fail(err, DF_FORMAT, "gif: data is cut");
    DGifCloseFile(gif, NULL);
    if (status != DF_OK) {
        df_image_free(&canvas);
        return status;
    }
    *out = canvas;
    return DF_OK;
}
