#include "engine/openai/batch_api.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/hash.h"
#include "base/range_lock.h"
#include "engine/openai/access.h"
#include "io/http.h"
#include "io/json.h"
#include "io/secret.h"

enum { FILE_BYTES_MAX = 256 << 20, LIST_PAGES_MAX = 1000, URL_MAX = 8192 };
#define ANSWER_BYTES_MAX ((size_t)16 << 20)
#define RESULT_BYTES_MAX ((size_t)1 << 30)

typedef struct {
    const df_batch_server *server;
    const char *folder;
    df_folder *files;                        /* that folder */
    int lock;
    char *base, *key;                        /* "https://api.openai.com/v1" */
    const char *query;                       /* of the address, behind base's end; "": none */
    df_http *http;
    /* of batches.json: {"batches": {"batch-0000.jsonl": {...}}} */
    df_json *state;
    char state_path[PATH_MAX];
} session;

/* ---- the state ---- */

static df_status save(const session *s, df_error *err)
{
    char *text = df_json_pretty(s->state);
    df_status status = text ? df_folder_write(s->files, "batches.json", text, strlen(text), err)
                            : df_no_memory(err, "batch");
    free(text);
    return status;
}

/* Reads batches.json, or begins it. */
static df_status load_state(session *s, df_error *err)
{
    char *text = NULL;
    size_t size = 0;
    bool found;
    if ((size_t)snprintf(s->state_path, sizeof s->state_path, "%s/batches.json", s->folder) >=
        sizeof s->state_path)
        return df_fail(err, DF_IO, "%s: path is too long", s->folder);
    DF_TRY(df_file_find(s->state_path, &found, err));
    if (found) {
        DF_TRY(df_file_read(s->state_path, ANSWER_BYTES_MAX, &text, &size, err));
        df_status status = df_json_parse(&s->state, text, size, s->state_path, err);
        free(text);
        if (status == DF_OK && df_json_kind(df_json_member(s->state, "batches")) != DF_JSON_OBJECT)
            status = df_fail(err, DF_FORMAT, "%s: no \"batches\" in it", s->state_path);
        return status;
    }
    s->state = df_json_new_object();
    return s->state && df_json_set(s->state, "batches", df_json_new_object())
               ? DF_OK
               : df_no_memory(err, "batch");
}

static df_json *entry_of(const session *s, const char *name)
{
    df_json *batches = df_json_edit(s->state, "batches");
    df_json *entry = df_json_edit(batches, name);
    if (entry)
        return entry;
    df_json_set(batches, name, df_json_new_object());
    return df_json_edit(batches, name);
}

static const char *known(const session *s, const char *name, const char *key)
{
    return df_json_text(
        df_json_member(df_json_member(df_json_member(s->state, "batches"), name), key));
}

static df_status note(const session *s, const char *name, const char *key, const char *value,
                      df_error *err)
{
    if (!df_json_set(entry_of(s, name), key, df_json_new_text(value)))
        return df_fail(err, DF_FORMAT, "%s: %s of %s: not plain text", s->state_path, key, name);
    return save(s, err);
}

/* ---- the server ---- */

static void close_session(session *s)
{
    df_http_close(s->http);
    df_json_close(s->state);
    df_folder_close(s->files);
    if (s->lock >= 0)
        close(s->lock);
    free(s->base);
    free(s->key);
}

/* The folder that `batch write` made, for this process alone: two that submit at once would both
 * pay. */
static df_status open_folder(session *s, df_error *err)
{
    bool is_ours;
    DF_TRY(df_folder_is_ours(s->folder, DF_BATCH_FOLDER, &is_ours, err));
    if (!is_ours)
        return df_fail(err, DF_CONFIG,
                       "%s: no folder of batch files; `densefusion batch write` makes one (what an "
                       "older version "
                       "submitted is fetched by that version; `batch merge` takes its answers)",
                       s->folder);
    DF_TRY(df_folder_open(&s->files, s->folder, DF_BATCH_FOLDER, err));
    DF_TRY(df_folder_open_lock(s->files, &s->lock, err));
    const int reason = df_range_lock(s->lock, DF_RANGE_ALONE, 0, 1, false);
    if (reason == EAGAIN)
        return df_fail(err, DF_IO,
                       "%s: another densefusion batch is at work there; wait for it or stop it",
                       s->folder);
    return reason == 0 ? DF_OK : df_fail(err, DF_IO, "lock %s: %s", s->folder, strerror(reason));
}

/* Opens a folder of batch files for talk with its server. */
static df_status open_session(session *s, const df_batch_server *server, const char *folder,
                              df_error *err)
{
    *s = (session){.server = server, .folder = folder, .lock = -1};
    if (!server->options->url)
        return df_fail(
            err, DF_CONFIG,
            "caption.openai.url: the batch API needs its server, such as https://api.openai.com");
    if (server->options->ca_file && *server->options->ca_file)
        DF_TRY(df_file_check(server->options->ca_file, err));
    df_status status =
        df_openai_url(server->options->url, strlen(server->options->url), "", &s->base, err);
    if (status == DF_OK) {
        char *mark = strchr(s->base, '?');
        s->query = mark ? mark + 1 : "";
        if (mark)
            *mark = '\0';
        status = df_openai_key_read(server->options->api_key_file, &s->key, err);
    }
    if (status == DF_OK)
        status = open_folder(s, err);
    if (status == DF_OK)
        status = load_state(s, err);
    if (status == DF_OK)
        status = df_http_open(&s->http, err);
    if (status != DF_OK)
        close_session(s);
    return status;
}

/* The server's own words into err. */
static df_status refused(const char *url, const df_http_answer *answer, const df_json *root,
                         df_error *err)
{
    char shown[DF_URL_SHOWN];
    df_str words = {0};
    df_url_show(url, strlen(url), shown);
    const char *text = df_json_text(df_json_member(df_json_member(root, "error"), "message"));
    df_str_append_clean(&words, text ? text : answer->body, text ? strlen(text) : answer->size,
                        300);
    df_status status =
        df_fail(err, DF_REMOTE, "%.200s: HTTP %ld: %s", shown, answer->code, df_str_text(&words));
    df_str_free(&words);
    return status;
}

static df_http_request request_to(const session *s, const char *url)
{
    return (df_http_request){.url = url,
                             .bearer = s->key,
                             .ca_file = s->server->options->ca_file && *s->server->options->ca_file
                                            ? s->server->options->ca_file
                                            : NULL,
                             .answer_max = ANSWER_BYTES_MAX,
                             .timeout_s = s->server->options->timeout_s,
                             .stop = s->server->stop};
}

/* The address's own query stays at the end. */
static df_status url_of(const session *s, const char *path, char url[URL_MAX], df_error *err)
{
    const char *between = !*s->query ? "" : strchr(path, '?') ? "&" : "?";
    return (size_t)snprintf(url, URL_MAX, "%s%s%s%s", s->base, path, between, s->query) < URL_MAX
               ? DF_OK
               : df_fail(err, DF_REMOTE, "%.100s: an id of the server is too long", s->base);
}

/* One call; *root is its JSON answer. body, upload: NULL or what is sent. */
static df_status call(session *s, const char *path, const char *body, const char *upload,
                      df_json **root, df_error *err)
{
    char url[URL_MAX], shown[DF_URL_SHOWN];
    df_http_answer answer = {0};
    *root = NULL;
    DF_TRY(url_of(s, path, url, err));
    df_url_show(url, strlen(url), shown);
    df_http_request request = request_to(s, url);
    request.body = body;
    request.body_size = body ? strlen(body) : 0;
    request.upload = upload;
    request.is_file = upload != NULL;
    DF_TRY(df_http_ask(s->http, &request, &answer, err));
    df_status status = df_json_parse(root, answer.body, answer.size, shown, err);
    if (answer.code < 200 || answer.code >= 300)
        status = refused(url, &answer, *root, err);
    free(answer.body);
    if (status != DF_OK) {
        df_json_close(*root);
        *root = NULL;
    }
    return status == DF_FORMAT ? DF_REMOTE : status;
}

/* An id goes into a URL: letters, digits, - and _ alone. */
static const char *id_of(const df_json *root, const char *key)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *id = df_json_text(df_json_member(root, key));
    return id && *id && strlen(id) < 200 && id[strspn(id, plain)] == '\0' ? id : NULL;
}

/* ---- the folder ---- */

static int is_batch(const struct dirent *e)
{
    const size_t n = strlen(e->d_name);
    return strncmp(e->d_name, "batch-", 6) == 0 && n > 12 &&
           strcmp(e->d_name + n - 6, ".jsonl") == 0;
}

typedef df_status (*each_batch)(session *s, const char *name, int *n, df_error *err);

/* Does the work for every batch file, in the order of their names. */
static df_status for_each(session *s, each_batch work, int *n, df_error *err)
{
    struct dirent **names;
    const int count = scandir(s->folder, &names, is_batch, alphasort);
    if (count < 0)
        return df_fail(err, DF_IO, "%s: no such folder", s->folder);
    df_status status =
        count > 0 ? DF_OK
                  : df_fail(err, DF_CONFIG,
                            "%s: no batch-*.jsonl there; `densefusion batch write` makes them",
                            s->folder);
    for (int i = 0; i < count; i++) {
        if (status == DF_OK && s->server->stop && atomic_load(s->server->stop))
            status = df_stopped(err);
        if (status == DF_OK)
            status = work(s, names[i]->d_name, n, err);
        free(names[i]);
    }
    free(names);
    return status;
}

static void say(const session *s, const char *name)
{
    const char *status = known(s, name, "status");
    if (s->server->say)
        s->server->say(s->server->ctx, name, status ? status : "not submitted");
}

/* ---- submitting ---- */

static df_status path_of(const session *s, const char *name, char path[PATH_MAX], df_error *err)
{
    return (size_t)snprintf(path, PATH_MAX, "%s/%s", s->folder, name) < PATH_MAX
               ? DF_OK
               : df_fail(err, DF_IO, "%s: path is too long", name);
}

/* What marks a batch as that of this file, on the server as well. */
static df_status mark_of(const char *path, char hex[DF_HASH_HEX], df_error *err)
{
    char *bytes;
    size_t size;
    DF_TRY(df_file_read(path, FILE_BYTES_MAX, &bytes, &size, err));
    df_hash_hex(bytes, size, hex);
    free(bytes);
    return DF_OK;
}

static df_status upload(session *s, const char *name, const char *path, df_error *err)
{
    df_json *root;
    if (known(s, name, "file"))
        return DF_OK;
    DF_TRY(call(s, "/files", NULL, path, &root, err));
    const char *id = id_of(root, "id");
    df_status status = id ? note(s, name, "file", id, err)
                          : df_fail(err, DF_REMOTE, "%s/files: no id in the answer", s->base);
    df_json_close(root);
    return status;
}

static const df_json *find_marked(const df_json *list, const char *mark)
{
    for (size_t i = 0; i < df_json_count(list); i++) {
        const char *found = df_json_text(
            df_json_member(df_json_member(df_json_item(list, i), "metadata"), "densefusion"));
        if (found && strcmp(found, mark) == 0)
            return df_json_item(list, i);
    }
    return NULL;
}

/* Whether the server has a batch with this mark: one that was made when the program was killed
 * before it heard of it. */
static df_status look_up(session *s, const char *name, const char *mark, bool *found, df_error *err)
{
    char path[300] = "/batches?limit=100";
    *found = false;
    for (int page = 0; page < LIST_PAGES_MAX; page++) {
        df_json *root;
        DF_TRY(call(s, path, NULL, NULL, &root, err));
        const df_json *list = df_json_member(root, "data"), *hit = find_marked(list, mark);
        const char *id = hit ? id_of(hit, "id") : NULL;
        const char *last =
            id_of(df_json_item(list, df_json_count(list) ? df_json_count(list) - 1 : 0), "id");
        const bool more = !hit && last && df_json_bool(df_json_member(root, "has_more"), false);
        df_status status = id ? note(s, name, "batch", id, err) : DF_OK;
        *found = id && status == DF_OK;
        if (more)
            snprintf(path, sizeof path, "/batches?limit=100&after=%s", last);
        df_json_close(root);
        if (status != DF_OK || !more)
            return status;
    }
    return DF_OK;
}

/* Creates the batch of an uploaded file. Its mark is noted first, so that it is found again when
 * the answer is lost. */
static df_status create(session *s, const char *name, const char *mark, df_error *err)
{
    df_json *root;
    df_str body = {0};
    df_str_printf(&body,
                  "{\"input_file_id\":\"%s\",\"endpoint\":\"/v1/chat/"
                  "completions\",\"completion_window\":\"24h\","
                  "\"metadata\":{\"densefusion\":\"%s\"}}",
                  known(s, name, "file"), mark);
    df_status status = body.failed ? df_no_memory(err, "batch") : note(s, name, "mark", mark, err);
    if (status == DF_OK)
        status = call(s, "/batches", df_str_text(&body), NULL, &root, err);
    df_str_free(&body);
    DF_TRY(status);
    const char *id = id_of(root, "id");
    status = id ? note(s, name, "batch", id, err)
                : df_fail(err, DF_REMOTE, "%s/batches: no id in the answer", s->base);
    df_json_close(root);
    return status;
}

/* Uploads a file and creates its batch, unless that was done before. */
static df_status submit_one(session *s, const char *name, int *n, df_error *err)
{
    char path[PATH_MAX], mark[DF_HASH_HEX];
    bool found = false;
    if (known(s, name, "batch"))
        return DF_OK;
    DF_TRY(path_of(s, name, path, err));
    DF_TRY(mark_of(path, mark, err));
    DF_TRY(upload(s, name, path, err));
    if (known(s, name, "mark"))              /* it was asked for, and the answer is not known */
        DF_TRY(look_up(s, name, mark, &found, err));
    if (!found)
        DF_TRY(create(s, name, mark, err));
    DF_TRY(note(s, name, "status", "submitted", err));
    *n += 1;
    say(s, name);
    return DF_OK;
}

df_status df_batch_submit(const df_batch_server *server, const char *folder, int *n, df_error *err)
{
    session s;
    *n = 0;
    DF_TRY(open_session(&s, server, folder, err));
    df_status status = for_each(&s, submit_one, n, err);
    close_session(&s);
    return status;
}

/* ---- polling and fetching ---- */

static bool has_ended(const char *status)
{
    static const char *const ends[] = {"completed", "failed", "expired", "cancelled"};
    for (size_t i = 0; status && i < sizeof ends / sizeof ends[0]; i++)
        if (strcmp(status, ends[i]) == 0)
            return true;
    return false;
}

static df_status note_ids(session *s, const char *name, const df_json *root, df_error *err)
{
    const char *output = id_of(root, "output_file_id"), *errors = id_of(root, "error_file_id");
    if (output)
        DF_TRY(note(s, name, "output", output, err));
    return errors ? note(s, name, "errors", errors, err) : DF_OK;
}

/* Asks for the state of a batch that has not ended. */
static df_status poll_one(session *s, const char *name, int *n_open, df_error *err)
{
    char path[300];
    df_json *root;
    const char *batch = known(s, name, "batch");
    if (!batch || has_ended(known(s, name, "status"))) {
        say(s, name);
        return DF_OK;
    }
    snprintf(path, sizeof path, "/batches/%.200s", batch);
    DF_TRY(call(s, path, NULL, NULL, &root, err));
    const char *now = id_of(root, "status");
    df_status status = note_ids(s, name, root, err);
    if (status == DF_OK)
        status = now ? note(s, name, "status", now, err)
                     : df_fail(err, DF_REMOTE, "%s%s: no status in the answer", s->base, path);
    *n_open += status == DF_OK && !has_ended(now);
    df_json_close(root);
    if (status == DF_OK)
        say(s, name);
    return status;
}

df_status df_batch_poll(const df_batch_server *server, const char *folder, int *n_open,
                        df_error *err)
{
    session s;
    *n_open = 0;
    DF_TRY(open_session(&s, server, folder, err));
    df_status status = for_each(&s, poll_one, n_open, err);
    close_session(&s);
    return status;
}

/* Fetches a file of answers or errors, unless it is there. */
static df_status fetch_file(session *s, const char *id, const char *kind, const char *name, int *n,
                            df_error *err)
{
    char path[PATH_MAX], content[300], url[URL_MAX];
    df_http_answer answer = {0};
    if (!id)
        return DF_OK;
    if ((size_t)snprintf(path, sizeof path, "%s/%s-%s", s->folder, kind, name + strlen("batch-")) >=
        sizeof path)
        return df_fail(err, DF_IO, "%s: path is too long", name);
    if (df_file_exists(path))
        return DF_OK;
    snprintf(content, sizeof content, "/files/%.200s/content", id);
    DF_TRY(url_of(s, content, url, err));
    df_http_request request = request_to(s, url);
    request.is_file = true;
    request.answer_max = RESULT_BYTES_MAX;
    DF_TRY(df_http_ask(s->http, &request, &answer, err));
    df_status status = answer.code == 200 ? df_folder_write(s->files, strrchr(path, '/') + 1,
                                                            answer.body, answer.size, err)
                                          : refused(url, &answer, NULL, err);
    *n += status == DF_OK;
    free(answer.body);
    return status;
}

static df_status fetch_one(session *s, const char *name, int *n, df_error *err)
{
    int open = 0;
    DF_TRY(poll_one(s, name, &open, err));
    if (!has_ended(known(s, name, "status")))
        return DF_OK;
    DF_TRY(fetch_file(s, known(s, name, "output"), "answers", name, n, err));
    return fetch_file(s, known(s, name, "errors"), "errors", name, n, err);
}

df_status df_batch_fetch(const df_batch_server *server, const char *folder, int *n, df_error *err)
{
    session s;
    *n = 0;
    DF_TRY(open_session(&s, server, folder, err));
    df_status status = for_each(&s, fetch_one, n, err);
    close_session(&s);
    return status;
}
