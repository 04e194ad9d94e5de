/* A dataset of which a fuzzer makes one file. */
#ifndef DF_FUZZ_OWN_FOLDER_H
#define DF_FUZZ_OWN_FOLDER_H
#include <stddef.h>
#include <stdint.h>
#include "dataset/dataset.h"

/* A new folder below $TMPDIR or /tmp that is a dataset, the same one in every call. */
const char *own_folder(void);
/* Gives its file `name` these bytes, as if an earlier run had written them. */
void own_file(const char *name, const uint8_t *bytes, size_t size);
#endif
