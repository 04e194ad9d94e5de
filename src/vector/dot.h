/* The dot product on which decisions rest. Its order of summation is fixed, so every machine gets
 * the same bits. */
#ifndef DF_VECTOR_DOT_H
#define DF_VECTOR_DOT_H

/* The dot product of a [d] and b [d]. */
float df_dot(const float *a, const float *b, int d);
/* |df_dot - the real sum| is at most this times |a| |b|. */
float df_dot_error(int d);
#endif
