// SPDX-License-Identifier: Apache-2.0
// Arming and visiting fault points.
#include "base/fault.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/status.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum action { ACTION_NONE, ACTION_KILL, ACTION_EIO, ACTION_ENOSPC, ACTION_DELAY };

#define DELAY_STEP_US 2000

struct point {
    _Atomic int action; // enum action; the only field read while unarmed
    uint64_t first;     // visit the action begins with, counted from 1
    uint64_t last;      // and ends with
    uint64_t delay_ms;
    _Atomic uint64_t visits;
};
static struct point points[PZ_FAULT_COUNT];
static _Atomic uint32_t armings; // grows with each pz_fault_init

static const char *const point_names[] = {
#define X(name, help) #name,
#include "base/fault_points.def"
#undef X
};

// sysexits' EX_CONFIG.
enum { EXIT_CONFIG = 78 };

PZ_NORETURN static void
refuse(struct pz_str entry, const char *why)
{
    (void)fprintf(stderr, "plaza: PLAZA_FAULT: \"%.*s\": %s\n", PZ_STR_ARG(entry), why);
    exit(EXIT_CONFIG);
}

// Splits at the first `c`; `text` keeps what is before it. false when there is none.
static bool
split(struct pz_str *text, char c, struct pz_str *rest_out)
{
    const char *at = text->len > 0 ? memchr(text->data, c, text->len) : NULL;
    if (at == NULL) {
        return false;
    }
    uint32_t len = (uint32_t)(at - text->data);
    *rest_out = (struct pz_str){at + 1, text->len - len - 1};
    text->len = len;
    return true;
}

static void
parse_visits(struct pz_str entry, struct pz_str visits, struct point *point)
{
    bool is_open = visits.len > 0 && visits.data[visits.len - 1] == '+';
    visits.len -= is_open;
    if (!pz_parse_u64(visits, &point->first) || point->first == 0) {
        refuse(entry, "after @ stands a number from 1 up, and perhaps a +");
    }
    point->last = is_open ? UINT64_MAX : point->first;
}

static enum action
parse_action(struct pz_str entry, struct pz_str action, struct point *point)
{
    struct pz_str delay;
    if (split(&action, ':', &delay)) {
        if (!pz_str_equal(action, PZ_STR("delay")) || !pz_parse_u64(delay, &point->delay_ms) ||
            point->delay_ms > 600000) {
            refuse(entry, "a delay is written delay:<milliseconds, at most 600000>");
        }
        return ACTION_DELAY;
    }
    if (pz_str_equal(action, PZ_STR("kill"))) {
        return ACTION_KILL;
    }
    if (pz_str_equal(action, PZ_STR("eio"))) {
        return ACTION_EIO;
    }
    if (pz_str_equal(action, PZ_STR("enospc"))) {
        return ACTION_ENOSPC;
    }
    refuse(entry, "the actions are kill, eio, enospc and delay:<ms>");
}

static void
arm(struct pz_str entry)
{
    struct pz_str name = entry;
    struct pz_str action;
    struct pz_str visits;
    if (!split(&name, '=', &action)) {
        refuse(entry, "an entry is written <point>=<action>[@<visit>]");
    }
    unsigned idx = 0;
    while (idx < PZ_FAULT_COUNT && !pz_str_equal(name, pz_str_from(point_names[idx]))) {
        idx++;
    }
    if (idx == PZ_FAULT_COUNT) {
        refuse(entry, "there is no such fault point");
    }
    struct point *point = &points[idx];
    point->first = 1;
    point->last = UINT64_MAX;
    if (split(&action, '@', &visits)) {
        parse_visits(entry, visits, point);
    }
    atomic_store_explicit(&point->action, (int)parse_action(entry, action, point),
                          memory_order_relaxed);
}

// Waits, but no longer than until the points are armed anew.
static void
delay(const struct point *point)
{
    uint32_t arming = atomic_load(&armings);
    if (atomic_load(&point->action) != ACTION_DELAY) {
        return; // disarmed before `arming` was read
    }
    int64_t until_us = pz_clock_mono_us() + (int64_t)point->delay_ms * 1000;
    int64_t left_us = until_us - pz_clock_mono_us();
    while (left_us > 0 && atomic_load(&armings) == arming) {
        pz_clock_sleep_us(left_us < DELAY_STEP_US ? left_us : DELAY_STEP_US);
        left_us = until_us - pz_clock_mono_us();
    }
}

void
pz_fault_init(void)
{
    for (unsigned i = 0; i < PZ_FAULT_COUNT; i++) {
        atomic_store(&points[i].action, ACTION_NONE);
        atomic_store_explicit(&points[i].visits, 0, memory_order_relaxed);
    }
    atomic_fetch_add(&armings, 1);
    const char *setting = getenv("PLAZA_FAULT");
    if (setting == NULL || setting[0] == '\0') {
        return;
    }
    struct pz_str rest = pz_str_from(setting);
    bool has_more = true;
    while (has_more) {
        struct pz_str entry = rest;
        has_more = split(&entry, ',', &rest);
        arm(entry);
    }
}

int
pz_fault_visit(enum pz_fault_point point_number)
{
    PZ_ASSERT_SLOW((unsigned)point_number < PZ_FAULT_COUNT);
    struct point *point = &points[point_number];
    int action = atomic_load_explicit(&point->action, memory_order_relaxed);
    if (__builtin_expect(action == ACTION_NONE, 1)) {
        return 0;
    }
    uint64_t visit = atomic_fetch_add_explicit(&point->visits, 1, memory_order_relaxed) + 1;
    if (visit < point->first || visit > point->last) {
        return 0;
    }
    switch ((enum action)action) {
    case ACTION_NONE:
        return 0;
    case ACTION_KILL:
        (void)kill(getpid(), SIGKILL);
        for (;;) {
            (void)pause(); // the signal is on its way
        }
    case ACTION_EIO:
        return EIO;
    case ACTION_ENOSPC:
        return ENOSPC;
    case ACTION_DELAY:
        delay(point);
        return 0;
    }
    PZ_UNREACHABLE("every action is listed");
}
