/* Help texts, all made from the tables. */
#ifndef DF_CLI_HELP_H
#define DF_CLI_HELP_H
#include <stdio.h>
#include "command.h"

void help_all(FILE *to);
int help_command(const command *c);
int help_stage(const df_stage *stage);
/* "whole number from 1 to 50": the type and bounds of an option, in words. */
void help_bounds(const df_option *o, char *out, size_t size);
#endif
