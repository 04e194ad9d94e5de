/* Options as a table of offsets into a struct. One table gives the parsing of configurations,
 * --help, the checks, the man page and the fingerprint. */
#ifndef DF_BASE_OPTION_H
#define DF_BASE_OPTION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"
#include "base/str.h"

/* The types int64_t, double, bool, char *. SECRET is text that may hold a key; nothing keeps more
 * of it than a hash. */
typedef enum { DF_OPT_INT, DF_OPT_REAL, DF_OPT_BOOL, DF_OPT_TEXT, DF_OPT_SECRET } df_option_type;
typedef struct {
    const char *name;
    df_option_type type;
    size_t offset;
    const char *initial;                 /* default as text; NULL for an unset text option */
    double min, max;                     /* numbers only */
    const char *help;                    /* one line; unit and source where there is one */
} df_option;                             /* a table ends with {0} */

/* A name that an option had in the version before. now: what it is called; NULL: it is gone. */
typedef struct {
    const char *old, *now;
} df_option_alias;                       /* a table ends with {0} */

/* Sets every option that has a default. config must be all-zero; df_options_free frees its texts.
 */
df_status df_options_defaults(const df_option *options, void *config, df_error *err);
/* NULL: there is none of that name. */
const df_option *df_option_find(const df_option *options, const char *name);
/* Sets one option from text. An unknown key, a wrong type or a value out of range is DF_CONFIG; the
 * message says section.key and the bounds, or the name that is most similar to the unknown one. */
df_status df_option_set(const df_option *options, void *config, const char *section,
                        const char *key, const char *value, df_error *err);
/* Appends "key=value\n" for each option, in the order of the table, except for the names in `aside`
 * (NULL-terminated; NULL: none). It is what a stage's fingerprint is made of. */
void df_options_describe(const df_option *options, const void *config, const char *const *aside,
                         df_str *out);
void df_options_free(const df_option *options, void *config);
/* Whether a name may be a slip for another: few letters differ. */
bool df_option_is_like(const char *name, const char *other);
#endif
