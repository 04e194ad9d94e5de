#include "tables/caption.h"

static const df_column caption_columns[] = {
    [DF_CAPTION_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_CAPTION_CAPTION] = {"caption", DF_COLUMN_TEXT, "null when the engine refused"},
    [DF_CAPTION_ERROR] = {"error", DF_COLUMN_TEXT, "why there is none; null"},
    [DF_CAPTION_ENGINE] = {"engine", DF_COLUMN_TEXT,
                           "`compose` too where `caption.on_fail=compose` replaced what failed"},
    [DF_CAPTION_MODEL] = {"model", DF_COLUMN_TEXT, "what the engine calls its model"},
    [DF_CAPTION_FINISH] = {"finish", DF_COLUMN_TEXT, "why the text ended: stop, length, ..."},
    [DF_CAPTION_PROMPT_TOKENS] = {"prompt_tokens", DF_COLUMN_INT, "null when unknown"},
    [DF_CAPTION_COMPLETION_TOKENS] = {"completion_tokens", DF_COLUMN_INT, "null when unknown"},
    [DF_CAPTION_ATTEMPTS] = {"attempts", DF_COLUMN_INT, "times it was asked; null when unknown"},
    [DF_CAPTION_KEY] = {"key", DF_COLUMN_TEXT,
                        "of the request, by which the journal finds the answer again"},
    [DF_CAPTION_COLUMNS] = {0},
};
const df_table_type df_caption_table = {
    .name = "caption",
    .about = "one row per kept image",
    .per_image = true,
    .columns = caption_columns,
    .passed = "caption IS NOT NULL",
    .why = "coalesce(error, 'no caption')",
};

static const df_column caption_attempts_columns[] = {
    [DF_CAPTION_ATTEMPTS_ROW] = {"row", DF_COLUMN_INT, "row of ingest"},
    [DF_CAPTION_ATTEMPTS_ATTEMPT] = {"attempt", DF_COLUMN_INT, "1, 2, ..."},
    [DF_CAPTION_ATTEMPTS_CAPTION] = {"caption", DF_COLUMN_TEXT, "null when the engine refused"},
    [DF_CAPTION_ATTEMPTS_ERROR] = {"error", DF_COLUMN_TEXT, "why there is none; null"},
    [DF_CAPTION_ATTEMPTS_REASONS] =
        {"reasons", DF_COLUMN_TEXTS,
         "as in check; none when it passed, null when it was not judged"},
    [DF_CAPTION_ATTEMPTS_MODEL] = {"model", DF_COLUMN_TEXT, "as in caption"},
    [DF_CAPTION_ATTEMPTS_FINISH] = {"finish", DF_COLUMN_TEXT, "as in caption"},
    [DF_CAPTION_ATTEMPTS_PROMPT_TOKENS] = {"prompt_tokens", DF_COLUMN_INT, "null when unknown"},
    [DF_CAPTION_ATTEMPTS_CACHED_TOKENS] = {"cached_tokens", DF_COLUMN_INT, "of the prompt tokens"},
    [DF_CAPTION_ATTEMPTS_COMPLETION_TOKENS] = {"completion_tokens", DF_COLUMN_INT,
                                               "null when unknown"},
    [DF_CAPTION_ATTEMPTS_REQUESTS] = {"requests", DF_COLUMN_INT, "that it took, with retries"},
    [DF_CAPTION_ATTEMPTS_MS] = {"ms", DF_COLUMN_INT, "of the request that was answered"},
    [DF_CAPTION_ATTEMPTS_SERVER] = {"server", DF_COLUMN_TEXT, "that answered"},
    [DF_CAPTION_ATTEMPTS_SHORTENED] =
        {"shortened", DF_COLUMN_INT,
         "pieces of evidence left out because the context was too small"},
    [DF_CAPTION_ATTEMPTS_COLUMNS] = {0},
};
const df_table_type df_caption_attempts_table = {
    .name = "caption/attempts",
    .about = "every time of asking, of engines that are asked",
    .columns = caption_attempts_columns,
};
