/* Talk on stderr: a line of progress on a terminal, notes and errors everywhere. */
#ifndef DF_CLI_PROGRESS_H
#define DF_CLI_PROGRESS_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool terminal;                           /* stderr is one: draw progress */
    bool drawn;                              /* a progress line stands there now */
    char stage[256];
    char live[160];                          /* the second line: what the stage counts besides */
    int64_t first, done, total;              /* first: done when the stage was first heard of */
    double began_s, drew_s;
    int64_t n_notes;
    pthread_mutex_t lock;
} progress;

void progress_init(progress *p);
void progress_begin(void *ctx, const char *stage);
void progress_update(void *ctx, const char *stage, int64_t done, int64_t total);
void progress_live(void *ctx, const char *text);
void progress_note(void *ctx, const char *line);
/* leaves the cursor on a line of its own */
void progress_end(progress *p);
/* "34 s", "2:05", "1:02:03": for people. */
void progress_duration(double seconds, char *out, int size);
#endif
