/* JSON: bounded text to a tree that is read, values appended to a string as JSON text. Foreign text
 * is the rule. */
#ifndef DF_IO_JSON_H
#define DF_IO_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "base/str.h"

/* the caller that parsed or made the root owns it; accessors return borrowed pointers */
typedef struct df_json df_json;
typedef enum {
    DF_JSON_NULL,
    DF_JSON_BOOL,
    DF_JSON_NUMBER,
    DF_JSON_TEXT,
    DF_JSON_LIST,
    DF_JSON_OBJECT
} df_json_type;

/* Any one JSON value of at most 1 GiB, UTF-8, depth <= 2048, the first of two equal keys is lost.
 * name: for the message. */
df_status df_json_parse(df_json **out, const char *text, size_t size, const char *name,
                        df_error *err);
void df_json_close(df_json *root);

/* NULL is taken everywhere as "not there", so that look-ups chain. */
df_json_type df_json_kind(const df_json *v);
const df_json *df_json_member(const df_json *object, const char *key); /* NULL: none */
size_t df_json_count(const df_json *v); /* items of a list, members of an object, else 0 */
/* NULL beyond the end */
const df_json *df_json_item(const df_json *list, size_t i);
/* Members in the order of the text: start with *iter = NULL; NULL after the last. */
const df_json *df_json_next(const df_json *object, void **iter, const char **key);
/* NULL when it is not text */
const char *df_json_text(const df_json *v);
double df_json_real(const df_json *v, double missing);
/* `missing` for fractions and beyond 2^53 too */
int64_t df_json_int(const df_json *v, int64_t missing);
bool df_json_bool(const df_json *v, bool missing);

/* Trees to change and keep in a file. Set takes the value over, also when it fails (value NULL:
 * fails). */
/* NULL: out of memory */
df_json *df_json_new_object(void);
/* NULL: out of memory or not UTF-8 */
df_json *df_json_new_text(const char *text);
bool df_json_set(df_json *object, const char *key, df_json *value);
/* the member to be changed; borrowed; NULL: none */
df_json *df_json_edit(df_json *object, const char *key);
/* false: was not there */
bool df_json_remove(df_json *object, const char *key);
/* two spaces, keys sorted; caller frees */
char *df_json_pretty(const df_json *v);

/* Appends a quoted JSON string. Bad UTF-8 becomes U+FFFD; no output can end or open a script
 * element or comment. */
void df_json_append_text(df_str *out, const char *text);
void df_json_append_text_n(df_str *out, const char *text, size_t n);
/* shortest that reads back; null when not finite */
void df_json_append_real(df_str *out, double v);
/* a whole tree on one line */
void df_json_append(df_str *out, const df_json *v);
#endif
