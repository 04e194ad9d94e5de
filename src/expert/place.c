/* Moves boxes from a model's input to the image. */
#include "expert/place.h"
#include <math.h>

static double clamp(double value, double high)
{
    return value < 0 ? 0 : value > high ? high : value;
}

/* Places a box in the image; false when less than a pixel is left of it. */
static bool place(df_box *box, const df_candidate *c, const df_placement *p, const df_image *image)
{
    box->x0 = clamp(p->offset_x + p->scale_x * c->x0, image->full_width);
    box->x1 = clamp(p->offset_x + p->scale_x * c->x1, image->full_width);
    box->y0 = clamp(p->offset_y + p->scale_y * c->y0, image->full_height);
    box->y1 = clamp(p->offset_y + p->scale_y * c->y1, image->full_height);
    /* also false when a side is infinity minus infinity */
    return box->x1 - box->x0 >= 1 && box->y1 - box->y0 >= 1;
}

df_candidate df_candidate_centred(const float *box, double width, double height, double score,
                                  int label)
{
    const double x = (double)box[0] * width, half_w = (double)box[2] * width / 2;
    const double y = (double)box[1] * height, half_h = (double)box[3] * height / 2;
    return (df_candidate){x - half_w, y - half_h, x + half_w, y + half_h, score, label};
}

df_status df_boxes_place(const df_card *card, df_candidate *found, int n, int most,
                         const char *const *labels, const df_placement *placement,
                         const df_image *image, df_arena *arena, df_percept *out, df_error *err)
{
    n = df_nms(found, n, card->iou, most);
    df_box *boxes = df_arena_alloc(arena, (size_t)n + 1, sizeof *boxes);
    if (!boxes)
        return df_no_memory(err, "run model %s", card->name);
    int n_boxes = 0;
    for (int i = 0; i < n; i++) {
        df_box box = {.label = labels[found[i].label],
                      .source = card->name,
                      .score = fmin(found[i].score, 1),
                      .item = n_boxes};
        if (box.label && place(&box, &found[i], placement, image))
            boxes[n_boxes++] = box;
    }
    out->boxes = boxes;
    out->n_boxes = n_boxes;
    return DF_OK;
}
