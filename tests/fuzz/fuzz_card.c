/* A model card that somebody wrote: refused in one line, or a card within its bounds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "model/card.h"
#include "own_folder.h"

static void use(const df_card *card)
{
    df_str out = {0};
    char *path = df_card_model_path(card);
    if (!path || !card->name || !card->task || card->n_labels < 0)
        abort();
    for (int i = 0; i < card->n_labels; i++)
        if (card->label[i] && !df_str_is_plain(card->label[i], strlen(card->label[i])))
            abort();
    for (int i = 0; i < card->n_extra; i++)
        df_card_number(card, card->extra[i].key, 0);
    free(path);
    df_str_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    df_card *card = NULL;
    df_str missing = {0};
    df_error err = {""};
    own_file("card.yaml", bytes, size);
    own_file("labels.txt", bytes, size);
    if (df_card_open(&card, own_folder(), "card", false, &err) == DF_OK)
        use(card);
    else if (!err.message[0] || strchr(err.message, '\n'))
        abort();
    df_card_close(card);
    card = NULL;
    df_card_survey(&card, own_folder(), "card", &missing, NULL);
    df_str_free(&missing);
    df_card_close(card);
    return 0;
}
