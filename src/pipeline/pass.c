#include "pipeline/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/pool.h"
#include "pipeline/join.h"
#include "pipeline/partial.h"
#include "pipeline/sight.h"
#include "tables/kept.h"
#include "tables/ingest.h"
#include "tables/tables.h"

/* a kill costs at most this much work; a checkpoint costs some 0.1 s */
static const double checkpoint_s = 60;

typedef struct {
    const df_stage *stage;
    const void *config;
    /* opened when the first part that lacks the stage comes */
    void *state;
    bool open;
    /* of the part at work; NULL: the part has it already */
    df_table *table;
    /* by row: what the deciding stages that it reads say; as long as table */
    bool *kept;
} member;

/* The table of a stage that the part has already: later stages see its rows of an image. */
typedef struct {
    const df_table_type *type;
    df_table *table;
    int64_t *first;                          /* [images + 1] where an image's rows begin */
} earlier;

typedef struct {
    df_dataset *ds;
    const df_run *run;
    member members[DF_PASS_STAGES_MAX];
    int n_members;
    char name[256];                          /* "filter+tag+detect": for progress */
    int64_t n_done, n_total;                 /* images of the parts at work */
    df_arena *arenas;                        /* [n_threads] */
    /* the part at work */
    int part;
    int64_t first_row;                       /* rows before it come from partials */
    int64_t n_joined;                        /* rows below it are in the tables */
    double saved_s;
    df_table *ingest;
    earlier earlier[DF_PASS_STAGES_MAX];
    int n_earlier;
    df_join *join;
} pass;

static df_status in_stage(const member *m, df_status status, const df_error *why, df_error *err)
{
    return df_stage_failed(m->stage, status, why, err);
}

static df_status in_image(const member *m, const df_sight *sight, df_status status,
                          const df_error *why, df_error *err)
{
    df_error named = {""};
    if (status == DF_OK || status == DF_STOPPED)
        return in_stage(m, status, why, err);
    df_fail(&named, status, "%.200s: %.280s", df_sight_path(sight), why->message);
    return in_stage(m, status, &named, err);
}

static bool lacks(const pass *p, int part)
{
    for (int i = 0; i < p->n_members; i++)
        if (!df_dataset_has_part(p->ds, p->members[i].stage->name, part))
            return true;
    return false;
}

/* ---- one image ---- */

static df_status screen(pass *p, df_sight *sight, df_table **out, df_error *err)
{
    for (int i = 0; i < p->n_members && !sight->rejected; i++) {
        member *m = &p->members[i];
        if (!m->table || !m->kept[sight->row] || !m->stage->pixels->screen)
            continue;
        df_error why = {""};
        DF_TRY(
            in_image(m, sight, m->stage->pixels->screen(m->state, sight, out[i], &why), &why, err));
    }
    return DF_OK;
}

static void take_earlier(const pass *p, df_sight *sight)
{
    for (int i = 0; i < p->n_earlier; i++) {
        const earlier *e = &p->earlier[i];
        df_sight_add(sight, (df_image_rows){e->type, e->table, e->first[sight->row],
                                            e->first[sight->row + 1]});
    }
}

/* A stage that only joins what others saw needs no pixels. */
static bool looks(const pass *p, int i, int64_t row)
{
    const member *m = &p->members[i];
    return m->table && m->kept[row] &&
           (!m->stage->pixels->looks || m->stage->pixels->looks(m->state));
}

static bool is_looked_at(const pass *p, int64_t row)
{
    for (int i = 0; i < p->n_members; i++)
        if (looks(p, i, row))
            return true;
    return false;
}

static int edge_of(const member *m)
{
    return m->stage->pixels->edge ? m->stage->pixels->edge(m->state) : DF_EDGE_WHOLE;
}

/* The size to decode for member i. A stage that accepts any size shares the picture that is decoded
 * for the next stage that asks for a particular one. */
static int edge_for(const pass *p, int i, int64_t row)
{
    for (; i < p->n_members; i++)
        if (looks(p, i, row) && edge_of(&p->members[i]) != DF_EDGE_ANY)
            return edge_of(&p->members[i]);
    return DF_EDGE_ANY;
}

/* Only blind stages are shown a broken image. What a stage said is seen by the later ones. */
static df_status perceive(pass *p, df_sight *sight, df_pixels *pixels, df_arena *arena,
                          df_table **out, df_error *err)
{
    for (int i = 0; i < p->n_members && !sight->rejected; i++) {
        member *m = &p->members[i];
        if (!m->table || !m->kept[sight->row])
            continue;
        if (looks(p, i, sight->row))
            DF_TRY(df_sight_show(sight, pixels, edge_for(p, i, sight->row), err));
        if (!sight->image && !m->stage->pixels->blind)
            continue;
        df_error why = {""};
        df_status status = m->stage->pixels->perceive(m->state, sight, arena, out[i], &why);
        DF_TRY(in_image(m, sight, status, &why, err));
        df_sight_add(sight, (df_image_rows){m->stage->table, out[i], 0, df_table_rows(out[i])});
    }
    return DF_OK;
}

static bool is_wanted(const pass *p, const df_sight *sight)
{
    for (int i = 0; i < p->n_members; i++)
        if (p->members[i].table && p->members[i].kept[sight->row])
            return !sight->rejected;
    return false;
}

static df_status see(pass *p, int64_t row, df_arena *arena, df_table **out, df_error *err)
{
    df_pixels pixels = {0};
    df_sight sight = {.ingest = p->ingest, .part = p->part, .row = row};
    df_status status = screen(p, &sight, out, err);
    if (status == DF_OK && is_wanted(p, &sight)) {
        if (is_looked_at(p, row))
            status = df_sight_load(&sight, p->ds, &pixels, err);
        take_earlier(p, &sight);
        if (status == DF_OK)
            status = perceive(p, &sight, &pixels, arena, out, err);
    }
    df_pixels_free(&pixels);
    return status;
}

static df_status row_tables(const pass *p, df_table **out, df_error *err)
{
    for (int i = 0; i < p->n_members; i++)
        if (p->members[i].table)
            DF_TRY(df_table_create(&out[i], df_stage_columns(p->members[i].stage), err));
    return DF_OK;
}

/* Shows one image to all stages and hands their rows over. A thread of the pool. */
static df_status work_row(void *ctx, int64_t item, int thread, df_error *err)
{
    pass *p = ctx;
    int64_t row = p->first_row + item;
    df_table *out[DF_PASS_STAGES_MAX] = {NULL};
    if (!df_join_wait(p->join, row))
        return df_stopped(err);
    /* When asked to stop, a row that later rows wait for is still seen, or their work would be
     * lost. */
    bool stop = df_run_stopped(p->run) && !df_join_needs(p->join, row);
    df_status status = stop ? df_stopped(err) : row_tables(p, out, err);
    if (status == DF_OK)
        status = see(p, row, &p->arenas[thread], out, err);
    if (status == DF_OK)
        status = df_arena_check(&p->arenas[thread], "look at an image", err);
    df_arena_reset(&p->arenas[thread]);
    if (status == DF_OK)
        return df_join_put(p->join, row, out, err);
    for (int i = 0; i < p->n_members; i++)
        df_table_close(out[i]);
    df_join_fail(p->join);
    return status;
}

/* What the tables hold so far goes to disk. It only saves time: when it fails (a full disk), the
 * run finds out soon. */
static void save_partials(pass *p)
{
    for (int i = 0; i < p->n_members; i++)
        if (p->members[i].table && p->n_joined > p->first_row)
            df_partial_write(p->ds, p->members[i].stage->name, p->part, p->members[i].table,
                             p->n_joined, NULL);
    p->saved_s = df_now_s();
}

static df_status row_joined(void *ctx, int64_t row, df_error *err)
{
    pass *p = ctx;
    (void)err;
    p->n_joined = row + 1;
    if (df_now_s() - p->saved_s >= checkpoint_s)
        save_partials(p);
    df_run_progress(p->run, p->name, ++p->n_done, p->n_total);
    return DF_OK;
}

/* ---- one part ---- */

static df_status open_member(pass *p, member *m, df_error *err)
{
    df_error why = {""};
    int64_t n_rows;
    if (!m->open)
        DF_TRY(in_stage(m, m->stage->pixels->open(&m->state, p->ds, m->config, p->run, &why), &why,
                        err));
    m->open = true;
    DF_TRY(df_kept_rows(p->ds, m->stage->reads, p->part, &m->kept, &n_rows, err));
    return df_table_create(&m->table, df_stage_columns(m->stage), err);
}

static bool has_earlier(const pass *p, const df_table_type *type)
{
    for (int i = 0; i < p->n_earlier; i++)
        if (p->earlier[i].type == type)
            return true;
    return false;
}

/* Reads a table that a stage of the pass sees, where the part has it, and finds where each image's
 * rows begin. */
static df_status read_earlier(pass *p, const df_table_type *type, df_error *err)
{
    if (has_earlier(p, type) || !df_dataset_has_part(p->ds, type->name, p->part))
        return DF_OK;
    if (p->n_earlier == DF_PASS_STAGES_MAX)
        return df_fail(err, DF_CONFIG, "more than %d tables are seen", DF_PASS_STAGES_MAX);
    earlier *out = &p->earlier[p->n_earlier++];
    out->type = type;
    DF_TRY(df_dataset_read(p->ds, type, p->part, &out->table, err));
    const int64_t n = df_table_rows(p->ingest), n_rows = df_table_rows(out->table);
    out->first = malloc(((size_t)n + 1) * sizeof *out->first);
    if (!out->first)
        return df_no_memory(err, "%s of a part", type->name);
    for (int64_t row = 0, i = 0; row <= n; row++) { /* the table is in row order */
        while (i < n_rows && df_table_int(out->table, i, DF_ROW) < row)
            i++;
        out->first[row] = i;
    }
    return DF_OK;
}

static void close_earlier(earlier *e)
{
    df_table_close(e->table);
    free(e->first);
    *e = (earlier){0};
}

static df_status open_part(pass *p, int part, df_error *err)
{
    p->part = part;
    for (int i = 0; i < p->n_members; i++)
        if (!df_dataset_has_part(p->ds, p->members[i].stage->name, part))
            DF_TRY(open_member(p, &p->members[i], err));
    DF_TRY(df_dataset_read(p->ds, &df_ingest_table, part, &p->ingest, err));
    for (int i = 0; i < p->n_members; i++) {
        const df_table_type *const *sees = p->members[i].stage->pixels->sees;
        for (; sees && *sees; sees++)
            DF_TRY(read_earlier(p, *sees, err));
    }
    return DF_OK;
}

static void close_part(pass *p)
{
    for (int i = 0; i < p->n_members; i++) {
        df_table_close(p->members[i].table);
        free(p->members[i].kept);
        p->members[i].table = NULL;
        p->members[i].kept = NULL;
    }
    df_table_close(p->ingest);
    while (p->n_earlier > 0)
        close_earlier(&p->earlier[--p->n_earlier]);
    df_join_close(p->join);
    p->ingest = NULL;
    p->join = NULL;
}

/* Begins where the partial that has seen least ends. */
static df_status read_partials(pass *p, df_error *err)
{
    int64_t first = df_table_rows(p->ingest);
    for (int i = 0; i < p->n_members; i++) {
        const member *m = &p->members[i];
        int64_t seen = m->table ? df_partial_rows(p->ds, m->stage->name, p->part, m->table) : first;
        first = seen < first ? seen : first;
    }
    for (int i = 0; i < p->n_members; i++)
        if (p->members[i].table)
            DF_TRY(df_partial_read(p->ds, p->members[i].stage->name, p->part, first,
                                   p->members[i].table, err));
    p->first_row = p->n_joined = first;
    p->n_done += first;
    p->saved_s = df_now_s();
    return DF_OK;
}

static df_status write_part(pass *p, df_error *err)
{
    for (int i = 0; i < p->n_members; i++) {
        const member *m = &p->members[i];
        if (!m->table)
            continue;
        df_error why = {""};
        df_status status = m->stage->pixels->write
                               ? m->stage->pixels->write(m->state, p->ds, p->part, m->table, &why)
                               : df_dataset_write(p->ds, m->stage->name, p->part, m->table, &why);
        DF_TRY(in_stage(m, status, &why, err));
        df_partial_remove(p->ds, m->stage->name, p->part);
    }
    return DF_OK;
}

/* Goes on where an earlier run stopped in the part, and writes it when all its images were seen. */
static df_status look_at_part(pass *p, df_error *err)
{
    df_table *targets[DF_PASS_STAGES_MAX];
    for (int i = 0; i < p->n_members; i++)
        targets[i] = p->members[i].table;
    int window = 8 * (p->run->n_threads < 1 ? 1 : p->run->n_threads) + 24;
    DF_TRY(read_partials(p, err));
    DF_TRY(df_join_open(&p->join, targets, p->n_members, p->first_row, window, row_joined, p, err));
    df_status status =
        df_pool_run(p->run->n_threads, df_table_rows(p->ingest) - p->first_row, work_row, p, err);
    if (status != DF_OK) {
        save_partials(p);
        return status;
    }
    return write_part(p, err);
}

/* ---- all parts ---- */

static df_status count_images(pass *p, df_error *err)
{
    int n = df_dataset_parts(p->ds);
    for (int part = 0; part < n; part++) {
        if (!df_run_wants(p->run, part) || !lacks(p, part))
            continue;
        df_table *t = NULL;
        df_status status = df_dataset_read(p->ds, &df_ingest_table, part, &t, err);
        if (status != DF_OK)
            return status;
        p->n_total += df_table_rows(t);
        df_table_close(t);
    }
    return DF_OK;
}

static df_status init(pass *p, const df_pass_stage *stages, int n, df_error *err)
{
    if (n > DF_PASS_STAGES_MAX)
        return df_fail(err, DF_CONFIG, "more than %d pixel stages in a row", DF_PASS_STAGES_MAX);
    p->n_members = n;
    for (int i = 0; i < n; i++) {
        p->members[i] = (member){.stage = stages[i].stage, .config = stages[i].config};
        size_t used = strlen(p->name);
        snprintf(p->name + used, sizeof p->name - used, "%s%s", i ? "+" : "",
                 stages[i].stage->name);
    }
    p->arenas = calloc((size_t)(p->run->n_threads < 1 ? 1 : p->run->n_threads), sizeof *p->arenas);
    return p->arenas ? count_images(p, err) : df_no_memory(err, "%s", p->name);
}

df_status df_pass_run(df_dataset *ds, const df_pass_stage *stages, int n_stages, const df_run *run,
                      df_error *err)
{
    pass p = {.ds = ds, .run = run};
    df_status status = init(&p, stages, n_stages, err);
    int n_parts = df_dataset_parts(ds);
    for (int part = 0; status == DF_OK && part < n_parts; part++) {
        if (!df_run_wants(run, part) || !lacks(&p, part))
            continue;
        status = open_part(&p, part, err);
        if (status == DF_OK)
            status = look_at_part(&p, err);
        close_part(&p);
    }
    for (int i = 0; i < p.n_members; i++)
        if (p.members[i].open)
            p.members[i].stage->pixels->close(p.members[i].state);
    free(p.arenas);
    return status;
}
