/* What `caption` shares with `check`: the limits that a caption has to keep. */
#ifndef DF_STAGE_CHECK_H
#define DF_STAGE_CHECK_H
#include "algo/verdict.h"
#include "stage/stage.h"

typedef struct { df_limits limits; } df_check_config;                /* the stage's config */
extern const df_stage df_stage_check;
#endif
