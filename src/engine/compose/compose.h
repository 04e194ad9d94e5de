/* The parts of the `compose` engine, private to src/engine/compose/.
 *
 *     evidence -> plan (what is it about, what belongs together, where is it)   plan.c
 *              -> sentences, while words last      scene.c text.c look.c area.c, by sentence.c
 *              -> slots, read in order                                           compose.c
 *
 * Wordings are chosen by a hash of the evidence: the same evidence always reads the same, different
 * images do not. */
#ifndef DF_ENGINE_COMPOSE_COMPOSE_H
#define DF_ENGINE_COMPOSE_COMPOSE_H
#include "base/arena.h"
#include "base/str.h"
#include "evidence/evidence.h"
#include "language/nouns.h"

enum { COMPOSE_WORDS = 188, COMPOSE_BYTES = 2400 };

/* In fractions of the picture, origin top left. */
typedef struct {
    double x0, y0, x1, y1;
} compose_rect;

typedef enum { LAYOUT_ONE, LAYOUT_ROW, LAYOUT_COLUMN, LAYOUT_CLOSE, LAYOUT_SPREAD } compose_layout;

/* Boxes that one noun phrase can name: equal labels. */
typedef struct {
    char name[DF_LABEL_MAX];                 /* as a writer puts it: "tabby cat" */
    const df_noun *noun;                     /* NULL when unknown */
    int *box, n;                             /* indices into evidence->boxes, largest first */
    int total;                               /* of things: a box may count several */
    compose_rect *rect;                      /* of each of them */
    compose_rect hull;
    double area, largest;                    /* sum and maximum of box areas */
    double weight;                           /* how much the picture is about it */
    compose_layout layout;
} compose_group;

/* Where in the caption a sentence stands. */
typedef enum {
    SLOT_OPEN,
    SLOT_MAIN,
    SLOT_MAIN_TEXT,
    SLOT_OTHERS,
    SLOT_TAGS,
    SLOT_TEXT,
    SLOT_AREAS,
    SLOT_TONE,
    N_SLOTS
} compose_slot;

typedef struct {
    const df_evidence *ev;
    const df_nouns *nouns;
    df_arena *arena;
    uint64_t seed;
    compose_group *groups;
    int n_groups;     /* by falling weight: groups[0] is the main subject */
    /* per text line: the box that it is written on, or -1 */
    int *home;
    const df_noun *scene;                    /* the place, from the tags; NULL unknown */
    /* a tag that names the subject when no box does; NULL none */
    const char *subject;
    char title[200];                         /* proper names from the alt-text; "" none */
    bool title_first;                        /* it must begin its sentence */
    bool mono, sepia;
    bool framed;                             /* the kind of picture has been said */
    /* "a picture": its being sepia is said in the same sentence */
    bool plain_medium;
    bool coloured;                           /* so have its main colours */
    bool lit;                                /* and how bright it is */
    /* times that it was called "the picture" or "the frame" */
    int n_frames;
    int cuts;                                /* times that "cut off by" was used */
    const char *last_place;                  /* of the sentence before */
    df_str slots[N_SLOTS];
    df_str now;                              /* the sentence being built */
    int words;
    size_t bytes;
} composer;

/* plan.c */
bool compose_plan(composer *c);              /* false: out of memory */
compose_rect compose_box_rect(const composer *c, int box);
double rect_area(compose_rect r);
compose_rect rect_cut(compose_rect a, compose_rect b);
compose_rect rect_hull(compose_rect a, compose_rect b);

/* sentence.c */
/* One of n equally right wordings, the same for the same evidence and the same `what`. */
int compose_pick(const composer *c, int what, int n);
/* Ends the sentence in c->now and adds it to a slot, unless the words have run
 * out. Clears c->now. */
bool compose_say(composer *c, compose_slot slot);
void compose_put(composer *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int compose_words_left(const composer *c);

/* place.c */
/* "in the upper left corner": a constant, equal places are equal pointers */
const char *compose_place(compose_rect r);
const char *compose_side(compose_rect r);    /* "the left side", for what fills it */
int compose_edges(compose_rect r);           /* edges of the picture that it touches */
/* appends "the left and bottom edges" */
void compose_put_edges(composer *c, compose_rect r);
typedef struct {
    const char *verb, *preposition, *part;
} compose_link;
/* How a box stands to the subject: a preposition, or a verb and the part of the subject that it
 * covers. */
bool compose_relation(compose_rect b, const compose_group *main, compose_link *out);

/* scene.c */
void compose_scene(composer *c);             /* opening and main subject */
void compose_others(composer *c);

/* text.c */
void compose_texts(composer *c);

/* look.c */
/* appends "a wide colour picture"; "the picture" when it was said or `definite` */
void compose_frame(composer *c, bool definite);
/* appends "mostly dark grey with some red"; false: nothing to say */
bool compose_colours(composer *c, const df_region *look);
/* appends "blue and grey"; how many colours, 0 none */
int compose_short(composer *c, const df_region *look, int most);
/* "dark"; NULL for what is neither dark nor bright */
const char *compose_light(double brightness);
bool compose_same_colour(const char *a, const char *b);      /* "dark grey" and "grey" are */
/* opening of a picture of which only the colours are known */
void compose_field(composer *c);

/* area.c */
void compose_areas(composer *c);
void compose_tone(composer *c);
#endif
