// SPDX-License-Identifier: Apache-2.0
// Reads the settings of config.def; see config.h.
#include "server/config.h"

#include "base/num.h"
#include "base/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX UINT64_MAX
#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define MS UINT64_C(1000)
#define SECOND (MS * 1000)
#define HOUR (SECOND * 3600)

struct setting {
    const char *flag;
    enum pz_setting_kind kind;
    const char *initial;
    uint64_t min, max;
    const char *unit, *help;
    size_t offset; // of the member in struct pz_config
};
static const struct setting settings[] = {
#define X(member, flag, kind, initial, min, max, unit, help) \
    {flag, PZ_SETTING_##kind, initial, min, max, unit, help, offsetof(struct pz_config, member)},
#include "server/config.def"
#undef X
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0], ENVIRONMENT_NAME_MAX = 64 };

// ---- values -------------------------------------------------------------------------------------

struct scale {
    const char *name;
    double factor;
};

// A decimal number and a unit of the list (its first entry is the unit of a bare number).
static bool
parse_scaled(struct pz_str text, const struct scale *scales, size_t count, uint64_t *out)
{
    uint32_t digits = 0;
    while (digits < text.len &&
           (isdigit((unsigned char)text.data[digits]) != 0 || text.data[digits] == '.')) {
        digits++;
    }
    double number;
    if (digits == 0 || !pz_parse_double((struct pz_str){text.data, digits}, &number)) {
        return false;
    }
    struct pz_str unit = {text.data + digits, text.len - digits};
    for (size_t i = 0; i < count; i++) {
        if (pz_str_equal(unit, pz_str_from(scales[i].name))) {
            double value = number * scales[i].factor;
            if (value >= 9e18) {
                return false;
            }
            *out = (uint64_t)value;
            return true;
        }
    }
    return false;
}

bool
pz_config_parse_size(struct pz_str text, uint64_t *bytes_out)
{
    static const struct scale scales[] = {
        {"", 1},
        {"B", 1},
        {"K", 1024.0},
        {"KiB", 1024.0},
        {"k", 1024.0},
        {"M", 1048576.0},
        {"MiB", 1048576.0},
        {"m", 1048576.0},
        {"kB", 1e3},
        {"KB", 1e3},
        {"MB", 1e6},
        {"G", 1073741824.0},
        {"g", 1073741824.0},
        {"GiB", 1073741824.0},
        {"GB", 1e9},
        {"T", 1099511627776.0},
        {"TiB", 1099511627776.0},
        {"TB", 1e12},
    };
    return parse_scaled(text, scales, sizeof scales / sizeof scales[0], bytes_out);
}

bool
pz_config_parse_duration(struct pz_str text, uint64_t *us_out)
{
    static const struct scale scales[] = {
        {"", 1e6}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}, {"m", 60e6}, {"min", 60e6}, {"h", 3600e6},
    };
    return parse_scaled(text, scales, sizeof scales / sizeof scales[0], us_out);
}

static bool
parse_switch(struct pz_str text, uint64_t *out)
{
    *out = pz_str_equal(text, PZ_STR("1")) || pz_str_equal_nocase(text, PZ_STR("true")) ||
           pz_str_equal_nocase(text, PZ_STR("yes"));
    return *out != 0 || pz_str_equal(text, PZ_STR("0")) ||
           pz_str_equal_nocase(text, PZ_STR("false")) || pz_str_equal_nocase(text, PZ_STR("no"));
}

// `origin` is the flag or variable, for messages.
static enum pz_status
set(struct pz_config *config, const struct setting *setting, const char *value, const char *origin,
    struct pz_error *err)
{
    char *member = (char *)config + setting->offset;
    struct pz_str text = pz_str_from(value);
    uint64_t number = 0;
    bool is_good = true;
    switch (setting->kind) {
    case PZ_SETTING_TEXT:
        memcpy(member, &value, sizeof value);
        return text.len > 0 ? PZ_OK : pz_fail(err, PZ_INVALID, "%s needs a value", origin);
    case PZ_SETTING_COUNT:
        is_good = pz_parse_u64(text, &number);
        break;
    case PZ_SETTING_SIZE:
        is_good = pz_config_parse_size(text, &number);
        break;
    case PZ_SETTING_DURATION:
        is_good = pz_config_parse_duration(text, &number);
        break;
    case PZ_SETTING_SWITCH:
        is_good = parse_switch(text, &number);
        break;
    }
    if (!is_good) {
        return pz_fail(err, PZ_INVALID, "%s: \"%s\" is not a valid %s", origin, value,
                       setting->unit[0] != '\0' ? setting->unit : "switch");
    }
    if (number < setting->min || number > setting->max) {
        return pz_fail(err, PZ_INVALID, "%s: %s is out of range", origin, value);
    }
    memcpy(member, &number, sizeof number);
    return PZ_OK;
}

// ---- where they come from -----------------------------------------------------------------------

static void
environment_name(const struct setting *setting, char out[ENVIRONMENT_NAME_MAX])
{
    (void)snprintf(out, ENVIRONMENT_NAME_MAX, "PLAZA_%s", setting->flag);
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    }
}

static enum pz_status
read_environment(struct pz_config *config, struct pz_error *err)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        char name[ENVIRONMENT_NAME_MAX];
        environment_name(&settings[i], name);
        const char *value = secure_getenv(name);
        if (value != NULL) {
            PZ_TRY(set(config, &settings[i], value, name, err));
        }
    }
    return PZ_OK;
}

// The setting that "--flag" or "--flag=value" names.
static const struct setting *
find(const char *argument, const char **value_out)
{
    const char *equals = strchr(argument, '=');
    size_t len = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
    *value_out = equals != NULL ? equals + 1 : NULL;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *flag = settings[i].flag;
        if (len == strlen(flag) + 2 && memcmp(argument, "--", 2) == 0 &&
            memcmp(argument + 2, flag, len - 2) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

static enum pz_status
fail_unknown(const char *argument, struct pz_error *err)
{
    if (argument[0] != '-') {
        enum pz_status one_too_many = pz_fail(err, PZ_INVALID, "one too many: \"%s\"", argument);
        pz_error_hint(err, "a data directory is given as --data %s", argument);
        return one_too_many;
    }
    enum pz_status status = pz_fail(err, PZ_INVALID, "unknown option \"%s\"", argument);
    struct pz_str text = pz_str_from(argument);
    while (text.len > 0 && text.data[0] == '-') {
        text.data++;
        text.len--;
    }
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, text);
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (pz_suggest_offer(&suggestion, pz_str_from(settings[i].flag))) {
            pz_error_hint(err, "did you mean --%s?", settings[i].flag);
        }
    }
    return status;
}

enum pz_status
pz_config_read(struct pz_config *config, int argc, char **argv, struct pz_error *err)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        PZ_TRY(set(config, &settings[i], settings[i].initial, settings[i].flag, err));
    }
    PZ_TRY(read_environment(config, err));
    for (int i = 0; i < argc; i++) {
        const char *value;
        const struct setting *setting = find(argv[i], &value);
        if (setting == NULL) {
            return fail_unknown(argv[i], err);
        }
        if (value == NULL && setting->kind == PZ_SETTING_SWITCH) {
            value = "1";
        } else if (value == NULL && i + 1 < argc) {
            value = argv[++i];
        }
        if (value == NULL) {
            return pz_fail(err, PZ_INVALID, "--%s needs a value", setting->flag);
        }
        char origin[ENVIRONMENT_NAME_MAX];
        (void)snprintf(origin, sizeof origin, "--%s", setting->flag);
        PZ_TRY(set(config, setting, value, origin, err));
    }
    return PZ_OK;
}

void
pz_config_help(struct pz_buffer *buffer)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *s = &settings[i];
        char name[ENVIRONMENT_NAME_MAX];
        environment_name(s, name);
        char option[64];
        (void)snprintf(option, sizeof option, "--%s %s", s->flag, s->unit);
        pz_buffer_printf(buffer, "  %-24s %s\n", option, s->help);
        if (s->kind == PZ_SETTING_SWITCH) {
            pz_buffer_printf(buffer, "  %-24s [%s]\n", "", name);
        } else {
            pz_buffer_printf(buffer, "  %-24s [%s, default %s]\n", "", name, s->initial);
        }
    }
}
