#include "tables/clusters.h"

#include <stdlib.h>
#include <string.h>

#include "dataset/sql_text.h"

enum { MEMORY_MB = 1024 };
/* Of the tables only the places of what is shown come into memory; paths and the like are then read
 * from their parts alone. */
typedef struct {
    const df_dataset *ds;
    df_sql *sql;
    df_str text;
} asking;

static df_status finish(asking *a, df_status status)
{
    df_sql_close(a->sql);
    df_str_free(&a->text);
    return status;
}

/* Runs the text at hand; out: NULL for its effect alone. */
static df_status ask(asking *a, df_table **out, df_error *err)
{
    df_status status = a->text.failed ? df_no_memory(err, "look at clusters") : DF_OK;
    if (status == DF_OK && !a->sql)
        status = df_sql_open(&a->sql, MEMORY_MB, NULL, err);
    if (status == DF_OK)
        status = out ? df_sql_query(a->sql, df_str_text(&a->text), out, err)
                     : df_sql_exec(a->sql, df_str_text(&a->text), err);
    df_str_clear(&a->text);
    return status;
}

/* What is read of a stage: its columns, and the same as typed nulls for when it has not run. */
typedef struct {
    const char *stage, *columns, *nothing;
} fields;
static const fields of_ingest = {"ingest", "path", "''::VARCHAR AS path"};
static const fields of_dedup = {
    "dedup", "reason, nearest_part, nearest_row, similarity, hash_distance",
    "''::VARCHAR AS reason, 0::BIGINT AS nearest_part, 0::BIGINT AS nearest_row, "
    "0::DOUBLE AS similarity, 0::BIGINT AS hash_distance"};
static const fields of_select = {"select", "reason, \"rank\"",
                                 "''::VARCHAR AS reason, 0::BIGINT AS \"rank\""};

/* CREATE TABLE name: the fields of the rows that `places`, a query of part and row, asks for. */
static df_status fetch(asking *a, const char *name, fields f, const char *places, df_error *err)
{
    df_table *parts = NULL;
    df_str_printf(&a->text, "SELECT DISTINCT part FROM (%s) WHERE part IS NOT NULL ORDER BY part",
                  places);
    DF_TRY(ask(a, &parts, err));
    df_str_printf(&a->text,
                  "CREATE TABLE %s AS SELECT t.* FROM (SELECT DISTINCT part, \"row\" FROM (%s)) p "
                  "JOIN (SELECT 0::BIGINT AS part, 0::BIGINT AS \"row\", %s WHERE false",
                  name, places, f.nothing);
    df_status status = DF_OK;
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(parts); i++) {
        int part = (int)df_table_int(parts, i, 0);
        if (!df_dataset_has_part(a->ds, f.stage, part))
            continue;
        char *path = df_dataset_part_path(a->ds, f.stage, part, "parquet");
        df_str_printf(&a->text, " UNION ALL SELECT %d, \"row\", %s FROM ", part, f.columns);
        status = df_sql_read_parquet(&a->text, path, "", err);
        free(path);
    }
    df_table_close(parts);
    DF_TRY(status);
    df_str_append(&a->text, ") t ON t.part = p.part AND t.\"row\" = p.\"row\"");
    return ask(a, NULL, err);
}

df_status df_clusters_largest(const df_dataset *ds, int64_t limit, df_table **out, df_error *err)
{
    asking a = {.ds = ds};
    bool selected = df_dataset_has_all(ds, "select");
    df_str_append(
        &a.text,
        "CREATE TABLE found AS SELECT *, " DF_PLACE_SQL_PART("place") " AS part, " DF_PLACE_SQL_ROW(
            "place") " AS \"row\" FROM "
                     "(SELECT cluster, count(*) AS members, avg(similarity) AS similarity, "
                     "arg_max(" DF_PLACE_SQL ", (similarity, -(" DF_PLACE_SQL "))) AS place FROM ");
    df_status status = df_dataset_append_sql(ds, "cluster", &a.text, err);
    df_str_printf(&a.text, " GROUP BY cluster ORDER BY members DESC, cluster LIMIT %lld)",
                  (long long)limit);
    if (status == DF_OK)
        status = ask(&a, NULL, err);
    if (status == DF_OK)
        status = fetch(&a, "path", of_ingest, "SELECT part, \"row\" FROM found", err);
    df_str_append(&a.text, "SELECT f.cluster, f.members, f.similarity, ");
    df_str_append(&a.text, selected ? "f.members - coalesce(s.survived, 0) AS removed, "
                                      "coalesce(s.selected, 0) AS selected, "
                                    : "NULL::BIGINT AS removed, NULL::BIGINT AS selected, ");
    df_str_append(&a.text, "f.part, f.\"row\", p.path FROM found f LEFT JOIN path p ON p.part = "
                           "f.part AND p.\"row\" = f.\"row\"");
    if (status == DF_OK && selected) {
        df_str_append(&a.text, " LEFT JOIN (SELECT cluster, count(*) AS survived, count(*) FILTER "
                               "(kept) AS selected FROM ");
        status = df_dataset_append_sql(ds, "select", &a.text, err);
        df_str_append(&a.text, " GROUP BY cluster) s ON s.cluster = f.cluster");
    }
    df_str_append(&a.text, " ORDER BY f.members DESC, f.cluster");
    if (status == DF_OK)
        status = ask(&a, out, err);
    return finish(&a, status);
}

df_status df_clusters_members(const df_dataset *ds, const int64_t *clusters, int64_t n,
                              int64_t limit, df_table **out, df_error *err)
{
    asking a = {.ds = ds};
    df_str_append(
        &a.text,
        "CREATE TABLE found AS SELECT cluster, " DF_PLACE_SQL_PART(
            "(m).place") " AS part, " DF_PLACE_SQL_ROW("(m).place") " AS "
                                                                    "\"row\", "
                                                                    "(m).similarity AS similarity "
                                                                    "FROM (SELECT cluster, "
                                                                    "unnest(max({'similarity': "
                                                                    "similarity, "
                                                                    "'back': -(" DF_PLACE_SQL
                                                                    "), 'place': " DF_PLACE_SQL
                                                                    "}, ");
    df_str_printf(&a.text, "%lld)) AS m FROM ", (long long)limit);
    df_status status = df_dataset_append_sql(ds, "cluster", &a.text, err);
    df_str_append(&a.text, " WHERE cluster IN (-1");
    for (int64_t i = 0; i < n; i++)
        df_str_printf(&a.text, ", %lld", (long long)clusters[i]);
    df_str_append(&a.text, ") GROUP BY cluster)");
    if (status == DF_OK)
        status = ask(&a, NULL, err);
    if (status == DF_OK)
        status = fetch(&a, "dedup", of_dedup, "SELECT part, \"row\" FROM found", err);
    if (status == DF_OK)
        status = fetch(&a, "chosen", of_select, "SELECT part, \"row\" FROM found", err);
    if (status == DF_OK)
        status = fetch(
            &a, "path", of_ingest,
            "SELECT part, \"row\" FROM found UNION SELECT nearest_part, nearest_row FROM dedup",
            err);
    df_str_append(&a.text,
                  "SELECT f.cluster, f.part, f.\"row\", p.path, f.similarity, coalesce(d.reason, "
                  "s.reason) AS reason, "
                  "s.\"rank\", "
                  "d.nearest_part, d.nearest_row, q.path AS nearest_path, d.similarity AS "
                  "nearest_similarity FROM found f "
                  "LEFT JOIN path p ON p.part = f.part AND p.\"row\" = f.\"row\" "
                  "LEFT JOIN dedup d ON d.part = f.part AND d.\"row\" = f.\"row\" "
                  "LEFT JOIN chosen s ON s.part = f.part AND s.\"row\" = f.\"row\" "
                  "LEFT JOIN path q ON q.part = d.nearest_part AND q.\"row\" = d.nearest_row "
                  "ORDER BY f.cluster, f.similarity DESC, f.part, f.\"row\"");
    if (status == DF_OK)
        status = ask(&a, out, err);
    return finish(&a, status);
}

/* ---- how similar ---- */

/* Of a similarity, which of the 200 bins: (i / 100 - 1, (i + 1) / 100 - 1]; a
 * null must stay null: DuckDB's greatest() ignores nulls and would put it into bin 0. */
#define BIN                                                                                        \
    "CASE WHEN similarity IS NOT NULL THEN greatest(0, least(199, ceil((similarity + 1) * "        \
    "100)::BIGINT - 1)) END"

df_status df_clusters_similarities(const df_dataset *ds, df_similarities *out, df_error *err)
{
    asking a = {.ds = ds};
    df_table *t = NULL;
    df_str_append(&a.text, "SELECT coalesce(reason, 'kept') AS why, " BIN
                           " AS bin, count(*) AS n, min(similarity) AS lowest, "
                           "max(similarity) AS highest FROM ");
    df_status status = df_dataset_append_sql(ds, "dedup", &a.text, err);
    df_str_append(&a.text, " GROUP BY why, bin");
    if (status == DF_OK)
        status = ask(&a, &t, err);
    df_similarities s = {.highest_kept = -1, .lowest_removed = 1};
    for (int64_t i = 0; status == DF_OK && i < df_table_rows(t); i++) {
        const char *why = df_table_text(t, i, 0);
        int64_t n = df_table_int(t, i, 2);
        bool kept = strcmp(why, "kept") == 0, similar = strcmp(why, "similar") == 0,
             has = !df_table_null(t, i, 1);
        s.n_kept += kept ? n : 0;
        s.n_similar += similar ? n : 0;
        s.n_copies += strcmp(why, "copy") == 0 ? n : 0;
        s.n_no_vector += strcmp(why, "no vector") == 0 ? n : 0;
        s.n_first += kept && !has ? n : 0;
        if (!has || !(kept || similar))
            continue;
        s.bins[df_table_int(t, i, 1)] += n;
        if (kept && df_table_real(t, i, 4) > s.highest_kept)
            s.highest_kept = df_table_real(t, i, 4);
        if (similar && df_table_real(t, i, 3) < s.lowest_removed)
            s.lowest_removed = df_table_real(t, i, 3);
    }
    df_table_close(t);
    if (status == DF_OK)
        *out = s;
    return finish(&a, status);
}

df_status df_clusters_sweep(const df_dataset *ds, const double *eps, int n, int64_t *kept,
                            df_error *err)
{
    asking a = {.ds = ds};
    df_table *t = NULL;
    df_str_append(&a.text, "SELECT ");
    for (int i = 0; i < n; i++) /* the published rule compares in single precision */
        df_str_printf(
            &a.text,
            "%scount(*) FILTER ((reason IS NULL OR reason = 'similar') AND (similarity IS NULL OR "
            "similarity::FLOAT <= (%.17g)::FLOAT))",
            i ? ", " : "", 1 - eps[i]);
    df_str_append(&a.text, " FROM ");
    df_status status = df_dataset_append_sql(ds, "dedup", &a.text, err);
    if (status == DF_OK)
        status = ask(&a, &t, err);
    for (int i = 0; status == DF_OK && i < n; i++)
        kept[i] = df_table_int(t, 0, i);
    df_table_close(t);
    return finish(&a, status);
}

/* A multiplicative hash of the place stands for chance: the same pairs each time. */
df_status df_clusters_pairs(const df_dataset *ds, int64_t per_bin, double least, df_table **out,
                            df_error *err)
{
    asking a = {.ds = ds};
    df_str_append(
        &a.text,
        "CREATE TABLE found AS SELECT " DF_PLACE_SQL_PART(
            "(m).place") " AS part, " DF_PLACE_SQL_ROW("(m).place") " AS \"row\" FROM "
                                                                    "(SELECT unnest(min({'chance': "
                                                                    "((" DF_PLACE_SQL
                                                                    ") % 4294967291) * 2654435761 "
                                                                    "% 4294967291, "
                                                                    "'place': " DF_PLACE_SQL "}, ");
    df_str_printf(&a.text, "%lld)) AS m FROM ", (long long)per_bin);
    df_status status = df_dataset_append_sql(ds, "dedup", &a.text, err);
    df_str_printf(&a.text,
                  " WHERE similarity >= %.17g AND nearest_part IS NOT NULL GROUP BY " BIN
                  ", reason = 'copy')",
                  least);
    if (status == DF_OK)
        status = ask(&a, NULL, err);
    if (status == DF_OK)
        status = fetch(&a, "dedup", of_dedup, "SELECT part, \"row\" FROM found", err);
    if (status == DF_OK)
        status = fetch(
            &a, "path", of_ingest,
            "SELECT part, \"row\" FROM dedup UNION SELECT nearest_part, nearest_row FROM dedup",
            err);
    df_str_append(&a.text,
                  "SELECT d.part, d.\"row\", p.path, d.nearest_part, d.nearest_row, q.path AS "
                  "nearest_path, d.similarity, "
                  "d.reason, d.hash_distance FROM dedup d LEFT JOIN path p ON p.part = d.part AND "
                  "p.\"row\" = d.\"row\" "
                  "LEFT JOIN path q ON q.part = d.nearest_part AND q.\"row\" = d.nearest_row "
                  "ORDER BY d.similarity DESC, d.part, d.\"row\"");
    if (status == DF_OK)
        status = ask(&a, out, err);
    return finish(&a, status);
}
