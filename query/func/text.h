// SPDX-License-Identifier: Apache-2.0
// Kernels of text. Positions and lengths count characters (code points), from 1.
#ifndef PZ_QUERY_FUNC_TEXT_H
#define PZ_QUERY_FUNC_TEXT_H

#include "query/func/kernel.h"

// A copy in lower case.
PZ_MUST_USE enum pz_status pz_text_lower(struct pz_call *call, struct pz_str text,
                                         struct pz_arena *arena, struct pz_str *out,
                                         struct pz_error *err);

enum pz_status pz_fn_concat_operator(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_concat(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_lower(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_upper(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_length(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_octet_length(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_substring(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_left(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_right(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_trim(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_ltrim(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_rtrim(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_replace(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_reverse(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_strpos(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_position(struct pz_call *call, struct pz_error *err);
enum pz_status pz_fn_starts_with(struct pz_call *call, struct pz_error *err);

#endif
