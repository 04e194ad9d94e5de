/* A chat server that costs next to nothing, for measuring clients: bench_chat_server
 * [NAME=VALUE]... port=0         on loopback; 0: any. The first line printed is the URL delay_ms=0
 * before each answer cut=0          share of requests whose connection is cut in mid-answer
 *   storm_every=0 storm=0   seconds: of every `storm_every` the last `storm` answer 429
 *   log=FILE       a line per answer that was sent whole: hash of the request's body, prompt and
 * completion tokens A caption holds its request's hash; tokens follow from it. One thread a
 * connection; ends with SIGTERM. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"

enum { BODY_MAX = 64 << 20, HEAD_MAX = 16384 };

static struct {
    long port, delay_ms;
    double cut, storm_every, storm;
    int log;
} told = {.log = -1};
static atomic_uint_fast64_t n_requests;
static double started;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool respond(int fd, const char *status, const char *body, size_t size)
{
    char head[256];
    const int n =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                 status, size);
    char all[2048];
    const size_t whole = (size_t)n + strlen(body);
    memcpy(all, head, (size_t)n);
    memcpy(all + n, body, strlen(body));
    return send_all(fd, all, whole) && strlen(body) == size;
}

static bool in_storm(void)
{
    if (told.storm_every <= 0)
        return false;
    const double at = seconds() - started,
                 within = at - (double)(long)(at / told.storm_every) * told.storm_every;
    return within > told.storm_every - told.storm;
}

/* False: the connection is over. */
static bool answer(int fd, const char *request, size_t size)
{
    static const char busy[] = "{\"error\":{\"message\":\"slow down\"}}";
    const uint64_t n = atomic_fetch_add(&n_requests, 1), hash = df_hash_64(request, size);
    if (in_storm())
        return respond(fd, "429 Too Many Requests", busy, sizeof busy - 1);
    if (told.delay_ms > 0)
        nanosleep(&(struct timespec){told.delay_ms / 1000, told.delay_ms % 1000 * 1000000}, NULL);
    const int prompt = 700 + (int)(hash % 100), completion = 100 + (int)(hash / 100 % 100);
    char body[1024], line[64];
    const int length = snprintf(
        body, sizeof body,
        "{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"mock\",\"choices\":[{\"index\":0,"
        "\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"A picture "
        "numbered %016" PRIx64 " lies on a plain wooden table beside a "
        "window.\"}}],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d,"
        "\"total_tokens\":%d}}",
        hash, prompt, completion, prompt + completion);
    const uint64_t dice = df_hash_64(&n, sizeof n);
    if ((double)(dice >> 11) / 9007199254740992.0 < told.cut) {
        respond(fd, "200 OK", "{\"choices\":[", (size_t)length);
        return false;
    }
    const int written =
        snprintf(line, sizeof line, "%016" PRIx64 " %d %d\n", hash, prompt, completion);
    if (!respond(fd, "200 OK", body, (size_t)length))
        return false;
    return told.log < 0 || write(told.log, line, (size_t)written) == written;
}

/* Reads one request into *body; 0: the connection is over. */
static size_t receive(int fd, char *head, char **body, size_t *capacity)
{
    size_t n = 0;
    char *end = NULL;
    while (!end) {
        const ssize_t got = recv(fd, head + n, HEAD_MAX - 1 - n, 0);
        if (got <= 0)
            return 0;
        n += (size_t)got;
        head[n] = '\0';
        end = memmem(head, n, "\r\n\r\n", 4);
    }
    const char *length = strcasestr(head, "content-length:");
    const size_t size = length ? strtoul(length + 15, NULL, 10) : 0;
    size_t have = n - (size_t)(end + 4 - head);
    if (size == 0 || size > BODY_MAX || have > size)
        return 0;
    if (size > *capacity) {
        free(*body);
        *body = malloc(size);
        *capacity = size;
    }
    memcpy(*body, end + 4, have);
    while (have < size) {
        const ssize_t got = recv(fd, *body + have, size - have, 0);
        if (got <= 0)
            return 0;
        have += (size_t)got;
    }
    return size;
}

static void *serve(void *arg)
{
    const int fd = (int)(intptr_t)arg;
    char *head = malloc(HEAD_MAX), *body = NULL;
    size_t capacity = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    for (size_t size; (size = receive(fd, head, &body, &capacity)) > 0;)
        if (!answer(fd, body, size))
            break;
    free(head);
    free(body);
    close(fd);
    return NULL;
}

static void read_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (!value)
            exit(2);
        value++;
        if (strncmp(argv[i], "port=", 5) == 0)
            told.port = atol(value);
        else if (strncmp(argv[i], "delay_ms=", 9) == 0)
            told.delay_ms = atol(value);
        else if (strncmp(argv[i], "cut=", 4) == 0)
            told.cut = atof(value);
        else if (strncmp(argv[i], "storm_every=", 12) == 0)
            told.storm_every = atof(value);
        else if (strncmp(argv[i], "storm=", 6) == 0)
            told.storm = atof(value);
        else if (strncmp(argv[i], "log=", 4) == 0)
            told.log = open(value, O_WRONLY | O_APPEND | O_CREAT, 0666);
        else
            exit(2);
    }
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    const int listening = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)told.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listening, (struct sockaddr *)&at, size) != 0 || listen(listening, 1024) != 0 ||
        getsockname(listening, (struct sockaddr *)&at, &size) != 0) {
        perror("listen");
        return 1;
    }
    printf("http://127.0.0.1:%d\n", ntohs(at.sin_port));
    fflush(stdout);
    started = seconds();
    for (int fd; (fd = accept(listening, NULL, NULL)) >= 0;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
        else
            close(fd);
    }
    return 0;
}
