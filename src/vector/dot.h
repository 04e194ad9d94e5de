/* The dot product that decides: its order of summation is fixed, so that every machine gets the
 * same bits. */
#ifndef DF_VECTOR_DOT_H
#define DF_VECTOR_DOT_H

float df_dot(const float *a, const float *b, int d);
/* |df_dot - the real sum| is at most this times |a| |b|. */
float df_dot_error(int d);
#endif
