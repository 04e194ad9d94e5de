/* Enters and leaves the "C" locale. */
#include "base/locale.h"

/* In glibc and musl, "C" is an object that always exists: nothing is allocated, can fail, or must
 * be freed. */
locale_t df_locale_enter(void)
{
    return uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
}

void df_locale_leave(locale_t before)
{
    uselocale(before);
}
