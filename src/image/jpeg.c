/* Decodes and encodes JPEG by libjpeg-turbo. Decodes in full or at 1/2, 1/4, 1/8 by DCT scaling; at
 * 5/8 to 7/8 libjpeg-turbo has no vector code and takes longer than in full. A file that ends early
 * is an error; libjpeg would only warn and paint the rest grey. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>
#include <jerror.h>
#include "image/codec.h"

/* A file of a few kilobytes can ask for thousands of passes over every pixel. Photographs have
 * about ten. */
enum { SCANS_MAX = 500 }; /* for an image of any size */
#define PIXEL_PASSES_MAX (20.0 * DF_IMAGE_PIXELS_MAX)

typedef struct {
    struct jpeg_error_mgr base; /* must be first, since libjpeg hands out a pointer to it */
    jmp_buf on_error;
    df_error *err;
    df_status no_memory; /* the status for libjpeg's own "out of memory" */
    df_status status;
} error_trap;

typedef struct {
    struct jpeg_decompress_struct cinfo;
    struct jpeg_progress_mgr progress;
    error_trap trap;
    df_image image;
    uint8_t *cmyk; /* one row; NULL unless the file has four colours */
} decoder;

static void trap_error(j_common_ptr cinfo)
{
    error_trap *trap = (error_trap *)cinfo->err;
    char message[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, message);
    const bool no_memory = cinfo->err->msg_code == JERR_OUT_OF_MEMORY;
    trap->status = df_fail(trap->err, no_memory ? trap->no_memory : DF_FORMAT, "jpeg: %s", message);
    longjmp(trap->on_error, 1);
}

static void trap_message(j_common_ptr cinfo, int level)
{
    int code = cinfo->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) {
        error_trap *trap = (error_trap *)cinfo->err;
        trap->status = df_fail(trap->err, DF_FORMAT, "jpeg: premature end of data");
        longjmp(trap->on_error, 1);
    }
}

/* Stops a progressive file with too many scans. libjpeg calls it as its progress monitor. */
static void limit_scans(j_common_ptr base)
{
    if (!base->is_decompressor)
        return;
    const struct jpeg_decompress_struct *cinfo = (j_decompress_ptr)base;
    double pixels = (double)cinfo->image_width * cinfo->image_height;
    if (cinfo->input_scan_number > SCANS_MAX ||
        pixels * cinfo->input_scan_number > PIXEL_PASSES_MAX) {
        error_trap *trap = (error_trap *)base->err;
        trap->status =
            df_fail(trap->err, DF_FORMAT, "jpeg: %d scans are too many", cinfo->input_scan_number);
        longjmp(trap->on_error, 1);
    }
}

static void trap_init(error_trap *trap, df_status no_memory, df_error *err)
{
    jpeg_std_error(&trap->base);
    trap->base.error_exit = trap_error;
    trap->base.emit_message = trap_message;
    trap->err = err;
    trap->no_memory = no_memory;
    trap->status = DF_OK;
}

/* Converts CMYK to RGB by r = (1 - c)(1 - k). Adobe writes four-colour JPEG inverted, so that 255
 * is no ink. */
static void cmyk_to_rgb(const uint8_t *cmyk, size_t n, bool inverted, uint8_t *rgb)
{
    for (size_t i = 0; i < n; i++) {
        unsigned key = inverted ? cmyk[4 * i + 3] : 255u - cmyk[4 * i + 3];
        for (size_t c = 0; c < 3; c++) {
            unsigned ink = inverted ? cmyk[4 * i + c] : 255u - cmyk[4 * i + c];
            rgb[3 * i + c] = (uint8_t)((ink * key + 127) / 255);
        }
    }
}

/* Reads the header and begins to decode; four components are CMYK. */
static df_status start(decoder *d, const uint8_t *bytes, size_t size, int reduction)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    jpeg_mem_src(cinfo, bytes, (unsigned long)size);
    jpeg_read_header(cinfo, TRUE);
    DF_TRY(df_image_check_size(cinfo->image_width, cinfo->image_height, d->trap.err));
    cinfo->scale_num = 1;
    cinfo->scale_denom = (unsigned)reduction;
    bool four = cinfo->num_components == 4;
    cinfo->out_color_space = four ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(cinfo);
    DF_TRY(df_image_alloc(cinfo->output_width, cinfo->output_height, &d->image, d->trap.err));
    d->image.full_width = (int)cinfo->image_width;
    d->image.full_height = (int)cinfo->image_height;
    if (four) {
        d->cmyk = malloc((size_t)d->image.width * 4);
        if (!d->cmyk)
            return df_no_memory(d->trap.err, "jpeg");
    }
    return DF_OK;
}

static void read_rows(decoder *d)
{
    struct jpeg_decompress_struct *cinfo = &d->cinfo;
    bool inverted = cinfo->saw_Adobe_marker;
    while (cinfo->output_scanline < cinfo->output_height) {
        uint8_t *to = d->image.rgb + (size_t)cinfo->output_scanline * (size_t)d->image.width * 3;
        JSAMPROW row = d->cmyk ? d->cmyk : to;
        jpeg_read_scanlines(cinfo, &row, 1);
        if (d->cmyk)
            cmyk_to_rgb(d->cmyk, (size_t)d->image.width, inverted, to);
    }
    jpeg_finish_decompress(cinfo);
}

df_status df_jpeg_decode(const uint8_t *bytes, size_t size, int reduction, df_image *out,
                         df_error *err)
{
    /* on the heap, since longjmp loses local variables that sit in registers */
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return df_no_memory(err, "jpeg");
    trap_init(&d->trap, DF_FORMAT, err);
    d->cinfo.err = &d->trap.base;
    if (setjmp(d->trap.on_error) == 0) {
        jpeg_create_decompress(&d->cinfo);
        d->progress.progress_monitor = limit_scans;
        d->cinfo.progress = &d->progress;
        d->trap.status = start(d, bytes, size, reduction);
        if (d->trap.status == DF_OK)
            read_rows(d);
    }
    df_status status = d->trap.status;
    jpeg_destroy_decompress(&d->cinfo);
    if (status == DF_OK)
        *out = d->image;
    else
        df_image_free(&d->image);
    free(d->cmyk);
    free(d);
    return status;
}

typedef struct {
    struct jpeg_compress_struct cinfo;
    error_trap trap;
    unsigned char *bytes;
    unsigned long size;
} encoder;

/* Encodes all rows. libjpeg jumps out of it where it fails. */
static void write_rows(encoder *e, const df_image *in, int quality)
{
    struct jpeg_compress_struct *cinfo = &e->cinfo;
    jpeg_mem_dest(cinfo, &e->bytes, &e->size);
    cinfo->image_width = (JDIMENSION)in->width;
    cinfo->image_height = (JDIMENSION)in->height;
    cinfo->input_components = 3;
    cinfo->in_color_space = JCS_RGB;
    jpeg_set_defaults(cinfo);
    jpeg_set_quality(cinfo, quality, TRUE);
    jpeg_start_compress(cinfo, TRUE);
    while (cinfo->next_scanline < cinfo->image_height) {
        JSAMPROW row = in->rgb + (size_t)cinfo->next_scanline * (size_t)in->width * 3;
        jpeg_write_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_compress(cinfo);
}

df_status df_image_encode_jpeg(const df_image *in, int quality, uint8_t **bytes, size_t *size,
                               df_error *err)
{
    encoder *e = calloc(1, sizeof *e);
    if (!e)
        return df_no_memory(err, "jpeg");
    trap_init(&e->trap, DF_NOMEM, err);
    e->cinfo.err = &e->trap.base;
    if (setjmp(e->trap.on_error) == 0) {
        jpeg_create_compress(&e->cinfo);
        write_rows(e, in, quality);
    }
    df_status status = e->trap.status;
    jpeg_destroy_compress(&e->cinfo);
    if (status == DF_OK) {
        *bytes = e->bytes;
        *size = e->size;
    } else {
        free(e->bytes);
    }
    free(e);
    return status;
}
