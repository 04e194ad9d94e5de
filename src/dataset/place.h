/* Where an image is in a dataset, for ever: its part, and its row in that part. */
#ifndef DF_DATASET_PLACE_H
#define DF_DATASET_PLACE_H
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int32_t part;
    int64_t row; /* below 2^32 */
} df_place;

/* One integer, in the order of the dataset; the same in SQL, over rows of df_dataset_append_sql. */
int64_t df_place_pack(df_place place);
df_place df_place_unpack(int64_t packed);
#define DF_PLACE_SQL "((file_index::BIGINT << 32) + \"row\")"
/* SQL of the part and the row that a packed place holds. */
#define DF_PLACE_SQL_PART(packed) "(" packed ") >> 32"
#define DF_PLACE_SQL_ROW(packed) "(" packed ") & 4294967295"

/* "00000-000012": how an image is named outside the tables. */
enum { DF_PLACE_ID_MAX = 40 };
void df_place_print(df_place place, char id[DF_PLACE_ID_MAX]);
/* False: the text is no such name. */
bool df_place_parse(const char *id, df_place *out);
#endif
