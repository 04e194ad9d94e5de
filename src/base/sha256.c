/* SHA-256 by OpenSSL. */
#include "base/sha256.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { CHUNK = 256 * 1024 };

static df_status digest_stream(FILE *file, const char *path, EVP_MD_CTX *context, df_error *err)
{
    unsigned char *chunk = malloc(CHUNK);
    if (!chunk || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        free(chunk);
        return df_no_memory(err, "hash %s", path);
    }
    for (size_t n; (n = fread(chunk, 1, CHUNK, file)) > 0;)
        EVP_DigestUpdate(context, chunk, n);
    free(chunk);
    return ferror(file) ? df_fail(err, DF_IO, "read %s: %s", path, strerror(errno)) : DF_OK;
}

df_status df_sha256_file(const char *path, char hex[DF_SHA256_HEX], df_error *err)
{
    FILE *file;
    DF_TRY(df_file_stream(path, &file, err));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    df_status status =
        context ? digest_stream(file, path, context, err) : df_no_memory(err, "hash %s", path);
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (status == DF_OK && EVP_DigestFinal_ex(context, digest, NULL) != 1)
        status = df_fail(err, DF_NOMEM, "hash %s: the SHA-256 digest failed", path);
    for (int i = 0; status == DF_OK && i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    EVP_MD_CTX_free(context);
    fclose(file);
    return status;
}
