#include "base/locale.h"

/* glibc's and musl's "C" is an object that always exists: nothing is allocated, nothing can fail,
 * nothing is freed. */
locale_t df_locale_enter(void)
{
    return uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
}

void df_locale_leave(locale_t before)
{
    uselocale(before);
}
