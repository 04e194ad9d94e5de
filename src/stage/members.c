#include "stage/members.h"

#include <stdlib.h>

/* at: the counts to be, or where the next member of clusters [from, to) goes. */
static df_status scan(df_members *m, int64_t *at, bool count, df_error *err)
{
    int32_t *cluster = malloc(DF_MEMBERS_READ * sizeof *cluster);
    df_member *members = malloc(DF_MEMBERS_READ * sizeof *members);
    df_status status = cluster && members ? DF_OK : df_fail(err, DF_NOMEM, "read clusters: out of memory");
    for (int64_t first = 0; status == DF_OK && first < m->n; first += DF_MEMBERS_READ) {
        int64_t n = m->n - first < DF_MEMBERS_READ ? m->n - first : DF_MEMBERS_READ;
        status = df_run_stopped(m->run) ? df_fail(err, DF_STOPPED, "stopped")
                                        : m->read(m->ctx, first, n, cluster, members, err);
        for (int64_t i = 0; status == DF_OK && i < n; i++) {
            if (cluster[i] >= 0 && count)
                at[cluster[i]]++;
            else if (cluster[i] >= m->from && cluster[i] < m->to)
                m->members[at[cluster[i] - m->from]++] = members[i];
        }
    }
    free(cluster);
    free(members);
    return status;
}

df_status df_members_count_all(df_members *m, df_error *err)
{
    m->first = calloc((size_t)m->n_clusters + 1, sizeof *m->first);
    if (!m->first)
        return df_fail(err, DF_NOMEM, "read clusters: out of memory");
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
    m->members = malloc(((size_t)(m->first[m->to] - m->first[from]) + 1) * sizeof *m->members);
    int64_t *at = malloc((size_t)(m->to - from) * sizeof *at);
    for (int64_t i = from; at && i < m->to; i++)
        at[i - from] = m->first[i] - m->first[from];
    df_status status =
        m->members && at ? scan(m, at, false, err) : df_fail(err, DF_NOMEM, "read clusters: out of memory");
    free(at);
    return status;
}

const df_member *df_members_of(const df_members *m, int64_t cluster, int64_t *n)
{
    *n = df_members_count(m, cluster);
    return m->members + (m->first[cluster] - m->first[m->from]);
}
