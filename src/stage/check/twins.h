/* Captions that several different images have: a server that mixes up its answers gives itself away
 * by them. */
#ifndef DF_STAGE_CHECK_TWINS_H
#define DF_STAGE_CHECK_TWINS_H
#include "dataset/dataset.h"

typedef struct {
    uint64_t *captions;
    int64_t n;
} df_twins; /* hashes, rising */

/* Looks at all captions of the dataset but those of `compose`, whose words follow from few facts.
 * Letters and digits count, in any case; texts below 20 bytes are nobody's. 16 bytes a caption
 * while it looks. */
df_status df_twins_find(df_twins *out, const df_dataset *ds, df_error *err);
void df_twins_free(df_twins *twins);
bool df_twins_has(const df_twins *twins, const char *caption);
#endif
