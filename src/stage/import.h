/* What `tag`, `detect` and `read` share: evidence made elsewhere, beside that of their models. */
#ifndef DF_STAGE_IMPORT_H
/* The option that names it; the config has `char *from`. */
#define DF_IMPORT_OPTION(config) \
    {"from", DF_OPT_TEXT, offsetof(config, from), "", 0, 0, \
     "evidence made elsewhere, added to the models': a Parquet, CSV or JSONL file, a folder of them, another dataset"}
#endif
