/* A draw of so many of the kept images, at random: every image has a ticket (a hash of the seed and
 * its path), and the lowest tickets are drawn. So a draw depends neither on threads nor on how the
 * dataset is cut into parts, and of one seed a larger draw holds every smaller one: what was paid
 * for stays in. */
#ifndef DF_STAGE_FUSE_DRAW_H
#define DF_STAGE_FUSE_DRAW_H
#include "dataset/dataset.h"

typedef struct {
    int64_t seed;
    uint64_t limit; /* the highest ticket that is drawn */
    int64_t n_kept, n_drawn;
} df_draw;

/* total images of those that every deciding stage among reads keeps, or all where there are fewer.
 * Looks at all parts; DF_CONFIG when a deciding stage has done only some. */
df_status df_draw_open(df_draw *out, const df_dataset *ds, const char *const *reads, int64_t total,
                       int64_t seed, df_error *err);
bool df_draw_takes(const df_draw *draw, const char *path);
#endif
