#include "engine/openai_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { KEY_BYTES_MAX = 4096 };

df_status df_openai_key_read(const char *file, char **key, df_error *err)
{
    const char *found = getenv("OPENAI_API_KEY");
    char *text = NULL;
    size_t size;
    *key = NULL;
    if (file && *file) {
        DF_TRY(df_file_read(file, KEY_BYTES_MAX, &text, &size, err));
        found = text;
    }
    const bool there = found && *found;
    *key = there ? strndup(found, strcspn(found, " \t\r\n")) : NULL;
    free(text);
    return *key || !there ? DF_OK : df_fail(err, DF_NOMEM, "read the API key: out of memory");
}
