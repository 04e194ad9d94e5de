/* Help texts, made from the tables of commands, flags and options. */
#ifndef DF_CLI_HELP_H
#define DF_CLI_HELP_H
#include <stdio.h>
#include "command.h"

void help_all(FILE *to);
int help_command(const command *c);
int help_stage(const df_stage *stage);
/* The type and bounds of an option in words, as "whole number from 1 to 50". */
void help_bounds(const df_option *o, char *out, size_t size);

/* Receives one table of options: its section, a line about it, and the table. */
typedef void help_put(const char *section, const char *about, const df_option *options);
/* Calls put for every section of the config file, in the order of the stages. */
void help_each_section(help_put *put);
/* Calls put for every command that has options of its own. */
void help_each_command(help_put *put);
#endif
