// SPDX-License-Identifier: Apache-2.0
// What the server counts, and everything countable as Prometheus text.
#ifndef PZ_SERVER_METRICS_H
#define PZ_SERVER_METRICS_H

#include "base/arena.h"

#include <stdatomic.h>
#include <stdint.h>

struct pz_server;

struct pz_metrics {
#define X(name, help) _Atomic uint64_t name;
#include "server/metrics.def"
#undef X
};

static inline void
pz_metric_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

// Appends all metrics in the Prometheus text format.
void pz_metrics_write(struct pz_server *server, struct pz_buffer *buffer);

#endif
