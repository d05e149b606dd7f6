// SPDX-License-Identifier: Apache-2.0
// Progress, words for a person and Ctrl-C; see terminal.h.
#include "server/cli/terminal.h"

#include "base/clock.h"
#include "base/num.h"
#include "server/cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROGRESS_STEP_US 100000
#define BAR_CELLS 24

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
pz_progress_begin(struct pz_progress *progress, const char *label)
{
    const char *term = getenv("TERM");
    *progress = (struct pz_progress){.is_shown = isatty(STDERR_FILENO) &&
                                                 (term == NULL || strcmp(term, "dumb") != 0),
                                     .label = label,
                                     .started_us = pz_clock_mono_us()};
    progress->next_us = progress->started_us + PROGRESS_STEP_US;
}

void
pz_terminal_append_rate(struct pz_buffer *buffer, const struct pz_progress *progress, uint64_t rows)
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
pz_progress_show(struct pz_progress *progress, uint64_t rows, uint64_t done, uint64_t total)
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
pz_progress_end(struct pz_progress *progress)
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
