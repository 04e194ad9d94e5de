/* What the stage's files, the batch command and the one-image call of the library share. */
#ifndef DF_STAGE_CAPTION_CAPTION_H
#define DF_STAGE_CAPTION_CAPTION_H
#include "dataset/dataset.h"
#include "engine/engine.h"
#include "engine/openai/openai.h"
#include "stage/stage.h"

typedef struct {
    char *engine, *on_fail, *prices;
    df_engine_config shared;                 /* what every engine is told */
    df_engine_settings engines;              /* what each of them alone needs */
    int64_t image_quality, image_bytes, in_flight_mib, ask_again;
    double budget;
} df_caption_config;                         /* the stage's config */

extern const df_stage df_stage_caption;

/* DF_CONFIG naming caption.engine: there is none of that name. */
df_status df_caption_engine_choose(const df_engine_ops **ops, const df_caption_config *config,
                                   df_error *err);
/* What the engine of a config is opened with. All is borrowed. */
df_engine_setup df_caption_engine_setup(const df_caption_config *config, int n_threads,
                                        const atomic_bool *stop);
/* Opens the engine that config names. Close with (*out)->ops->close. config and stop are borrowed.
 * n_threads: of a computation. */
df_status df_caption_engine_open(df_engine **out, const df_caption_config *config, int n_threads,
                                 const atomic_bool *stop, df_error *err);
/* The options of the `openai` engine, whichever is chosen; all unset where there is no such engine.
 */
const df_openai_config *df_caption_openai(const df_caption_config *config);
#endif
