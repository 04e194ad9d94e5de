/* Estimates how many tokens a language model makes of a text. */
#include "evidence/tokens.h"

#include <ctype.h>

int64_t df_tokens_estimate(const char *text)
{
    int64_t n = 0;
    for (const char *p = text; *p;) {
        const unsigned char c = (unsigned char)*p;
        const char *end = p + 1;
        if (isalpha(c) && c < 0x80) {
            while (isalpha((unsigned char)*end) && (unsigned char)*end < 0x80)
                end++;
            n += (end - p + 3) / 4;
        } else if (c >= 0x80) {
            while ((unsigned char)*end >= 0x80)
                end++;
            n += (end - p + 1) / 2;
        } else {
            n += c > ' ';
        }
        p = end;
    }
    return n;
}
