/* Evidence as a text file, for fixtures that people can read and write:     size 640 480     alt
 * words     tag  0.90 seashore     box  0.80 10 20 300 400 motorcycle : dark grey 0.60, red 0.20
 * : 0.30 0.50 0.20 0.40     line 100 200 180 220 YAMAHA     whole grey 0.70, white 0.20 :
 * brightness contrast saturation detail     cell 0 grey 0.70 : 0.5 0.2 0.1 0.3 */
#ifndef EVIDENCE_TEXT_H
#define EVIDENCE_TEXT_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "evidence/evidence.h"
#include "base/arena.h"

typedef struct {
    df_evidence ev;
    df_tag tags[64];
    df_box boxes[64];
    df_line lines[256];
    df_arena arena;
} evidence_text;

static inline void evidence_region(evidence_text *t, const char *p, df_region *r)
{
    while (*p && *p != ':' && r->n_colours < DF_COLOURS_MAX) {
        char name[40];
        double share;
        int n = 0;
        p += strspn(p, " ,");
        if (sscanf(p, "%39[a-z ]%lf%n", name, &share, &n) != 2)
            break;
        name[strcspn(name, "0123456789")] = '\0';
        while (name[0] && name[strlen(name) - 1] == ' ')
            name[strlen(name) - 1] = '\0';
        r->colours[r->n_colours++] = (df_colour){df_arena_strdup(&t->arena, name), share};
        p += n;
    }
    p = strchr(p, ':');
    if (p)
        sscanf(p + 1, "%lf %lf %lf %lf", &r->brightness, &r->contrast, &r->saturation, &r->detail);
}

static inline void evidence_line(evidence_text *t, char *s)
{
    df_evidence *ev = &t->ev;
    int n = 0;
    double a, b, c, d, score;
    s[strcspn(s, "\n")] = '\0';
    if (sscanf(s, "size %lf %lf", &a, &b) == 2) {
        ev->width = (int64_t)a;
        ev->height = (int64_t)b;
    } else if (strncmp(s, "alt ", 4) == 0)
        ev->alt_text = df_arena_strdup(&t->arena, s + 4);
    else if (sscanf(s, "tag %lf %n", &score, &n) == 1 && n) {
        t->tags[ev->n_tags] = (df_tag){
            .label = df_arena_strdup(&t->arena, s + n), .score = score, .item = ev->n_tags};
        ev->n_tags++;
    } else if (sscanf(s, "box %lf %lf %lf %lf %lf %n", &score, &a, &b, &c, &d, &n) == 5 && n) {
        df_box *box = &t->boxes[ev->n_boxes];
        char *colon = strstr(s + n, " : ");
        *box = (df_box){.source = "test",
                        .score = score,
                        .x0 = a,
                        .y0 = b,
                        .x1 = c,
                        .y1 = d,
                        .item = ev->n_boxes++};
        if (colon) {
            *colon = '\0';
            evidence_region(t, colon + 3, &box->look);
        }
        box->label = df_arena_strdup(&t->arena, s + n);
    } else if (sscanf(s, "line %lf %lf %lf %lf %n", &a, &b, &c, &d, &n) == 4 && n) {
        t->lines[ev->n_lines] = (df_line){df_arena_strdup(&t->arena, s + n),
                                          0.9,
                                          {a, c, c, a},
                                          {b, b, d, d},
                                          ev->n_lines,
                                          ev->n_lines};
        ev->n_lines++;
    } else if (strncmp(s, "whole ", 6) == 0)
        evidence_region(t, s + 6, &ev->whole);
    else if (strncmp(s, "cell ", 5) == 0)
        evidence_region(t, s + 7, &ev->cells[s[5] - '0']);
}

static inline void evidence_start(evidence_text *t)
{
    memset(t, 0, sizeof *t);
    t->ev = (df_evidence){.path = "test.jpg",
                          .alt_text = "",
                          .width = 640,
                          .height = 480,
                          .tags = t->tags,
                          .boxes = t->boxes,
                          .lines = t->lines};
}

static inline int evidence_read(evidence_text *t, const char *path)
{
    char s[4096];
    evidence_start(t);
    FILE *f = fopen(path, "r");
    while (f && fgets(s, sizeof s, f))
        evidence_line(t, s);
    if (f)
        fclose(f);
    return f != NULL;
}
#endif
