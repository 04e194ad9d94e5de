/* The rows of nouns.c: kept apart because they are data. */
#ifndef DF_LANGUAGE_NOUN_TABLE_H
#define DF_LANGUAGE_NOUN_TABLE_H
#include "language/nouns.h"
extern const df_noun df_noun_table[];
extern const size_t df_noun_table_size;
#define df_noun_table_size df_noun_table_size
#endif
