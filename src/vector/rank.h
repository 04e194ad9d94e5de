/* Which images of a cluster come first, and how many of each cluster make a given total. */
#ifndef DF_VECTOR_RANK_H
#define DF_VECTOR_RANK_H
#include <stdint.h>
#include "base/status.h"

/* order[n], written: the items by falling key; ties: the lower index. A key that is NaN comes
 * last. */
df_status df_rank_order(const double *key, int64_t n, int64_t *order, df_error *err);

/* Most different first (greedy k-center, Gonzalez 1985): order[0] is `first`; each next item is the
 * one with the smallest value of its largest dot product with those before it; ties: the lower
 * index. x: [n, dim] of unit length. Only the first n_wanted places are chosen so; the other items
 * follow in their own order. closest: [n] of working memory. O(n * n_wanted * dim). */
void df_rank_spread(const float *x, int64_t n, int dim, int64_t first, int64_t n_wanted,
                    float *closest, int64_t *order);

/* Water-filling. *quota is the largest number such that the sum of min(size, quota) over the
 * clusters is at most `total`. *rest is what is still missing from the total: that many of the
 * clusters with more than the quota give one more. When all sizes sum to no more than total, *quota
 * is the largest size and *rest is 0. */
void df_rank_quota(const int64_t *sizes, int64_t n_clusters, int64_t total, int64_t *quota,
                   int64_t *rest);
#endif
