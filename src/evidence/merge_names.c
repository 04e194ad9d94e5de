/* Decides which objects are told, and which name an object gets when boxes of two names have one
 * place. */
#include <stdlib.h>

#include "evidence/merge.h"

static const double believed = 0.5;         /* what df_belief gives at an expert's accept */

/* Makes a and b one object, of which one name is narrower. Both claim at least what the wider name
 * says, so its belief grows. The narrower name is used if it is believed by itself. */
static bool join_names(df_object *a, df_object *b, bool a_is_narrower, df_arena *arena)
{
    const df_object *narrow = a_is_narrower ? a : b, *wide = a_is_narrower ? b : a, *name = narrow;
    if (narrow->box.score < believed)
        name = wide;
    df_box box = a->box;                     /* the place of the object with the higher belief */
    box.label = name->box.label;
    box.item = name->box.item;
    box.score = 1 - (1 - a->box.score) * (1 - b->box.score);
    box.source = df_sources_join(a->box.source, b->box.source, arena);
    const df_kind kind = name->kind;
    a->box = box;
    a->kind = kind;
    b->reason = "joined";
    return box.source != NULL;
}

/* Compares each object with those before it, which have a higher belief. objects are sorted by
 * falling belief. */
static bool name_places(const df_merger *m, df_object *o, int n, df_arena *arena)
{
    for (int i = 1; i < n; i++)
        for (int k = 0; k < i && !o[i].reason; k++) {
            if (o[k].reason || df_box_overlap(&o[i].box, &o[k].box) <= m->options->same_place)
                continue;
            const bool narrower = df_kind_is(m->kinds, &o[k].kind, &o[i].kind);
            if (df_kind_same(&o[i].kind, &o[k].kind))
                continue;
            if (narrower || df_kind_is(m->kinds, &o[i].kind, &o[k].kind)) {
                if (!join_names(&o[k], &o[i], narrower, arena))
                    return false;
            } else if (o[k].box.score >= believed) {
                o[i].reason = "conflict";
            }
        }
    return true;
}

int df_merge_names(const df_merger *m, df_object *o, int n, df_arena *arena)
{
    df_object *scratch = df_arena_alloc(arena, (size_t)n + 1, sizeof *scratch);
    if (!scratch || !name_places(m, o, n, arena))
        return -1;
    int told = df_objects_told_first(o, n, scratch);
    /* the belief in joined objects has grown */
    qsort(o, (size_t)told, sizeof *o, df_object_compare);
    while (told > 0 && o[told - 1].box.score < believed)
        o[--told].reason = "score";
    return told;
}
