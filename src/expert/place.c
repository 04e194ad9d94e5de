#include "expert/place.h"

static double clamp(double value, double high)
{
    return value < 0 ? 0 : value > high ? high : value;
}

bool df_box_place(df_box *box, const df_candidate *c, const df_placement *p, const df_image *image)
{
    box->x0 = clamp(p->offset_x + p->scale_x * c->x0, image->full_width);
    box->x1 = clamp(p->offset_x + p->scale_x * c->x1, image->full_width);
    box->y0 = clamp(p->offset_y + p->scale_y * c->y0, image->full_height);
    box->y1 = clamp(p->offset_y + p->scale_y * c->y1, image->full_height);
    return box->x1 - box->x0 >= 1 && box->y1 - box->y0 >= 1;         /* also false when a side is infinite - infinite */
}
