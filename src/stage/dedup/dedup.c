/* dedup: of images that show the same, one stays. First copies, by perceptual hash over the whole
 * dataset; then, among what is left, SemDeDup (arXiv 2303.09540) within each cluster. */
#include "stage/dedup/dedup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "base/pool.h"
#include "model/card.h"
#include "stage/members.h"
#include "tables/dedup.h"
#include "tables/embed.h"

static const df_option options[] = {
    {"rule", DF_OPT_TEXT, offsetof(df_dedup_config, rule), "semdedup", 0, 0,
     "semdedup: remove an image that is similar to an earlier one of its cluster (paper); group: "
     "keep the first of each group that similar pairs connect"},
    {"eps", DF_OPT_REAL, offsetof(df_dedup_config, eps), "0", 0, 1,
     "images are similar above cosine 1 - eps (paper: 0.4, for EVA-CLIP); 0: as the encoder's card "
     "says"},
    {"keep", DF_OPT_TEXT, offsetof(df_dedup_config, keep), "farthest", 0, 0,
     "which images of a cluster come first: farthest from its centroid (SemDeDup), nearest, or "
     "random"},
    {"seed", DF_OPT_INT, offsetof(df_dedup_config, seed), "1", 0, 1e15,
     "seed of the random order, for keep=random"},
    {"hash_distance", DF_OPT_INT, offsetof(df_dedup_config, hash_distance), "4", 0, 10,
     "copies, in any cluster: perceptual hashes that differ in at most this many of 64 bits; the "
     "largest image stays; 0: off"},
    {"hash_eps", DF_OPT_REAL, offsetof(df_dedup_config, hash_eps), "0.5", 0, 2,
     "copies must also be above cosine 1 - hash_eps: images that only have the same outline stay"},
    {"memory", DF_OPT_INT, offsetof(df_dedup_config, memory), "160", 0, 1e7,
     "MiB of vectors or hashes compared at a time; more is faster, the result is the same"},
    {0},
};

/* ---- options ---- */

static df_status choose(const char *name, const char *value, const char *const *choices, int *out,
                        df_error *err)
{
    for (int i = 0; choices[i]; i++)
        if (value && strcmp(value, choices[i]) == 0) {
            *out = i;
            return DF_OK;
        }
    return df_fail(err, DF_CONFIG, "dedup.%s: \"%s\" is not one of %s, %s%s%s", name,
                   value ? value : "", choices[0], choices[1], choices[2] ? ", " : "",
                   choices[2] ? choices[2] : "");
}

/* An option of embed as its fingerprint tells it, which begins with "key=value" lines; "" when it
 * is not set. */
static void embed_option(const char *made, const char *key, char *value, size_t size)
{
    size_t n = strlen(key);
    value[0] = '\0';
    for (const char *line = made; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0 && line[n] == '=')
            snprintf(value, size, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
    }
}

/* Of the card whose model made the vectors; those made elsewhere have none. */
static df_status eps_of_card(const df_dedup *d, double *eps, df_error *err)
{
    char *made, name[256], from[8];
    df_card *card = NULL;
    DF_TRY(df_dataset_stage_made(d->ds, "embed", &made, err));
    embed_option(made, "model", name, sizeof name);
    embed_option(made, "from", from, sizeof from);
    free(made);
    if (name[0] && !from[0])
        DF_TRY(df_card_open(&card, d->run->models, name, false, err));
    *eps = card ? card->eps : 0;
    bool has_card = card != NULL;
    df_card_close(card);
    if (*eps > 0)
        return DF_OK;
    return df_fail(err, DF_CONFIG, "dedup.eps: %s: set it (paper: 0.4 for EVA-CLIP)",
                   has_card ? "the encoder's card does not say which cosines are duplicates"
                            : "no card tells which cosines of these vectors are duplicates");
}

static df_status choose_rules(const df_dedup_config *config, bool *group, df_keep *keep,
                              df_error *err)
{
    static const char *const rules[] = {"semdedup", "group", NULL}, *const keeps[] = {
                                                                        "farthest", "nearest",
                                                                        "random", NULL};
    int rule, order;
    DF_TRY(choose("rule", config->rule, rules, &rule, err));
    DF_TRY(choose("keep", config->keep, keeps, &order, err));
    *group = rule == 1;
    *keep = (df_keep)order;
    return DF_OK;
}

static df_status use_config(df_dedup *d, df_error *err)
{
    DF_TRY(choose_rules(d->config, &d->group, &d->keep, err));
    d->eps = d->config->eps;
    return d->eps > 0 ? DF_OK : eps_of_card(d, &d->eps, err);
}

static df_status open_dedup(df_dedup *d, df_error *err)
{
    DF_TRY(use_config(d, err));
    DF_TRY(df_vectors_open(&d->vectors, d->ds, err));
    d->n = df_vectors_count(d->vectors);
    d->dim = df_vectors_dim(d->vectors);
    return df_dedup_open_records(d, err);
}

static void close_dedup(df_dedup *d)
{
    df_vectors_close(d->vectors);
    df_dedup_close_records(d);
}

/* ---- parts ---- */

/* Appends what was found of one vector as a row of dedup. */
static df_status append_vector(const df_dedup *d, df_table *out, int64_t row,
                               const df_dedup_found *found, df_error *err)
{
    static const char *const reasons[] = {NULL, "similar", "copy"};
    df_dedup_item item = {0};
    bool has = found->nearest > 0;
    if (found->kind < DF_FOUND_KEPT || found->kind > DF_FOUND_COPY)
        return df_fail(err, DF_FORMAT,
                       "dedup/part-found.partial is damaged: remove it and run again");
    if (has)
        DF_TRY(df_records_read(d->items, found->nearest - 1, 1, &item, err));
    const df_place nearest = df_place_unpack(item.place);
    return df_table_append(
        out,
        (const df_value[DF_DEDUP_COLUMNS]){
            [DF_DEDUP_ROW] = DF_INT(row),
            [DF_DEDUP_KEPT] = DF_BOOL(found->kind == DF_FOUND_KEPT),
            [DF_DEDUP_REASON] = DF_TEXT(reasons[found->kind]),
            [DF_DEDUP_NEAREST_PART] = has ? DF_INT(nearest.part) : DF_NULL,
            [DF_DEDUP_NEAREST_ROW] = has ? DF_INT(nearest.row) : DF_NULL,
            [DF_DEDUP_SIMILARITY] = has ? DF_REAL((double)found->similarity) : DF_NULL,
            [DF_DEDUP_HASH_DISTANCE] =
                found->kind == DF_FOUND_COPY ? DF_INT(found->hash_distance) : DF_NULL},
        err);
}

/* Fills a part of dedup: what was found of each vector, and the images that have none. */
static df_status fill_part(const df_dedup *d, int part, const df_table *embed, df_table *out,
                           df_error *err)
{
    int64_t at = df_vectors_first(d->vectors, part), end = df_vectors_first(d->vectors, part + 1);
    for (int64_t i = 0; i < df_table_rows(embed); i++) {
        df_dedup_found found;
        int64_t row = df_table_int(embed, i, DF_EMBED_ROW);
        if (!df_table_null(embed, i, DF_EMBED_PROBLEM)) {
            DF_TRY(df_table_append(
                out,
                (const df_value[DF_DEDUP_COLUMNS]){[DF_DEDUP_ROW] = DF_INT(row),
                                                   [DF_DEDUP_KEPT] = DF_BOOL(false),
                                                   [DF_DEDUP_REASON] = DF_TEXT("no vector")},
                err));
            continue;
        }
        if (at == end)
            return df_fail(err, DF_FORMAT, "embed/part-%05d.parquet changed while it was read",
                           part);
        DF_TRY(df_records_read(d->found, at++, 1, &found, err));
        DF_TRY(append_vector(d, out, row, &found, err));
    }
    return DF_OK;
}

/* Writes a part that is missing. A thread of the pool. */
static df_status write_part(void *ctx, int64_t part, int thread, df_error *err)
{
    const df_dedup *d = ctx;
    (void)thread;
    if (df_run_stopped(d->run))
        return df_stopped(err);
    if (df_dataset_has_part(d->ds, "dedup", (int)part))
        return DF_OK;
    df_table *embed = NULL, *out = NULL;
    df_status status = df_dataset_read(d->ds, &df_embed_table, (int)part, &embed, err);
    if (status == DF_OK)
        status = df_table_create(&out, df_dedup_table.columns, err);
    if (status == DF_OK)
        status = fill_part(d, (int)part, embed, out, err);
    if (status == DF_OK)
        status = df_dataset_write(d->ds, "dedup", (int)part, out, err);
    df_table_close(embed);
    df_table_close(out);
    return status;
}

/* The state first: without it, what is left of the others is made anew. */
static df_status remove_records(const df_dedup *d, df_error *err)
{
    static const char *const names[] = {"state", "items", "found", "hashes"};
    char name[DF_DEDUP_NAME];
    for (int i = 0; i < 4; i++)
        DF_TRY(df_folder_remove(df_dataset_files(d->ds), df_dedup_name(names[i], name), err));
    return DF_OK;
}

/* ---- the stage ---- */

static df_status compare(df_dedup *d, df_error *err)
{
    if (d->n == 0)
        return DF_OK;
    if (d->n_clusters == 0) {
        DF_TRY(df_dedup_make_items(d, err));
        DF_TRY(df_dedup_save(d, err));
    }
    if (!d->copies_done) {
        DF_TRY(df_dedup_find_copies(d, err));
        d->copies_done = 1;
        DF_TRY(df_dedup_save(d, err));
    }
    return df_dedup_find_similar(d, err);
}

static df_status dedup_run(df_dataset *ds, const void *config, const df_run *run, df_error *err)
{
    df_dedup d = {.ds = ds, .config = config, .run = run};
    df_status status = open_dedup(&d, err);
    if (status == DF_OK)
        status = compare(&d, err);
    if (status == DF_OK)
        status = df_pool_run(run->n_threads, df_dataset_parts(ds), write_part, &d, err);
    close_dedup(&d);
    return status == DF_OK ? remove_records(&d, err) : status;
}

/* Adds nothing to the fingerprint. Called to check the options before old output is deleted. */
static df_status dedup_depends(const void *config, const df_run *run, df_str *out, df_error *err)
{
    bool group;
    df_keep keep;
    (void)run;
    (void)out;
    return choose_rules(config, &group, &keep, err);
}

const df_stage df_stage_dedup = {
    .name = "dedup",
    .summary = "of images that show the same, keep one",
    .reads = (const char *const[]){"ingest", "embed", "cluster", NULL},
    .table = &df_dedup_table,
    .options = options,
    .config_size = sizeof(df_dedup_config),
    .whole = true,
    .run = dedup_run,
    .depends = dedup_depends,
};
