/* Prints text in lines of at most 100 columns. */
#ifndef DF_CLI_WRAP_H
#define DF_CLI_WRAP_H
#include <stdio.h>

/* Prints text broken at spaces, with every line indented. */
void wrap_print(FILE *to, int indent, const char *text);
#endif
