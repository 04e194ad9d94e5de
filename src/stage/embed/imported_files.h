/* The files of vectors made elsewhere, of any kind: only imported*.c include this. */
#ifndef DF_STAGE_EMBED_IMPORTED_FILES_H
#define DF_STAGE_EMBED_IMPORTED_FILES_H
#include "io/npy.h"
#include "stage/embed/imported.h"

typedef struct {
    /* metadata: the Parquet file that names the owners; may not exist */
    char *path, *metadata;
    df_npy_shape shape;
    int64_t first;                           /* index of its first vector */
} df_imported_file;

typedef struct {
    df_imported_file *files;
    int n;
} df_imported_files;

/* The folder's files in natural order: .npy if there are any, else .npz, else .parquet; with
 * img_emb/ and metadata/ below it (clip-retrieval), those of these. Shapes are not read yet. */
df_status df_imported_list(const char *folder, df_imported_files *out, df_error *err);
void df_imported_files_free(df_imported_files *files);
df_status df_imported_shape(df_imported_file *file, const char *field, df_error *err);

/* Rows of one file at hand: an open .npy, or values in memory. All-zero is empty. */
typedef struct {
    const df_imported_file *file;
    int64_t first, n;
    df_npy *npy;
    uint8_t *bytes;
    size_t offset;           /* the values begin there */
} df_imported_rows;
df_status df_imported_load(df_imported_rows *rows, const df_imported_file *file, const char *field,
                           int64_t row, df_error *err);
void df_imported_unload(df_imported_rows *rows);
/* bytes: room for a row. */
df_status df_imported_row(const df_imported_rows *rows, int64_t row, void *bytes, df_error *err);
#endif
