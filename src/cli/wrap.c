/* Breaks text into lines. */
#include "wrap.h"

#include <string.h>

#include "put.h"

void wrap_print(FILE *to, int indent, const char *text)
{
    enum { COLUMNS = 100 };
    int column = 0;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        const int n = (int)strcspn(text, " ");
        if (column > indent && column + 1 + n > COLUMNS) {
            fputc('\n', to);
            column = 0;
        }
        column += fprintf(to, "%*s", column ? 1 : indent, "") + n;
        put_text(to, text, (size_t)n);
        text += n;
    }
    fputc('\n', to);
}
