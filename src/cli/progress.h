/* What the program says on stderr: on a terminal a line of progress, and everywhere notes and
 * errors. */
#ifndef DF_CLI_PROGRESS_H
#define DF_CLI_PROGRESS_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool terminal;                           /* stderr is a terminal, so progress is drawn */
    bool drawn;                              /* a progress line is on the screen */
    char stage[256];
    char live[160];                          /* the second line: what else the stage counts */
    int64_t first, done, total;              /* first: value of done at the first update */
    double began_s, drew_s;
    int64_t n_notes;
    pthread_mutex_t lock;
} progress;

void progress_init(progress *p);
/* These four are callbacks of a job; ctx is the progress. */
void progress_begin(void *ctx, const char *stage);
void progress_update(void *ctx, const char *stage, int64_t done, int64_t total);
void progress_live(void *ctx, const char *text);
void progress_note(void *ctx, const char *line);
/* Ends the progress line; the cursor is then on a line of its own. */
void progress_end(progress *p);
/* Writes a duration for people: "34 s", "2:05", "1:02:03". */
void progress_duration(double seconds, char *out, int size);
#endif
