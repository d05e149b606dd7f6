// SPDX-License-Identifier: Apache-2.0
// Zone maps: what the statistics of a block say about a condition, without reading it.
#ifndef PZ_QUERY_EXEC_ZONE_H
#define PZ_QUERY_EXEC_ZONE_H

#include "query/plan/plan.h"
#include "query/session.h"

enum pz_zone_kind {
    PZ_ZONE_NONE,     // nothing is known of the condition
    PZ_ZONE_INT,      // it is true only for values in [low, high]
    PZ_ZONE_REAL,     // the same in real_low, real_high
    PZ_ZONE_IS_NULL,  // it is IS NULL
    PZ_ZONE_NOT_NULL, // it is IS NOT NULL
    PZ_ZONE_NEVER,    // it is true for no row at all
};
struct pz_zone {
    enum pz_zone_kind kind;
    uint32_t column; // position in the scan's output
    bool is_exact;   // and it is true for all values in the range
    int64_t low, high;
    double real_low, real_high;
};

// What can be said of a condition over a scan's outputs.
struct pz_zone pz_zone_of(const struct pz_session *session, const struct pz_expr *condition);

enum pz_zone_answer { PZ_ZONE_NO_ROW, PZ_ZONE_SOME_ROWS, PZ_ZONE_ALL_ROWS };
// stats of the zone's column; NULL when there are none.
enum pz_zone_answer pz_zone_ask(const struct pz_zone *zone, const struct pz_stats *stats);

#endif
