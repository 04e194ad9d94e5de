/* The pictures that models and the official code were shown, for the tests that compare the two. */
#ifndef PICTURES_H
#define PICTURES_H
#include "base/file.h"
#include "image/image.h"

enum { WIDTH = 96, HEIGHT = 64 }; /* of picture() */

/* A file of the source tree; the path stands until the next call. */
static inline const char *source(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", getenv("DF_SOURCE_DIR"), name);
    return path;
}

static inline df_image photograph(void)
{
    char *bytes;
    size_t size;
    df_image image = {0};
    assert_int_equal(df_file_read(source("samples/budgerigar.jpg"), 1 << 24, &bytes, &size, NULL),
                     DF_OK);
    assert_int_equal(df_image_decode((const uint8_t *)bytes, size, 2048, &image, NULL), DF_OK);
    free(bytes);
    return image;
}

/* A small one, as pixels. */
static inline df_image picture(void)
{
    char *bytes;
    size_t size;
    assert_int_equal(
        df_file_read(source("tests/oracle/open/picture.rgb"), 1 << 20, &bytes, &size, NULL), DF_OK);
    assert_int_equal(size, WIDTH * HEIGHT * 3);
    return (df_image){WIDTH, HEIGHT, WIDTH, HEIGHT, (uint8_t *)bytes};
}
#endif
