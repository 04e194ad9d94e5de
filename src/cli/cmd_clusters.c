/* densefusion clusters: shows the largest clusters, the members of one, or how many images another
 * eps would keep. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "command.h"
#include "tables/clusters.h"
#include "tables/joined.h"
#include "put.h"

enum { EPS_MAX = 100 };
typedef struct {
    int64_t top;
    char *eps;
} clusters_config;

const df_option cmd_clusters_options[] = {
    {"top", DF_OPT_INT, offsetof(clusters_config, top), "20", 1, 1e6,
     "how many clusters, or members of one, to show"},
    {"eps", DF_OPT_TEXT, offsetof(clusters_config, eps), NULL, 0, 0,
     "thresholds such as 0.05,0.1,0.2: how many images `dedup` would keep with each, from the "
     "similarities that it stored"},
    {0},
};

static const char *text(const df_table *t, int64_t row, const char *column)
{
    return df_table_text(t, row, df_table_column(t, column));
}

static int64_t number(const df_table *t, int64_t row, const char *column)
{
    return df_table_int(t, row, df_table_column(t, column));
}

static bool has(const df_table *t, int64_t row, const char *column)
{
    return !df_table_null(t, row, df_table_column(t, column));
}

/* Prints a count to out, or "-" when it is not known. */
static const char *count(const df_table *t, int64_t row, const char *column, char out[24])
{
    if (has(t, row, column))
        snprintf(out, 24, "%lld", (long long)number(t, row, column));
    else
        snprintf(out, 24, "-");
    return out;
}

/* ---- tables ---- */

static void print_largest(const df_table *t)
{
    char removed[24], selected[24];
    printf("%8s %9s %10s %9s %9s  %s\n", "cluster", "members", "similarity", "removed", "selected",
           "nearest to the centroid");
    for (int64_t i = 0; i < df_table_rows(t); i++)
        put_line(stdout, "%8lld %9lld %10.3f %9s %9s  %s", (long long)number(t, i, "cluster"),
                 (long long)number(t, i, "members"),
                 df_table_real(t, i, df_table_column(t, "similarity")),
                 count(t, i, "removed", removed), count(t, i, "selected", selected),
                 text(t, i, "path"));
}

/* Prints the members of a cluster and what became of each. */
static void print_members(const df_table *t)
{
    printf("%-14s %10s  %-24s %s\n", "id", "similarity", "fate", "path");
    for (int64_t i = 0; i < df_table_rows(t); i++) {
        char id[DF_PLACE_ID_MAX], fate[64];
        const char *reason = text(t, i, "reason");
        bool removed = strcmp(reason, "similar") == 0 || strcmp(reason, "copy") == 0;
        double nearest = df_table_real(t, i, df_table_column(t, "nearest_similarity"));
        df_place_print((df_place){(int32_t)number(t, i, "part"), number(t, i, "row")}, id);
        if (removed)
            snprintf(fate, sizeof fate, "removed: %s %.3f", reason, nearest);
        else if (*reason)
            snprintf(fate, sizeof fate, "not selected: %.40s", reason);
        else
            snprintf(fate, sizeof fate, has(t, i, "rank") ? "selected, rank %lld" : "kept",
                     (long long)number(t, i, "rank"));
        put_line(stdout, "%-14s %10.3f  %-24s %s%s%s", id,
                 df_table_real(t, i, df_table_column(t, "similarity")), fate, text(t, i, "path"),
                 removed ? "  like " : "", removed ? text(t, i, "nearest_path") : "");
    }
}

/* Prints all rows of a table as JSON. */
static df_status print_clusters_json(const df_table *t, df_error *err)
{
    df_str out = {0};
    df_json_writer w = {.out = &out, .lines = 1};
    df_json_begin_list(&w, NULL);
    for (int64_t row = 0; row < df_table_rows(t); row++)
        put_row(&w, t, row);
    df_json_end(&w);
    return put_json(&out, err);
}

/* ---- the sweep ---- */

static df_status parse_eps(const char *list, double eps[EPS_MAX], int *n, df_error *err)
{
    char *end;
    for (const char *p = list;; p = end + 1) {
        double v = strtod(p, &end);
        if (end == p || !(v >= 0 && v <= 2) || (*end && *end != ',') || *n == EPS_MAX)
            return df_fail(err, DF_CONFIG,
                           "--eps %s: not at most %d numbers from 0 to 2 like 0.1,0.2", list,
                           EPS_MAX);
        eps[(*n)++] = v;
        if (!*end)
            return DF_OK;
    }
}

static void print_sweep(const df_table *t, const df_similarities *now)
{
    printf("%8s %12s %12s   of %lld; go whatever eps is: copies %lld, without a vector %lld\n",
           "eps", "kept", "removed", (long long)(now->n_kept + now->n_similar),
           (long long)now->n_copies, (long long)now->n_no_vector);
    for (int64_t i = 0; i < df_table_rows(t); i++)
        printf("%8g %12lld %12lld\n", df_table_real(t, i, 0), (long long)df_table_int(t, i, 1),
               (long long)df_table_int(t, i, 2));
    printf("%8s %12lld %12lld\n", "as it is", (long long)now->n_kept, (long long)now->n_similar);
}

/* Counts how many images dedup would keep at each eps of the list. */
static df_status sweep(const df_dataset *ds, const char *list, bool json, df_error *err)
{
    static const df_column columns[] = {{"eps", DF_COLUMN_REAL, NULL},
                                        {"kept", DF_COLUMN_INT, NULL},
                                        {"removed", DF_COLUMN_INT, NULL},
                                        {0}};
    double eps[EPS_MAX];
    int64_t kept[EPS_MAX];
    df_similarities now;
    df_table *t = NULL;
    int n = 0;
    DF_TRY(parse_eps(list, eps, &n, err));
    DF_TRY(df_clusters_similarities(ds, &now, err));
    DF_TRY(df_clusters_sweep(ds, eps, n, kept, err));
    DF_TRY(df_table_create(&t, columns, err));
    df_status status = DF_OK;
    for (int i = 0; status == DF_OK && i < n; i++)
        status = df_table_append(t,
                                 (df_value[]){DF_REAL(eps[i]), DF_INT(kept[i]),
                                              DF_INT(now.n_kept + now.n_similar - kept[i])},
                                 err);
    if (status == DF_OK && json)
        status = print_clusters_json(t, err);
    else if (status == DF_OK)
        print_sweep(t, &now);
    df_table_close(t);
    return status;
}

/* ---- the command ---- */

/* Prints the largest clusters, the members of one, or the sweep over eps. */
static df_status show_clusters(const df_dataset *ds, const args *a, const clusters_config *config,
                               df_error *err)
{
    bool json = (a->given & FLAG_JSON) != 0, one = a->n_positional == 2;
    char *end = NULL;
    int64_t cluster = one ? strtoll(a->positional[1], &end, 10) : 0;
    df_table *t = NULL;
    if (one && (*end || !isdigit((unsigned char)a->positional[1][0])))
        return df_fail(err, DF_CONFIG, "%s: not the number of a cluster", a->positional[1]);
    if (one && config->eps)
        return df_fail(err, DF_CONFIG, "--eps counts over all clusters: leave %s out",
                       a->positional[1]);
    if (config->eps)
        return sweep(ds, config->eps, json, err);
    DF_TRY(one ? df_clusters_members(ds, &cluster, 1, config->top, &t, err)
               : df_clusters_largest(ds, config->top, &t, err));
    df_status status = DF_OK;
    if (one && df_table_rows(t) == 0)
        status = df_fail(err, DF_CONFIG, "cluster %lld has no members", (long long)cluster);
    else if (json)
        status = print_clusters_json(t, err);
    else if (one)
        print_members(t);
    else
        print_largest(t);
    df_table_close(t);
    return status;
}

int cmd_clusters(const command *self, const args *a)
{
    if (a->n_positional < 1 || a->n_positional > 2)
        return command_usage(self, "a dataset folder is needed, and at most one cluster");
    clusters_config config = {0};
    df_dataset *ds = NULL;
    df_error err = {""};
    df_status status = command_own_settings(a, "clusters", cmd_clusters_options, &config, &err);
    if (status == DF_OK)
        status = df_dataset_open(&ds, a->positional[0], &err);
    if (status == DF_OK)
        status = show_clusters(ds, a, &config, &err);
    df_dataset_close(ds);
    df_options_free(cmd_clusters_options, &config);
    return command_failed(status, &err);
}
