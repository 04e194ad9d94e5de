/* A statement of a test, for its effect. */
#ifndef TESTS_SQL_RUN_H
#define TESTS_SQL_RUN_H
#include "dataset/table.h"

static inline df_status sql_run(const char *sql, df_error *err)
{
    df_sql *session;
    DF_TRY(df_sql_open(&session, 256, NULL, err));
    df_status status = df_sql_exec(session, sql, err);
    df_sql_close(session);
    return status;
}
#endif
