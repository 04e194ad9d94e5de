/* Draws progress at most ten times a second, and limits the number of notes. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "put.h"

enum { NOTES_MAX = 20 };
static const double redraw_s = 0.1;

void progress_init(progress *p)
{
    *p = (progress){.terminal = isatty(STDERR_FILENO) == 1};
    pthread_mutex_init(&p->lock, NULL);
}

void progress_duration(double seconds, char *out, int size)
{
    long s = seconds < 0 ? 0 : seconds > 3.6e6 ? 3600000 : (long)(seconds + 0.5);
    if (s < 60)
        snprintf(out, (size_t)size, "%ld s", s);
    else if (s < 3600)
        snprintf(out, (size_t)size, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(out, (size_t)size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

static void erase(progress *p)
{
    if (p->drawn)
        fputs("\r\033[J", stderr);
    p->drawn = false;
}

static int terminal_width(void)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10;
    return known ? size.ws_col : 80;
}

/* Draws one or two lines. The cursor stays at the end of the first, so that other output begins
 * below it, on a terminal of any height. A line that wraps could not be erased, so both are cut at
 * the terminal's width. */
static void draw(progress *p, double now)
{
    df_str line = {0};
    char left[32] = "";
    const int width = terminal_width() - 1;
    double spent = now - p->began_s, rate = spent > 0 ? (double)(p->done - p->first) / spent : 0;
    df_str_printf(&line, "%s  %lld", p->stage, (long long)p->done);
    if (p->total > 0)
        df_str_printf(&line, " of %lld", (long long)p->total);
    if (rate > 0)
        df_str_printf(&line, "  %.*f/s", rate < 10 ? 1 : 0, rate);
    if (rate > 0 && p->total > p->done) {
        progress_duration((double)(p->total - p->done) / rate, left, sizeof left);
        df_str_printf(&line, "  %s to go", left);
    }
    fputs("\r\033[J", stderr);
    if (p->live[0]) {
        char live[sizeof p->live];
        df_printable(p->live, strlen(p->live), live,
                     width - 1 < (int)sizeof live ? (size_t)width - 1 : sizeof live);
        fprintf(stderr, "\n  %s\033[A\r", live);
    }
    fprintf(stderr, "%.*s", width, df_str_text(&line));
    fflush(stderr);
    df_str_free(&line);
    p->drawn = true;
    p->drew_s = now;
}

/* Replaces the progress line by what a finished stage leaves on the terminal. */
static void finish_stage(progress *p)
{
    erase(p);
    if (p->terminal && p->stage[0]) {
        char spent[32];
        progress_duration(df_now_s() - p->began_s, spent, sizeof spent);
        fprintf(stderr, "%s  %s%s%s\n", p->stage, spent, p->live[0] ? "  " : "", p->live);
    }
    p->stage[0] = p->live[0] = '\0';
}

void progress_begin(void *ctx, const char *stage)
{
    progress *p = ctx;
    pthread_mutex_lock(&p->lock);
    finish_stage(p);
    snprintf(p->stage, sizeof p->stage, "%s", stage);
    p->began_s = df_now_s();
    p->first = p->done = p->total = 0;
    pthread_mutex_unlock(&p->lock);
}

void progress_update(void *ctx, const char *stage, int64_t done, int64_t total)
{
    progress *p = ctx;
    /* progress_begin has set the name, which is that of all stages of a pass */
    (void)stage;
    pthread_mutex_lock(&p->lock);
    if (p->total == 0)
        p->first = done > 0 ? done - 1 : 0;
    p->done = done;
    p->total = total;
    double now = df_now_s();
    if (p->terminal && now - p->drew_s >= redraw_s)
        draw(p, now);
    pthread_mutex_unlock(&p->lock);
}

void progress_live(void *ctx, const char *text)
{
    progress *p = ctx;
    pthread_mutex_lock(&p->lock);
    df_printable(text, strlen(text), p->live, sizeof p->live);
    pthread_mutex_unlock(&p->lock);
}

/* Prints a note, up to NOTES_MAX of them: a folder of broken files must not bury other messages,
 * and the tables hold every reason. */
void progress_note(void *ctx, const char *line)
{
    progress *p = ctx;
    pthread_mutex_lock(&p->lock);
    erase(p);
    if (p->n_notes < NOTES_MAX)
        put_line(stderr, "densefusion: %s", line);
    else if (p->n_notes == NOTES_MAX)
        fprintf(
            stderr,
            "densefusion: further notes are left out; `densefusion status` counts every reason\n");
    p->n_notes++;
    pthread_mutex_unlock(&p->lock);
}

void progress_end(progress *p)
{
    pthread_mutex_lock(&p->lock);
    finish_stage(p);
    pthread_mutex_unlock(&p->lock);
    pthread_mutex_destroy(&p->lock);
}
