// SPDX-License-Identifier: Apache-2.0
// One line per event on stderr, logfmt: ts=… lvl=info msg="…" key=value.
// Messages are escaped; never pass bodies or tokens.
#ifndef PZ_BASE_LOG_H
#define PZ_BASE_LOG_H

#include "base/status.h"

enum pz_log_level { PZ_LOG_ERROR, PZ_LOG_WARN, PZ_LOG_INFO, PZ_LOG_DEBUG };
void pz_log_set_level(enum pz_log_level level); // default PZ_LOG_INFO
void pz_log(enum pz_log_level level, const char *format, ...) PZ_PRINTF(2, 3);
void pz_log_error(const struct pz_error *err, const char *format, ...) PZ_PRINTF(2, 3);

#endif
