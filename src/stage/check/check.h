/* What `caption` shares with `check`: the limits that a caption has to keep. */
#ifndef DF_STAGE_CHECK_CHECK_H
#define DF_STAGE_CHECK_CHECK_H
#include "judge/verdict.h"
#include "stage/stage.h"

/* The stage's config. duplicates: captions that several images have fail. */
typedef struct {
    df_limits limits;
    bool duplicates;
} df_check_config;
extern const df_stage df_stage_check;
#endif
