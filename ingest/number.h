// SPDX-License-Identifier: Apache-2.0
// Decimal numbers as they stand in records, to exact values.
#ifndef PZ_INGEST_NUMBER_H
#define PZ_INGEST_NUMBER_H

#include "base/num.h"

enum pz__int_fault { PZ__INT_OK, PZ__INT_NOT_A_NUMBER, PZ__INT_FRACTION, PZ__INT_RANGE };

// A decimal number, with a fraction or exponent if it likes, as long as its value is a whole number
// of 64 bits: "17", "17.0", "1.7e1".
enum pz__int_fault pz__number_to_int(struct pz_str text, int64_t *out);

// Whether the text is a decimal number, of whatever size.
bool pz__number_is_decimal(struct pz_str text);

// The nearest double. False when it is none or lies beyond the largest. "NaN" and "Infinity" are
// taken only when `allow_words`.
bool pz__number_to_real(struct pz_str text, bool allow_words, double *out);

#endif
