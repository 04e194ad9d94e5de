/* A dataset is a folder; each stage owns a sub-folder of parts. A df_place names an image for
 * ever. */
#ifndef DF_DATASET_DATASET_H
#define DF_DATASET_DATASET_H
#include "base/folder.h"
#include "base/str.h"
#include "dataset/place.h"
#include "dataset/table.h"

typedef struct df_dataset df_dataset;
/* DF_CONFIG when there is none */
df_status df_dataset_open(df_dataset **out, const char *folder, df_error *err);
/* Opens a dataset, or makes one in a new or empty folder; as df_folder_create. */
df_status df_dataset_create(df_dataset **out, const char *folder, df_error *err);
df_status df_dataset_is_one(const char *folder, bool *is_one, df_error *err);
void df_dataset_close(df_dataset *ds);
const char *df_dataset_folder(const df_dataset *ds);
/* by which all that is written here is written */
df_folder *df_dataset_files(const df_dataset *ds);
/* Parts of ingest: 0 before ingest ran. Counted when the dataset is opened. */
int df_dataset_parts(const df_dataset *ds);
/* FOLDER/STAGE/part-00000.EXT; caller frees. NULL when out of memory. */
char *df_dataset_part_path(const df_dataset *ds, const char *stage, int part,
                           const char *extension);
/* its .parquet exists */
bool df_dataset_has_part(const df_dataset *ds, const char *stage, int part);
/* every part, and there is one */
bool df_dataset_has_all(const df_dataset *ds, const char *stage);
/* A part of a table. DF_FORMAT when its columns are not those of the type. */
df_status df_dataset_read(const df_dataset *ds, const df_table_type *type, int part, df_table **out,
                          df_error *err);
df_status df_dataset_write(const df_dataset *ds, const char *stage, int part, const df_table *t,
                           df_error *err);
df_status df_dataset_write_table(const df_dataset *ds, const char *name, const df_table *t,
                                 df_error *err);

/* Runs a statement for its effect, e.g. COPY ... TO. What memory does not hold goes to the
 * dataset's working folder. */
df_status df_dataset_run_sql(const df_dataset *ds, const char *sql, df_error *err);
/* Rows of a stage's parts for which an SQL condition holds ("true": all), cumulated: *first is
 * [parts + 1], malloc'ed, caller frees; one query over all parts, which must be there. */
df_status df_dataset_count(const df_dataset *ds, const char *stage, const char *where,
                           int64_t **first, df_error *err);
/* Appends "read_parquet([...])" over all parts of a stage, of which each must exist: its file_index
 * is the part. A part that lacks: DF_CONFIG. */
df_status df_dataset_append_sql(const df_dataset *ds, const char *stage, df_str *sql,
                                df_error *err);

/* What ingest passed over, by reason: a table reason, n, the most frequent first. *out stays NULL
 * when there is none. */
df_status df_dataset_skipped(const df_dataset *ds, df_table **out, df_error *err);

/* dataset.json: the input (absolute path) and what made each stage's output: a fingerprint, the
 * text of its options, model hashes and the fingerprints of the stages it reads. It is written
 * before a stage's first part, so that a part found later is known to be of that making. */
const char *df_dataset_input(const df_dataset *ds); /* "" before ingest ran */
df_status df_dataset_set_input(df_dataset *ds, const char *path, df_error *err);
/* its fingerprint; caller frees; NULL: it never ran */
df_status df_dataset_stage_made(const df_dataset *ds, const char *stage, char **made,
                                df_error *err);
df_status df_dataset_stage_commit(df_dataset *ds, const char *stage, const char *fingerprint,
                                  df_error *err);
/* removes a stale stage's parts; journals stay */
df_status df_dataset_stage_reset(df_dataset *ds, const char *stage, df_error *err);
#endif
