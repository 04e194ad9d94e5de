/* dataset.json as somebody may have damaged it: refused, or read and written back with what it
 * said. */
#include <stdlib.h>
#include <string.h>
#include "own_folder.h"

static void use(df_dataset *ds)
{
    char *made = NULL;
    if (!df_dataset_input(ds) || df_dataset_parts(ds) != 0)
        abort();
    if (df_dataset_stage_made(ds, "look", &made, NULL) == DF_OK)
        free(made);
    if (df_dataset_stage_commit(ds, "filter", "a\nb\n", NULL) != DF_OK ||
        df_dataset_stage_made(ds, "filter", &made, NULL) != DF_OK || strcmp(made, "a\nb\n") != 0)
        abort();
    free(made);
    if (df_dataset_stage_reset(ds, "filter", NULL) != DF_OK ||
        df_dataset_stage_made(ds, "filter", &made, NULL) != DF_OK || made)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    df_dataset *ds = NULL;
    df_error err = {""};
    own_file("dataset.json", bytes, size);
    const df_status status = df_dataset_open(&ds, own_folder(), &err);
    if (status != DF_OK && !err.message[0])
        abort();
    if (status == DF_OK)
        use(ds);
    df_dataset_close(ds);
    return 0;
}
