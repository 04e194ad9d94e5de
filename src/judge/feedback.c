/* Advice for each fault that a verdict can find. */
#include "judge/feedback.h"

#include "base/str.h"

#include <string.h>

/* What to do about each code. %s is replaced by the verdict's words, which quote the caption. */
static const struct {
    const char *code, *advice;
} advices[] = {
    {"empty", "It is empty."},
    {"short", "It is too short: %s."},
    {"long", "It is too long: %s."},
    {"opening", "It begins with \"%s\": begin with what is there instead."},
    {"reasoning", "It says \"%s\": state what is visible, do not reason about it."},
    {"mood", "It says \"%s\": leave out mood and atmosphere."},
    {"speculation", "It says \"%s\": leave out what viewers may think or feel."},
    {"interpretation", "It says \"%s\": describe, do not interpret."},
    {"meta",
     "It says \"%s\": do not speak of the information that you were given, nor of yourself."},
    {"coordinates", "It gives coordinates (\"%s\"): say where things are in words."},
    {"markup", "It holds markup (\"%s\"): write one paragraph of plain text."},
    {"unfinished", "It breaks off at \"%s\": finish every sentence, and be shorter if need be."},
    {"repetition", "It repeats itself: %s."},
    {"quote", "It quotes text that is not there: %s."},
    {"invented", "It names what nothing confirms: %s. Leave it out unless it is plainly visible."},
    {"truncated", "It was cut off: %s. Be shorter."},
    {"duplicate", "It is word for word the description of another image."},
    {"language", "It is not in English: write English; quoted text keeps its language."},
    {"loop", "It goes in circles: %s."},
    {"text", "It leaves out visible text: %s."},
    {"objects", "It leaves out objects: %s."},
};

static const char *advice_for(const char *code)
{
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (strcmp(advices[i].code, code) == 0)
            return advices[i].advice;
    return "%s.";
}

static void append_advice(df_str *out, const df_finding *finding)
{
    const char *advice = advice_for(finding->code), *hole = strstr(advice, "%s");
    df_str_append(out, "- ");
    df_str_append_n(out, advice, hole ? (size_t)(hole - advice) : strlen(advice));
    if (hole) {
        df_str_append(out, finding->words);
        df_str_append(out, hole + 2);
    }
    df_str_append(out, "\n");
}

const char *df_feedback_text(const df_verdict *verdict, df_arena *arena)
{
    df_str text = {0};
    df_str_append(&text, "This description cannot be used:\n");
    for (int i = 0; i < verdict->n_findings; i++)
        append_advice(&text, &verdict->findings[i]);
    df_str_append(&text, "Write the whole description once more without these faults. Keep what "
                         "was right. Answer with the "
                         "description alone.");
    const char *copy = text.failed ? NULL : df_arena_strdup(arena, df_str_text(&text));
    df_str_free(&text);
    return copy;
}
