// SPDX-License-Identifier: Apache-2.0
// Settings: from flags, the environment and defaults, in this order, all from config.def.
#ifndef PZ_SERVER_CONFIG_H
#define PZ_SERVER_CONFIG_H

#include "base/arena.h"
#include "base/status.h"

#include <stdint.h>

enum pz_setting_kind {
    PZ_SETTING_TEXT,
    PZ_SETTING_COUNT,
    PZ_SETTING_SIZE,
    PZ_SETTING_DURATION,
    PZ_SETTING_SWITCH,
};
#define PZ_SETTING_TYPE_TEXT const char *
#define PZ_SETTING_TYPE_COUNT uint64_t
#define PZ_SETTING_TYPE_SIZE uint64_t
#define PZ_SETTING_TYPE_DURATION uint64_t
#define PZ_SETTING_TYPE_SWITCH uint64_t

// One member for each row of config.def. Texts are borrowed from argv, the environment or the
// table.
struct pz_config {
#define X(member, flag, kind, initial, min, max, unit, help) PZ_SETTING_TYPE_##kind member;
#include "server/config.def"
#undef X
};

// Reads the environment, then argv (without the program and the verb). PZ_INVALID names the flag or
// variable, with a "did you mean" hint for unknown ones.
PZ_MUST_USE enum pz_status pz_config_read(struct pz_config *config, int argc, char **argv,
                                          struct pz_error *err);

// Appends one line per setting: flag, unit, help, default, environment name.
void pz_config_help(struct pz_buffer *buffer);

// "512", "64KiB", "1.5GB": K, KiB and so on are powers of 1024; kB, MB, GB, TB powers of 1000.
bool pz_config_parse_size(struct pz_str text, uint64_t *bytes_out);
// "250ms", "30s", "5m", "1h"; a bare number is seconds.
bool pz_config_parse_duration(struct pz_str text, uint64_t *us_out);

#endif
