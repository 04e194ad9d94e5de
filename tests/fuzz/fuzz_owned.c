/* dataset.files, which says what may be deleted: what it does not claim is not ours, and a claim
 * that is added to any of it is heard. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/owned.h"
#include "memory_file.h"

static void claim(df_owned *o, const char *path, const char *name)
{
    if (df_owned_note(o, name, true, path, NULL) != DF_OK || !df_owned_has(o, name))
        abort();
    if (df_owned_refresh(o, path, NULL) != DF_OK || !df_owned_has(o, name))
        abort();
}

/* Whether a line "+ look" stands somewhere: else nothing claims that name. */
static bool may_claim(const uint8_t *bytes, size_t size)
{
    static const char line[] = "+ look\n";
    for (size_t i = 0; i + sizeof line - 1 <= size; i++)
        if (memcmp(bytes + i, line, sizeof line - 1) == 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    memory_file file = memory_file_open(bytes, size);
    const int fd = open(file.path, O_RDWR | O_APPEND | O_CLOEXEC);
    df_owned o;
    if (fd < 0)
        abort();
    if (df_owned_init(&o, fd, "files", NULL) == DF_OK) {
        if (df_owned_has(&o, "look") && !may_claim(bytes, size))
            abort();
        claim(&o, "files", "filter/part-00000.parquet");
        df_owned_free(&o);
    }
    memory_file_close(&file);
    return 0;
}
