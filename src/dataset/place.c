#include "dataset/place.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t ROWS_MAX = (int64_t)1 << 32;

int64_t df_place_pack(df_place place)
{
    assert(place.part >= 0 && place.row >= 0 && place.row < ROWS_MAX);
    return (int64_t)place.part * ROWS_MAX + place.row;
}

df_place df_place_unpack(int64_t packed)
{
    assert(packed >= 0);
    return (df_place){(int32_t)(packed >> 32), packed & (ROWS_MAX - 1)};
}

void df_place_print(df_place place, char id[DF_PLACE_ID_MAX])
{
    snprintf(id, DF_PLACE_ID_MAX, "%05d-%06lld", (int)place.part, (long long)place.row);
}

bool df_place_parse(const char *id, df_place *out)
{
    char *end;
    if (!isdigit((unsigned char)id[0]))
        return false;
    errno = 0;
    const long part = strtol(id, &end, 10);
    if (errno || *end != '-' || !isdigit((unsigned char)end[1]) || part > INT32_MAX)
        return false;
    const long long row = strtoll(end + 1, &end, 10);
    if (errno || *end || row >= ROWS_MAX)
        return false;
    *out = (df_place){(int32_t)part, row};
    return true;
}
