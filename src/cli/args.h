/* Command-line arguments: the flags of all commands, and --section.key=value for every option of
 * every stage. */
#ifndef DF_CLI_ARGS_H
#define DF_CLI_ARGS_H
#include <stdbool.h>
#include "base/str.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_STOPPED = 3 };

typedef enum {
    FLAG_HELP = 1,
    FLAG_OUT = 2,
    FLAG_FROM = 4,
    FLAG_TO = 8,
    FLAG_DRY_RUN = 16,
    FLAG_JOBS = 32,
    FLAG_PARTS = 64,
    FLAG_JSON = 128,
    FLAG_VERIFY = 256,
    FLAG_MODELS = 512,
    FLAG_SHARE = 1024,
    FLAG_SKIP = 2048,
    FLAG_PROVIDER = 8192,
    FLAG_MODEL_THREADS = 16384,
    FLAG_INSTALL_FROM = 32768,
    FLAG_TRUST = 65536,
    FLAG_SETTINGS = 4096, /* --section.key=value */
} flag_id;

enum { PARTS_MAX = 100000 };
/* key: the setting that a flag stands for. */
typedef struct {
    flag_id id;
    char letter;
    const char *name, *value, *key, *help;
} args_flag;
extern const args_flag args_flags[]; /* ends with {0} */

typedef struct {
    char *key;
    const char *value;
} setting;
typedef struct {
    const char **positional; /* [n_positional] */
    int n_positional;
    unsigned given; /* flag_id bits */
    const char *out, *from, *to, *config; /* config: a positional that ends in .yaml or .yml */
    int *parts, n_parts;
    setting *settings;
    int n_settings;
} args;

/* Parses the arguments. accepts: flag_id bits. section: the section of a --key=value without one,
 * or NULL. A mistake is reported on stderr and returns EXIT_USAGE; *out must be freed even then.
 * Values point into argv. */
int args_parse(args *out, int argc, char **argv, unsigned accepts, const char *section);
void args_free(args *a);
/* A flag as one types it: "-o, --out OUT". */
void args_flag_words(const args_flag *f, char *out, size_t size);
#endif
