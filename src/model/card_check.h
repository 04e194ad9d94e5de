/* What a model card must say to be used at all; what a decoder wants beyond that is in
 * expert/expert.c. */
#ifndef DF_MODEL_CARD_CHECK_H
#define DF_MODEL_CARD_CHECK_H
#include "model/card.h"

/* DF_CONFIG: "CARD: FIELD: what". */
df_status df_card_bad_field(const df_card *card, const char *field, const char *what,
                            df_error *err);
/* A file beside the card: a plain name, with no way out of the folder. */
bool df_card_plain_name(const char *name);
/* Fields that are missing, unknown words, numbers that do not fit each other: DF_CONFIG naming file
 * and field. */
df_status df_card_check_fields(const df_card *card, const char *name, df_error *err);
/* The fields `input`, `layout`, `width` and `height` of an image model against what its file
 * declares. */
df_status df_card_check_input(const df_card *card, const df_onnx *model, df_error *err);
#endif
