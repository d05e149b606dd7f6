// SPDX-License-Identifier: Apache-2.0
// Options, messages and exit codes of the verbs; see cli.h.
#include "server/cli/cli.h"

#include "base/suggest.h"

#include <errno.h>
#include <stdio.h>

const char *
pz_cli_nearest(const char *word, const char *const *names)
{
    const char *nearest = NULL;
    struct pz_suggestion suggestion;
    pz_suggest_begin(&suggestion, pz_str_from(word));
    for (; *names != NULL; names++) {
        if (pz_suggest_offer(&suggestion, pz_str_from(*names))) {
            nearest = *names;
        }
    }
    return nearest;
}

void
pz_cli_say(const char *verb, const struct pz_error *err)
{
    (void)fprintf(stderr, "plaza %s: %s\n", verb, err->message);
    if (err->hint[0] != '\0') {
        (void)fprintf(stderr, "hint: %s\n", err->hint);
    }
}

enum pz_exit_code
pz_cli_exit_code(const struct pz_error *err)
{
    if (err->sys_errno == EACCES || err->sys_errno == EPERM) {
        return PZ_EXIT_PERMISSION;
    }
    switch (err->status) {
    case PZ_OK:
        return PZ_EXIT_OK;
    case PZ_BUSY:
    case PZ_TIMEOUT:
        return PZ_EXIT_TEMPORARY;
    case PZ_FULL:
    case PZ_IO:
        return PZ_EXIT_IO;
    case PZ_CORRUPT:
        return PZ_EXIT_DATA;
    case PZ_UNSUPPORTED:
        return PZ_EXIT_CONFIG;
    case PZ_INTERNAL:
        return PZ_EXIT_INTERNAL;
    case PZ_INVALID:
    case PZ_NOT_FOUND:
    case PZ_EXISTS:
    case PZ_TOO_LARGE:
    case PZ_UNSUPPORTED_MEDIA:
    case PZ_UNACCEPTABLE:
    case PZ_CANCELED:
    case PZ_NO_MEMORY:
        return PZ_EXIT_FAILED;
    }
    return PZ_EXIT_FAILED;
}

enum pz_exit_code
pz_cli_fail_open(const char *verb, struct pz_error *err, const char *busy_hint)
{
    if (err->status == PZ_BUSY) {
        pz_error_hint(err, "%s", busy_hint);
    }
    pz_cli_say(verb, err);
    return err->status == PZ_NOT_FOUND ? PZ_EXIT_IO : pz_cli_exit_code(err);
}

// The option `argument` names; *value_out is set when it brings its value after "=".
static const struct pz_cli_option *
find_option(const char *argument, const struct pz_cli_option *options, const char **value_out)
{
    bool is_long = argument[1] == '-';
    const char *equals = is_long ? strchr(argument, '=') : NULL;
    size_t len = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
    for (; options->name != NULL; options++) {
        bool is_match = is_long ? strlen(options->name) == len - 2 &&
                                      memcmp(options->name, argument + 2, len - 2) == 0
                                : options->letter != '\0' && argument[1] == options->letter &&
                                      argument[2] == '\0';
        if (is_match) {
            *value_out = equals != NULL ? equals + 1 : NULL;
            return options;
        }
    }
    return NULL;
}

static void
say_unknown(const char *verb, const char *argument, const struct pz_cli_option *options)
{
    const char *names[32] = {0};
    for (size_t i = 0; i < 31 && options[i].name != NULL; i++) {
        names[i] = options[i].name;
    }
    const char *word = argument;
    while (*word == '-') {
        word++;
    }
    const char *nearest = pz_cli_nearest(word, names);
    (void)fprintf(stderr, "plaza %s: unknown option \"%s\"\n", verb, argument);
    if (nearest != NULL) {
        (void)fprintf(stderr, "hint: did you mean --%s?\n", nearest);
    } else {
        (void)fprintf(stderr, "hint: plaza %s --help lists the options\n", verb);
    }
}

bool
pz_cli_parse(const char *verb, int argc, char **argv, const struct pz_cli_option *options,
             const char **operand_out)
{
    bool are_options_over = false;
    *operand_out = NULL;
    for (int i = 0; i < argc; i++) {
        const char *argument = argv[i];
        if (!are_options_over && strcmp(argument, "--") == 0) {
            are_options_over = true;
            continue;
        }
        if (are_options_over || argument[0] != '-' || argument[1] == '\0') {
            if (*operand_out != NULL) {
                (void)fprintf(stderr,
                              "plaza %s: one too many: \"%s\"\n"
                              "hint: put what holds spaces in quotes; plaza %s --help shows "
                              "examples\n",
                              verb, argument, verb);
                return false;
            }
            *operand_out = argument;
            continue;
        }
        const char *value = NULL;
        const struct pz_cli_option *option = find_option(argument, options, &value);
        if (option == NULL) {
            say_unknown(verb, argument, options);
            return false;
        }
        if (option->is_given != NULL) {
            *option->is_given = true;
        }
        if (option->value != NULL) {
            if (value == NULL && i + 1 < argc) {
                value = argv[++i];
            }
            if (value == NULL) {
                (void)fprintf(stderr, "plaza %s: --%s needs a value\n", verb, option->name);
                return false;
            }
            *option->value = value;
        }
    }
    return true;
}
