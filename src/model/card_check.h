/* Checks what every model card must say. What a decoder needs beyond that is in expert/expert.c. */
#ifndef DF_MODEL_CARD_CHECK_H
#define DF_MODEL_CARD_CHECK_H
#include "model/card.h"

/* Returns DF_CONFIG with the message "CARD: FIELD: WHAT". */
df_status df_card_bad_field(const df_card *card, const char *field, const char *what,
                            df_error *err);
/* Whether a name is plain, so that it cannot lead out of the card's folder. */
bool df_card_plain_name(const char *name);
/* Checks for missing fields, unknown words, and numbers that do not fit each other. DF_CONFIG; the
 * message says file and field. */
df_status df_card_check_fields(const df_card *card, const char *name, df_error *err);
/* Checks the fields `input`, `layout`, `width` and `height` of an image model against what its file
 * declares. */
df_status df_card_check_input(const df_card *card, const df_onnx *model, df_error *err);
#endif
