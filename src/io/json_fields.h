/* Takes a few named texts out of a JSON object, such as a sidecar file or a line of a list. */
#ifndef DF_IO_JSON_FIELDS_H
#define DF_IO_JSON_FIELDS_H
#include "base/arena.h"
#include "base/status.h"

/* names: a NULL-terminated list of keys, in order of preference; case is ignored. */
typedef struct {
    const char *const *names;
    const char *text;
} df_json_field;
/* Sets each field's text (in the arena; NULL when the object has none): a string, the first string
 * of a list, or a number. The array ends with {0}. name: for the message. DF_FORMAT when the bytes
 * are not one JSON object. */
df_status df_json_fields(const char *bytes, size_t size, const char *name, df_arena *arena,
                         df_json_field *fields, df_error *err);
#endif
