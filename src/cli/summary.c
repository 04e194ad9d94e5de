#include "summary.h"

#include <limits.h>
#include <stdio.h>

#include "base/file.h"

static void print_if_there(const char *folder, const char *name, const char *what)
{
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path && df_file_exists(path))
        printf("%-9s %s\n", what, path);
}

df_status summary_print(const char *folder, df_error *err)
{
    (void)err;
    print_if_there(folder, "captions.jsonl", "captions");
    print_if_there(folder, "report/index.html", "page");
    return DF_OK;
}
