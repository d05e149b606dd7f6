// SPDX-License-Identifier: Apache-2.0
// Finding one text in another, in linear time and in steps between which a statement can stop.
#ifndef PZ_QUERY_FUNC_SEARCH_H
#define PZ_QUERY_FUNC_SEARCH_H

#include "query/session.h"

#define PZ_SEARCH_NOWHERE UINT32_MAX

// The first place of `needle`, which is not empty, at or after byte `from`; PZ_SEARCH_NOWHERE when
// there is none.
PZ_MUST_USE enum pz_status pz_search(struct pz_str text, struct pz_str needle, uint32_t from,
                                     struct pz_work *work, uint32_t *at_out, struct pz_error *err);

#endif
