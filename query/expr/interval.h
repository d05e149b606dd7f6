// SPDX-License-Identifier: Apache-2.0
// Intervals as text.
#ifndef PZ_QUERY_EXPR_INTERVAL_H
#define PZ_QUERY_EXPR_INTERVAL_H

#include "query/query.h"

// Parses an interval as PostgreSQL writes and reads it: "1 day", "2 hours 30 minutes", "-3 mon",
// "1 day 02:00:00", "1.5 hours", "1 year 2 months ago". A bare number counts `unit`s, a unit name
// such as "day" or "hour", or seconds when `unit` is empty (INTERVAL '3' DAY). 22007, 22008.
PZ_MUST_USE enum pz_status pz_interval_parse(struct pz_str text, struct pz_str unit,
                                             uint32_t offset, struct pz_interval *out,
                                             struct pz_error *err);
// As PostgreSQL writes it: "1 year 2 mons 3 days 04:05:06.7", "00:00:00". Returns the length.
#define PZ_INTERVAL_TEXT_MAX 80
uint32_t pz_interval_format(const struct pz_interval *interval, char *out);

#endif
