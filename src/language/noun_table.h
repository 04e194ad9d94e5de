/* The rows of the noun table that nouns.c searches, in a file of their own because they are
 * data. */
#ifndef DF_LANGUAGE_NOUN_TABLE_H
#define DF_LANGUAGE_NOUN_TABLE_H
#include "language/nouns.h"
extern const df_noun df_noun_table[];
extern const size_t df_noun_table_size;
#define df_noun_table_size df_noun_table_size
#endif
