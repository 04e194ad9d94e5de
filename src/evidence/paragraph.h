/* Joins the lines of a paragraph into one text, and recognises where paragraphs begin and end. */
#ifndef DF_EVIDENCE_PARAGRAPH_H
#define DF_EVIDENCE_PARAGRAPH_H
#include <stdbool.h>
#include "base/str.h"
#include "evidence/evidence.h"

/* What is put between the end of a line and the next line of its paragraph. */
typedef enum {
    DF_JOIN_SPACE,
    /* nothing: both are in a script without spaces (Han, Thai), or "2019-" "2021" */
    DF_JOIN_CLOSE,
    /* nothing, and the hyphen at the end of the line is dropped: "infor-" "mation" */
    DF_JOIN_WORD,
} df_join;
df_join df_lines_join(const char *line, const char *next);

/* Index of the first line from `from` on that is not of the same paragraph; from < n. */
int df_paragraph_end(const df_line *lines, int n, int from);
/* Appends lines [n] of one paragraph as one text of at most max_bytes, cut between characters. A
 * hyphen is only dropped between lines that followed each other when they were read (by `item`). */
void df_paragraph_append(const df_line *lines, int n, size_t max_bytes, df_str *out);

/* For code that looks for paragraphs. Text is UTF-8; bytes that are not count as letters of a
 * script with spaces. */
/* False when one text is in a script with spaces and the other in one without. */
bool df_same_script(const char *a, const char *b);
/* Whether the text ends with . ! ? : ; or the like, perhaps within quotes or brackets. */
bool df_ends_sentence(const char *text);
bool df_begins_item(const char *text); /* a bullet, "1." or "a)" before more text */
#endif
