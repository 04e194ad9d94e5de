/* JSON: parses bounded text into a tree for reading, and appends values to a string as JSON text.
 * Text from outside is expected to be bad. */
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

/* Parses one JSON value of any type: at most 1 GiB, UTF-8, depth at most 2048. Of two equal keys
 * the last wins. name: for the message. df_json_close frees *out; NULL is fine. */
df_status df_json_parse(df_json **out, const char *text, size_t size, const char *name,
                        df_error *err);
void df_json_close(df_json *root);

/* Every accessor takes NULL as "not there", so that look-ups can be chained. */
df_json_type df_json_kind(const df_json *v);
const df_json *df_json_member(const df_json *object, const char *key); /* NULL: none */
size_t df_json_count(const df_json *v); /* items of a list, members of an object, else 0 */
/* NULL beyond the end */
const df_json *df_json_item(const df_json *list, size_t i);
/* Iterates over members in the order of the text: start with *iter = NULL; NULL after the last. */
const df_json *df_json_next(const df_json *object, void **iter, const char **key);
/* NULL when it is not text */
const char *df_json_text(const df_json *v);
double df_json_real(const df_json *v, double missing);
/* The whole number; `missing` for anything else, for fractions, and beyond 2^53. */
int64_t df_json_int(const df_json *v, int64_t missing);
bool df_json_bool(const df_json *v, bool missing);

/* Trees that can be changed. df_json_set takes the value over, also when it fails (as it does for a
 * value of NULL). */
/* NULL: out of memory */
df_json *df_json_new_object(void);
/* NULL: out of memory or not UTF-8 */
df_json *df_json_new_text(const char *text);
bool df_json_set(df_json *object, const char *key, df_json *value);
/* a member to be changed; borrowed; NULL: there is none */
df_json *df_json_edit(df_json *object, const char *key);
/* false: it was not there */
bool df_json_remove(df_json *object, const char *key);
/* indented by two spaces, keys sorted; the caller frees it; NULL: out of memory */
char *df_json_pretty(const df_json *v);

/* Appends a quoted JSON string. Invalid UTF-8 becomes U+FFFD. The text can neither open nor end a
 * script element or comment when it is pasted into a page. */
void df_json_append_text(df_str *out, const char *text);
void df_json_append_text_n(df_str *out, const char *text, size_t n);
/* The shortest decimal that reads back the same; null when not finite. */
void df_json_append_real(df_str *out, double v);
/* Appends a whole tree on one line. */
void df_json_append(df_str *out, const df_json *v);
#endif
