#include "own_folder.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[PATH_MAX / 2];

static void must(bool good)
{
    if (!good)
        abort();
}

static void remove_all(void)
{
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    must(system(command) == 0);
}

const char *own_folder(void)
{
    const char *top = getenv("TMPDIR");
    df_dataset *ds = NULL;
    if (folder[0])
        return folder;
    snprintf(folder, sizeof folder, "%s/df-fuzz-XXXXXX", top ? top : "/tmp");
    must(mkdtemp(folder) != NULL);
    atexit(remove_all);
    must(df_dataset_create(&ds, folder, NULL) == DF_OK);
    must(df_dataset_set_input(ds, "/in", NULL) == DF_OK);
    df_dataset_close(ds);
    return folder;
}

void own_file(const char *name, const uint8_t *bytes, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", own_folder(), name);
    FILE *file = fopen(path, "wb");
    must(file && fwrite(bytes, 1, size, file) == size);
    must(fclose(file) == 0);
}
