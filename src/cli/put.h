/* The way to a terminal of all words that the program did not write itself: names of files, columns
 * and models, words of servers, libraries and model cards. None of them commands the terminal: see
 * df_printable. */
#ifndef DF_CLI_PUT_H
#define DF_CLI_PUT_H
#include <stdio.h>
#include "base/status.h"
#include "base/str.h"

/* What fmt makes is printable and stays in one line; put_line ends it. */
void put_words(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void put_line(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void put_text(FILE *to, const char *text, size_t n);
/* Prints JSON and a line break, and frees it. In its strings such characters are \u001b: a program
 * reads the same values. DF_NOMEM, with nothing printed, when an append to it failed. */
df_status put_json(df_str *json, df_error *err);
#endif
