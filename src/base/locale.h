/* While the library works, numbers, letters and the order of names are those of the "C" locale,
 * whatever locale the program around it has set: "0.5" is a half, and the same input gives the same
 * bytes. A locale belongs to a thread, so every function of densefusion.h that does any work enters
 * it, and so does every thread that the library starts. */
#ifndef DF_BASE_LOCALE_H
#define DF_BASE_LOCALE_H
#include <locale.h>

/* Sets the calling thread's locale. Returns what df_locale_leave restores. */
locale_t df_locale_enter(void);
void df_locale_leave(locale_t before);
#endif
