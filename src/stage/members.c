#include "stage/members.h"

#include <stdlib.h>

/* What is read may be damaged: a number that is no cluster's, or other members
 * than were counted. */
static df_status damaged(df_error *err)
{
    return df_fail(err, DF_FORMAT,
                   "its working files (part-*.partial) are damaged: remove them and run again");
}

static df_status count_member(const df_members *m, int32_t cluster, int64_t *counts, df_error *err)
{
    if (cluster >= m->n_clusters)
        return damaged(err);
    if (cluster >= 0)
        counts[cluster]++;
    return DF_OK;
}

static df_status take_member(const df_members *m, int32_t cluster, const df_member *member,
                             int64_t *at, df_error *err)
{
    if (cluster < m->from || cluster >= m->to)
        return DF_OK;
    int64_t *next = &at[cluster - m->from];
    if (*next >= m->first[cluster + 1] - m->first[m->from])
        return damaged(err);
    m->members[(*next)++] = *member;
    return DF_OK;
}

/* at: the counts to be, or where the next member of clusters [from, to) goes. */
static df_status scan(df_members *m, int64_t *at, bool count, df_error *err)
{
    int32_t *cluster = malloc(DF_MEMBERS_READ * sizeof *cluster);
    df_member *members = malloc(DF_MEMBERS_READ * sizeof *members);
    df_status status = cluster && members ? DF_OK : df_no_memory(err, "read clusters");
    for (int64_t first = 0; status == DF_OK && first < m->n; first += DF_MEMBERS_READ) {
        int64_t n = m->n - first < DF_MEMBERS_READ ? m->n - first : DF_MEMBERS_READ;
        status = df_run_stopped(m->run) ? df_stopped(err)
                                        : m->read(m->ctx, first, n, cluster, members, err);
        for (int64_t i = 0; status == DF_OK && i < n; i++)
            status = count ? count_member(m, cluster[i], at, err)
                           : take_member(m, cluster[i], &members[i], at, err);
    }
    free(cluster);
    free(members);
    return status;
}

df_status df_members_count_all(df_members *m, df_error *err)
{
    m->first = calloc((size_t)m->n_clusters + 1, sizeof *m->first);
    if (!m->first)
        return df_no_memory(err, "read clusters");
    DF_TRY(scan(m, m->first, true, err));
    for (int64_t i = 0, sum = 0, n; i <= m->n_clusters; i++, sum += n) {
        n = m->first[i];
        m->first[i] = sum;
    }
    return DF_OK;
}

void df_members_free(df_members *m)
{
    free(m->first);
    free(m->members);
    m->first = NULL;
    m->members = NULL;
}

int64_t df_members_count(const df_members *m, int64_t cluster)
{
    return m->first[cluster + 1] - m->first[cluster];
}

int64_t df_members_left(const df_members *m, int64_t from)
{
    return m->first[m->n_clusters] - m->first[from];
}

df_status df_members_load(df_members *m, int64_t from, df_error *err)
{
    m->from = from;
    m->to = from + 1;
    while (m->to < m->n_clusters && m->first[m->to + 1] - m->first[from] <= DF_MEMBERS_MAX)
        m->to++;
    free(m->members);
    m->members = calloc(((size_t)(m->first[m->to] - m->first[from]) + 1), sizeof *m->members);
    int64_t *at = malloc((size_t)(m->to - from) * sizeof *at);
    for (int64_t i = from; at && i < m->to; i++)
        at[i - from] = m->first[i] - m->first[from];
    df_status status =
        m->members && at ? scan(m, at, false, err) : df_no_memory(err, "read clusters");
    free(at);
    return status;
}

const df_member *df_members_of(const df_members *m, int64_t cluster, int64_t *n)
{
    *n = df_members_count(m, cluster);
    return m->members + (m->first[cluster] - m->first[m->from]);
}
