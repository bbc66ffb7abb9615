/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from libmicrohttpd to answers and back: see http.h. */
#define _POSIX_C_SOURCE 200809L
#include "http.h"

#include "answers.h"

#include <microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY_BYTES = 16384, MOST_CONNECTIONS = 1024, IDLE_SECONDS = 30, PATIENCE_SECONDS = 5 };

typedef struct request {
    question asks;
    struct timespec began;
    bool refused; /* a parameter was: problem says why */
    complaint problem;
    bool body_too_large;
    size_t body_bytes;
    char body[BODY_BYTES + 1];
} request;

/* An answer on its way: text in memory of its own. */
typedef struct reply {
    unsigned status;
    const char *type;
    char *text;
    size_t bytes;
} reply;

static uint64_t nanoseconds_since(const struct timespec *began)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)(now.tv_sec - began->tv_sec) * 1000000000U + (uint64_t)now.tv_nsec - (uint64_t)began->tv_nsec;
}

/* ---- what is answered ---- */

static unsigned http_status(cfd_status status)
{
    switch (status) {
    case CFD_OK: return MHD_HTTP_OK;
    case CFD_ERROR_ARGUMENT:
    case CFD_ERROR_DATA: return MHD_HTTP_BAD_REQUEST;
    default: return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

static unsigned refuse(unsigned status, const char *message, FILE *out)
{
    answer_error(message, out);
    return status;
}

static unsigned write_metrics(service *s, const cfd_scorer *scorer, FILE *out)
{
    cfd_scorer_info info = CFD_SCORER_INFO_INIT;
    cfd_status status = cfd_scorer_get_info(scorer, &info);
    if (status != CFD_OK) {
        return refuse(http_status(status), cfd_last_error(), out);
    }
    metrics_write(&s->counts, info.steps_done, out);
    return MHD_HTTP_OK;
}

static unsigned ask(service *s, const question *q, FILE *out)
{
    cfd_scorer *scorer = models_hold(&s->serving);
    unsigned code;
    if (q->asked == ENDPOINT_METRICS) {
        code = write_metrics(s, scorer, out);
    } else {
        cfd_status status = answer(q, scorer, out);
        code = http_status(status);
        if (status != CFD_OK) {
            answer_error(status == CFD_ERROR_MEMORY ? "out of memory" : cfd_last_error(), out);
        }
    }
    cfd_scorer_release(scorer);
    return code;
}

static enum MHD_Result take_argument(void *user, enum MHD_ValueKind kind, const char *name, size_t name_bytes,
                                     const char *value, size_t value_bytes)
{
    request *r = user;
    r->refused = question_set(&r->asks, name, value, &r->problem) != 0;
    return r->refused ? MHD_NO : MHD_YES;
}

/* The parameters of the URL, then those of the body. */
static bool read_question(request *r, struct MHD_Connection *connection, bool with_body)
{
    (void)MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_argument, r);
    if (!r->refused && with_body) {
        r->body[r->body_bytes] = '\0';
        if (strlen(r->body) != r->body_bytes) {
            r->refused = complain(&r->problem, "the body has a byte of zero") != 0;
        } else {
            r->refused = question_set_form(&r->asks, r->body, &r->problem) != 0;
        }
    }
    return !r->refused && question_check(&r->asks, &r->problem) == 0;
}

static const char *allowed_methods(endpoint e)
{
    return endpoint_takes_body(e) ? "GET, HEAD, POST" : "GET, HEAD";
}

static unsigned respond(service *s, request *r, struct MHD_Connection *connection, const char *method, FILE *out)
{
    bool post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
    bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (r->asks.asked == ENDPOINT_NONE) {
        return refuse(MHD_HTTP_NOT_FOUND, "there is no such endpoint", out);
    }
    if (!get && !(post && endpoint_takes_body(r->asks.asked))) {
        return refuse(MHD_HTTP_METHOD_NOT_ALLOWED, "the endpoint does not take this method", out);
    }
    if (post && r->body_too_large) {
        (void)complain(&r->problem, "the body is longer than %d bytes", BODY_BYTES);
        return refuse(MHD_HTTP_CONTENT_TOO_LARGE, r->problem.text, out);
    }
    if (!read_question(r, connection, post)) {
        return refuse(MHD_HTTP_BAD_REQUEST, r->problem.text, out);
    }
    return ask(s, &r->asks, out);
}

static bool make_reply(service *s, request *r, struct MHD_Connection *connection, const char *method, reply *made)
{
    *made = (reply){0};
    FILE *out = open_memstream(&made->text, &made->bytes);
    if (out == NULL) {
        return false;
    }
    made->status = respond(s, r, connection, method, out);
    bool metrics = r->asks.asked == ENDPOINT_METRICS && made->status == MHD_HTTP_OK;
    made->type = metrics ? "text/plain; version=0.0.4; charset=utf-8" : "application/json";
    bool written = !ferror(out);
    if (fclose(out) != 0 || !written) {
        free(made->text);
        return false;
    }
    return true;
}

/* ---- libmicrohttpd ---- */

/* Takes over the reply's text. MHD_NO, which closes the connection, only where there is no memory. */
static enum MHD_Result send_reply(service *s, endpoint asked, struct MHD_Connection *connection, const reply *made)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(made->bytes, made->text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(made->text);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, made->type);
    if (result == MHD_YES && made->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allowed_methods(asked));
    }
    if (result == MHD_YES && atomic_load(&s->ending)) {
        result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    if (result == MHD_YES) {
        result = MHD_queue_response(connection, made->status, response);
    }
    MHD_destroy_response(response);
    return result;
}

static request *request_begin(service *s, const char *path)
{
    request *r = malloc(sizeof *r);
    if (r != NULL) {
        atomic_fetch_add(&s->in_flight, 1);
        clock_gettime(CLOCK_MONOTONIC, &r->began);
        question_begin(&r->asks, endpoint_of(path));
        r->refused = false;
        r->body_too_large = false;
        r->body_bytes = 0;
    }
    return r;
}

static void take_body(request *r, const char *data, size_t bytes)
{
    if (bytes > BODY_BYTES - r->body_bytes) {
        r->body_too_large = true;
    } else {
        memcpy(r->body + r->body_bytes, data, bytes);
        r->body_bytes += bytes;
    }
}

/* Called with the header, then with each part of a body, then once more for the answer. */
static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *data, size_t *bytes, void **kept)
{
    service *s = user;
    request *r = *kept;
    if (r == NULL) {
        *kept = request_begin(s, path);
        return *kept != NULL ? MHD_YES : MHD_NO;
    }
    if (*bytes > 0) {
        take_body(r, data, *bytes);
        *bytes = 0;
        return MHD_YES;
    }
    reply made;
    if (!make_reply(s, r, connection, method, &made)) {
        return MHD_NO;
    }
    metrics_count(&s->counts, r->asks.asked, made.status, nanoseconds_since(&r->began));
    return send_reply(s, r->asks.asked, connection, &made);
}

static void request_ended(void *user, struct MHD_Connection *connection, void **kept, enum MHD_RequestTerminationCode how)
{
    service *s = user;
    if (*kept != NULL) {
        free(*kept);
        *kept = NULL;
        atomic_fetch_sub(&s->in_flight, 1);
    }
}

static size_t unescape_for_daemon(void *user, struct MHD_Connection *connection, char *text)
{
    return unescape(text);
}

/* ---- begin and end ---- */

typedef union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} socket_address;

static bool read_address(const char *text, uint16_t port, socket_address *address)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        return true;
    }
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
}

int http_begin(service *s, const char *address, uint16_t *port, unsigned threads, complaint *problem)
{
    socket_address at;
    if (!read_address(address, *port, &at)) {
        return complain(problem, "\"%s\" is no address: 127.0.0.1 or ::1, say", address);
    }
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | (at.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0U);
    unsigned pool = threads > 1 ? threads : 0; /* a pool is of 2 at least; without one there is one thread */
    s->daemon = MHD_start_daemon(flags, *port, NULL, NULL, handle, s, MHD_OPTION_SOCK_ADDR, &at.any,
                                 MHD_OPTION_THREAD_POOL_SIZE, pool, MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOST_CONNECTIONS,
                                 MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_NOTIFY_COMPLETED,
                                 request_ended, s, MHD_OPTION_UNESCAPE_CALLBACK, unescape_for_daemon, NULL, MHD_OPTION_END);
    if (s->daemon == NULL) {
        return complain(problem, "cannot listen on %s, port %u: %s", address, (unsigned)*port, strerror(errno));
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    *port = info != NULL ? info->port : *port;
    return 0;
}

void http_end(service *s)
{
    const struct timespec pause = {0, 10000000};
    atomic_store(&s->ending, true);
    MHD_socket listening = MHD_quiesce_daemon(s->daemon);
    for (int n = 0; n < PATIENCE_SECONDS * 100 && atomic_load(&s->in_flight) > 0; n++) {
        nanosleep(&pause, NULL);
    }
    MHD_stop_daemon(s->daemon);
    if (listening != MHD_INVALID_SOCKET) {
        close(listening);
    }
}
