/* SPDX-License-Identifier: Apache-2.0 */
/* The service over HTTP: libmicrohttpd's threads receive requests, and each is answered on the thread that received it. */
#ifndef SERVICE_HTTP_H
#define SERVICE_HTTP_H

#include "metrics.h"
#include "models.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct MHD_Daemon;

typedef struct service {
    models serving;
    service_metrics counts;
    atomic_int in_flight; /* requests that were received and not yet sent an answer */
    atomic_bool ending;   /* connections are closed after their next answer */
    struct MHD_Daemon *daemon;
} service;

/* Listens on a numeric IPv4 or IPv6 address; *port of 0 becomes the one that the system chose. Signals that the caller has
 * blocked are blocked in the threads that it starts. On failure returns -1 with *problem filled. */
int http_begin(service *s, const char *address, uint16_t *port, unsigned threads, complaint *problem);
/* Takes no more connections, waits until the requests that it has are answered, five seconds at most, and ends the
 * threads. */
void http_end(service *s);

#endif
