/* Prints text that the program did not write itself: names of files, columns and models, and words
 * of servers, libraries and model cards. Such text cannot send commands to the terminal
 * (df_printable). */
#ifndef DF_CLI_PUT_H
#define DF_CLI_PUT_H
#include <stdio.h>
#include "base/status.h"
#include "base/str.h"

/* The formatted text is made printable and stays in one line, which put_line ends. */
void put_words(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void put_line(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void put_text(FILE *to, const char *text, size_t n);
/* Prints JSON and a line break, and frees it. Unprintable characters in its strings are written as
 * \u001b, so a program reads the same values. DF_NOMEM, with nothing printed, when an append to it
 * has failed. */
df_status put_json(df_str *json, df_error *err);
#endif
