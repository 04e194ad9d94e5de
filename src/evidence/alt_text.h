/* What a web page's alt-text is good for: names that no expert can see. Most alt-text is noise. */
#ifndef DF_EVIDENCE_ALT_TEXT_H
#define DF_EVIDENCE_ALT_TEXT_H
#include <stddef.h>
#include "language/nouns.h"

/* Writes to title[size] the noun phrase in `alt` that holds a proper name ("Photo of Mount Rainier
 * from Paradise | Flickr" -> "Mount Rainier from Paradise"), or "" when there is none: file names,
 * offers, lists of keywords, sentences, instructions and praise have none. Double quotes become
 * single ones. */
void df_alt_title(const char *alt, char *title, size_t size);
/* Whether the title names another animal or vehicle than `seen`, and does not name `seen`. */
bool df_alt_contradicts(const df_nouns *nouns, const char *title, const df_noun *seen);
#endif
