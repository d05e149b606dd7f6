// SPDX-License-Identifier: Apache-2.0
// One value of a result as text, the same in every format.
#include "base/clock.h"
#include "base/num.h"
#include "query/expr/interval.h"
#include "query/output/output_internal.h"

#include <math.h>

bool
pz__output_is_number(enum pz_type type)
{
    return type == PZ_TYPE_BIGINT || type == PZ_TYPE_DOUBLE;
}

bool
pz__output_is_not_finite(const struct pz_slice *slice, uint32_t row)
{
    return slice->type == PZ_TYPE_DOUBLE && !isfinite(((const double *)slice->data)[row]);
}

struct pz_str
pz__output_cell(const struct pz_slice *slice, uint32_t row, char room[PZ_CELL_TEXT_MAX])
{
    switch (slice->type) {
    case PZ_TYPE_BOOLEAN:
        return ((const uint8_t *)slice->data)[row] != 0 ? PZ_STR("true") : PZ_STR("false");
    case PZ_TYPE_BIGINT:
        return (struct pz_str){room, pz_format_i64(((const int64_t *)slice->data)[row], room)};
    case PZ_TYPE_DOUBLE:
        return (struct pz_str){room, pz_format_double(((const double *)slice->data)[row], room)};
    case PZ_TYPE_TEXT:
        return ((const struct pz_str *)slice->data)[row];
    case PZ_TYPE_TIMESTAMP:
        return (struct pz_str){room,
                               pz_format_timestamp(((const int64_t *)slice->data)[row], room)};
    case PZ_TYPE_DATE:
        return (struct pz_str){room, pz_format_date(((const int64_t *)slice->data)[row], room)};
    case PZ_TYPE_INTERVAL:
        return (struct pz_str){
            room, pz_interval_format(&((const struct pz_interval *)slice->data)[row], room)};
    case PZ_TYPE_NULL:
    case PZ_TYPE_SYMBOL:
        break;
    }
    PZ_UNREACHABLE("results hold no values of type NULL or SYMBOL");
}
