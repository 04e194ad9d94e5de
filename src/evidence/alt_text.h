/* What a web page's alt-text is good for: the names that no expert can see. Most
 * alt-text is noise. */
#ifndef DF_EVIDENCE_ALT_TEXT_H
#define DF_EVIDENCE_ALT_TEXT_H
#include <stddef.h>
#include "language/nouns.h"

/* The noun phrase with a proper name in alt ("Photo of Mount Rainier from Paradise | Flickr" ->
 * "Mount Rainier from Paradise"), or "" when there is none: file names, offers, lists of keywords,
 * sentences, instructions, praise. Double quotes become single ones. */
void df_alt_title(const char *alt, char *title, size_t size);
/* Whether it names another animal or vehicle and not the one that was seen. */
bool df_alt_contradicts(const df_nouns *nouns, const char *title, const df_noun *seen);
#endif
