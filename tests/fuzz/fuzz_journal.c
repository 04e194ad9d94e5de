/* A caption journal: whatever its lines are, a key has an answer of text or of words why not, and
 * what is appended is found by the next run. */
#include <stdlib.h>
#include "own_folder.h"
#include "stage/caption/journal.h"

static df_caption_journal *open_journal(const df_dataset *ds)
{
    df_caption_journal *j = NULL;
    df_error err = {""};
    if (df_caption_journal_open(&j, ds, 0, &err) != DF_OK && !err.message[0])
        abort();
    return j;
}

static bool find(const df_caption_journal *j, const char *key)
{
    df_arena arena = {0};
    df_caption answer = {0};
    bool found = false;
    if (df_caption_journal_find(j, key, &arena, &answer, &found, NULL) != DF_OK)
        abort();
    if (found && !answer.text && !answer.error)
        abort();
    df_arena_reset(&arena);
    return found;
}

static void use(const df_dataset *ds)
{
    const df_caption_entry entry = {.key = "new", .asked = "m"};
    const df_caption answer = {.text = "A horse.", .model = "m", .finish = "stop"};
    df_caption_journal *j = open_journal(ds);
    if (!j)
        return;
    find(j, "key");
    df_caption_journal_failed(j, "key");
    if (df_caption_journal_keep(j, &entry, &answer, NULL) != DF_OK)
        abort();
    df_caption_journal_close(j);
    j = open_journal(ds);
    if (!j || !find(j, "new"))
        abort();
    df_caption_journal_close(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static df_dataset *ds;
    if (!ds && df_dataset_open(&ds, own_folder(), NULL) != DF_OK)
        abort();
    df_caption_journal *j = open_journal(ds);        /* the file is ours */
    df_caption_journal_close(j);
    own_file("caption/part-00000.journal", bytes, size);
    use(ds);
    return 0;
}
