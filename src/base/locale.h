/* Numbers, letters and the order of names are those of "C" while the library is at work, whatever
 * locale the program around it has set: "0.5" is a half, "TITLE" is "title", and the same input
 * gives the same bytes. A locale is a thread's own, so every function of densefusion.h that does
 * anything enters, and every thread that is started. */
#ifndef DF_BASE_LOCALE_H
#define DF_BASE_LOCALE_H
#include <locale.h>

/* For the calling thread alone. Returns what df_locale_leave puts back. */
locale_t df_locale_enter(void);
void df_locale_leave(locale_t before);
#endif
