/* Myers' bit-parallel approximate string matching (J. ACM 1999). */
#include "language/near_text.h"

#include <stdint.h>
#include <string.h>

enum { WORD = 64, SHORTEST = 6, BYTES_AN_EDIT = 6 };

bool df_text_holds_nearly(const char *text, const char *line)
{
    /* where[c]: positions of byte c in line; up, down: places where the column of the Levenshtein
     * matrix steps by +1, by -1 */
    uint64_t where[256] = {0}, up = UINT64_MAX, down = 0;
    int n = (int)strnlen(line, WORD), distance = n;
    if (n < SHORTEST)
        return false;
    for (int i = 0; i < n; i++)
        where[(unsigned char)line[i]] |= 1ull << i;
    const uint64_t last = 1ull << (n - 1);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        const uint64_t equal = where[*c], vertical = equal | down;
        const uint64_t diagonal = (((equal & up) + up) ^ up) | equal;
        uint64_t right = down | ~(diagonal | up), left = up & diagonal;
        distance += (right & last) != 0;
        distance -= (left & last) != 0;
        right <<= 1;
        left <<= 1;
        up = left | ~(vertical | right);
        down = right & vertical;
        if (distance <= n / BYTES_AN_EDIT)
            return true;
    }
    return false;
}
