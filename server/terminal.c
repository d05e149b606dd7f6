// SPDX-License-Identifier: Apache-2.0
// What the client commands share; see terminal.h.
#include "server/terminal.h"

#include "base/clock.h"
#include "base/num.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS_STEP_US 100000
#define BAR_CELLS 24

int
pz_terminal_exit_of(const struct pz_error *err)
{
    switch (err->status) {
    case PZ_OK:
        return PZ_EXIT_OK;
    case PZ_BUSY:
    case PZ_NO_MEMORY:
        return PZ_EXIT_TEMPORARY;
    case PZ_FULL:
    case PZ_IO:
    case PZ_CORRUPT:
        return err->sys_errno == EACCES || err->sys_errno == EPERM ? PZ_EXIT_PERMISSION
                                                                   : PZ_EXIT_IO;
    case PZ_INTERNAL:
        return PZ_EXIT_INTERNAL;
    case PZ_CANCELED:
        return PZ_EXIT_INTERRUPTED;
    case PZ_INVALID:
    case PZ_UNACCEPTABLE:
    case PZ_TOO_LARGE:
        return PZ_EXIT_DATA;
    case PZ_NOT_FOUND:
    case PZ_EXISTS:
    case PZ_UNSUPPORTED_MEDIA:
    case PZ_UNSUPPORTED:
    case PZ_TIMEOUT:
        return PZ_EXIT_FAILED;
    }
    PZ_UNREACHABLE("not a status");
}

// ---- options -------------------------------------------------------------------------------

static enum pz_status
fail_unknown(const struct pz_terminal_option *options, size_t option_count, struct pz_str name,
             struct pz_error *err)
{
    const char *meant = NULL;
    unsigned best = 3;
    for (size_t i = 0; name.len < 64 && i < option_count; i++) {
        unsigned distance = pz_str_distance(name, pz_str_from(options[i].name), best);
        if (distance <= best && (meant == NULL || distance < best)) {
            best = distance;
            meant = options[i].name;
        }
    }
    pz_fail(err, PZ_INVALID, "unknown option %.*s", PZ_STR_ARG(name));
    if (meant != NULL) {
        pz_error_hint(err, "did you mean %s?", meant);
    }
    return PZ_INVALID;
}

// The option at argv[*at], moving *at over a value of its own.
static enum pz_status
take_option(const struct pz_terminal_option *options, size_t option_count, char **argv, int *at,
            struct pz_error *err)
{
    const char *text = argv[*at];
    const char *equals = strchr(text, '=');
    struct pz_str name = pz_str_from(text);
    name.len = equals == NULL ? name.len : (uint32_t)(equals - text);
    for (size_t i = 0; i < option_count; i++) {
        if (!pz_str_equal(name, pz_str_from(options[i].name))) {
            continue;
        }
        if (options[i].flag != NULL) {
            *options[i].flag = true;
            return equals == NULL ? PZ_OK
                                  : pz_fail(err, PZ_INVALID, "%s takes no value", options[i].name);
        }
        const char *value = equals == NULL ? argv[*at + 1] : equals + 1;
        if (value == NULL) {
            return pz_fail(err, PZ_INVALID, "%s needs a value", options[i].name);
        }
        *at += equals == NULL;
        *options[i].value = value;
        return PZ_OK;
    }
    return fail_unknown(options, option_count, name, err);
}

enum pz_status
pz_terminal_parse(const struct pz_terminal_option *options, size_t option_count, int argc, char **argv,
             const char **operands, int *operand_count_out, struct pz_error *err)
{
    bool is_over = false;
    *operand_count_out = 0;
    for (int i = 0; i < argc; i++) {
        if (!is_over && strcmp(argv[i], "--") == 0) {
            is_over = true;
        } else if (!is_over && argv[i][0] == '-' && argv[i][1] != '\0') {
            PZ_TRY(take_option(options, option_count, argv, &i, err));
        } else {
            operands[(*operand_count_out)++] = argv[i];
        }
    }
    return PZ_OK;
}

bool
pz_terminal_parse_count(const char *text, uint64_t *out)
{
    static const struct {
        char letter;
        uint64_t factor;
    } units[] = {{'k', 1000}, {'K', 1000}, {'M', 1000000}, {'G', 1000000000}};
    struct pz_str digits = pz_str_from(text);
    uint64_t factor = 1;
    for (size_t i = 0; digits.len > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (digits.data[digits.len - 1] == units[i].letter) {
            factor = units[i].factor;
            digits.len--;
            break;
        }
    }
    uint64_t number;
    return pz_parse_u64(digits, &number) && pz_mul_u64(number, factor, out);
}

// ---- words for a person --------------------------------------------------------------------

void
pz_terminal_append_clean(struct pz_buffer *buffer, struct pz_str text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_c1 = c == 0xc2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f || is_c1) {
            pz_buffer_append_char(buffer, '?');
            i += is_c1;
        } else {
            pz_buffer_append_char(buffer, (char)c);
        }
    }
}

void
pz_terminal_complain(const char *verb, const struct pz_error *err)
{
    struct pz_buffer text = {0};
    pz_buffer_printf(&text, "plaza %s: ", verb);
    pz_terminal_append_clean(&text, pz_str_from(err->message));
    if (err->hint[0] != '\0') {
        pz_buffer_append_c(&text, "\n  ");
        pz_terminal_append_clean(&text, pz_str_from(err->hint));
    }
    (void)fprintf(stderr, "%s\n", text.data == NULL ? "" : text.data);
    pz_buffer_fini(&text);
}

void
pz_terminal_append_number(struct pz_buffer *buffer, uint64_t number)
{
    char digits[PZ_NUM_TEXT_MAX];
    uint32_t len = pz_format_u64(number, digits);
    for (uint32_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            pz_buffer_append_char(buffer, ',');
        }
        pz_buffer_append_char(buffer, digits[i]);
    }
}

// ---- progress ------------------------------------------------------------------------------

void
pz_terminal_progress_begin(struct pz_terminal_progress *progress, const char *label)
{
    const char *term = getenv("TERM");
    *progress = (struct pz_terminal_progress){
        .is_shown = isatty(STDERR_FILENO) && (term == NULL || strcmp(term, "dumb") != 0),
        .label = label,
        .started_us = pz_clock_mono_us()};
    progress->next_us = progress->started_us + PROGRESS_STEP_US;
}

void
pz_terminal_append_rate(struct pz_buffer *buffer, const struct pz_terminal_progress *progress, uint64_t rows)
{
    int64_t us = pz_clock_mono_us() - progress->started_us;
    double rate = us > 0 ? (double)rows * 1e6 / (double)us : 0;
    if (rate >= 1e6) {
        pz_buffer_printf(buffer, "%.2f M rows/s", rate / 1e6);
    } else if (rate >= 1e4) {
        pz_buffer_printf(buffer, "%.0f k rows/s", rate / 1e3);
    } else {
        pz_buffer_printf(buffer, "%.0f rows/s", rate);
    }
}

void
pz_terminal_progress_show(struct pz_terminal_progress *progress, uint64_t rows, uint64_t done,
                     uint64_t total)
{
    if (!progress->is_shown || pz_clock_mono_us() < progress->next_us) {
        return;
    }
    progress->next_us = pz_clock_mono_us() + PROGRESS_STEP_US;
    struct pz_buffer line = {0};
    pz_buffer_printf(&line, "\r\033[K%-10s ", progress->label);
    if (total > 0) {
        uint64_t shown = done < total ? done : total;
        uint64_t cells = (uint64_t)((double)shown / (double)total * BAR_CELLS);
        for (uint64_t i = 0; i < BAR_CELLS; i++) {
            pz_buffer_append_c(&line, i < cells ? "█" : "░");
        }
        pz_buffer_printf(&line, " %3.0f %%  ", (double)shown / (double)total * 100);
    }
    pz_terminal_append_number(&line, rows);
    pz_buffer_append_c(&line, " rows  ");
    pz_terminal_append_rate(&line, progress, rows);
    (void)fprintf(stderr, "%s", line.data == NULL ? "" : line.data);
    (void)fflush(stderr);
    pz_buffer_fini(&line);
}

void
pz_terminal_progress_end(struct pz_terminal_progress *progress)
{
    if (progress->is_shown) {
        (void)fprintf(stderr, "\r\033[K");
        (void)fflush(stderr);
    }
    progress->is_shown = false;
}

// ---- Ctrl-C --------------------------------------------------------------------------------

static volatile sig_atomic_t interrupt_count;

static void
on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupt_count++;
    if (interrupt_count > 1) {
        _exit(PZ_EXIT_INTERRUPTED);
    }
}

void
pz_terminal_catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool
pz_terminal_is_interrupted(void)
{
    return interrupt_count > 0;
}
