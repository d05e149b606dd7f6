// SPDX-License-Identifier: Apache-2.0
// Runs the registered tests and reports what failed. See tests/support/test.h.
#include "tests/support/test.h"

#include "base/arena.h"
#include "base/fault.h"
#include "base/num.h"
#include "tests/support/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pz_test *first_test;
static struct pz_test **last_test = &first_test;
static const char *running_name;
static jmp_buf running_end;
static _Atomic unsigned failure_count;
static uint64_t seed = 1;
static char dir_path[256];
static struct pz_arena paths;

void
pz_test_register(struct pz_test *test)
{
    *last_test = test;
    last_test = &test->next;
}

uint64_t
pz_test_seed(void)
{
    return seed;
}

static void PZ_PRINTF(3, 4) fail(const char *file, int line, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "%s:%d: %s: %s\n", file, line, running_name, message);
    atomic_fetch_add(&failure_count, 1);
}

bool
pz_test_check(bool holds, const char *file, int line, const char *format, ...)
{
    if (!holds) {
        char message[1000];
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        fail(file, line, "does not hold: %s", message);
    }
    return holds;
}

bool
pz_test_eq_i64(int64_t actual, int64_t expected, const char *file, int line, const char *what)
{
    if (actual != expected) {
        fail(file, line, "%s is %" PRId64 ", expected %" PRId64, what, actual, expected);
    }
    return actual == expected;
}

bool
pz_test_eq_u64(uint64_t actual, uint64_t expected, const char *file, int line, const char *what)
{
    if (actual != expected) {
        fail(file, line, "%s is %" PRIu64 " (0x%" PRIx64 "), expected %" PRIu64 " (0x%" PRIx64 ")",
             what, actual, actual, expected, expected);
    }
    return actual == expected;
}

bool
pz_test_eq_double(double actual, double expected, const char *file, int line, const char *what)
{
    bool is_equal =
        memcmp(&actual, &expected, sizeof actual) == 0 || (isnan(actual) && isnan(expected));
    if (!is_equal) {
        fail(file, line, "%s is %.17g, expected %.17g", what, actual, expected);
    }
    return is_equal;
}

bool
pz_test_eq_str(const char *actual, const char *expected, const char *file, int line,
               const char *what)
{
    bool is_equal =
        actual == NULL || expected == NULL ? actual == expected : strcmp(actual, expected) == 0;
    if (!is_equal) {
        fail(file, line, "%s is \"%s\", expected \"%s\"", what, actual ? actual : "(null)",
             expected ? expected : "(null)");
    }
    return is_equal;
}

bool
pz_test_eq_pz_str(struct pz_str actual, const char *expected, const char *file, int line,
                  const char *what)
{
    bool is_equal = pz_str_equal(actual, pz_str_from(expected));
    if (!is_equal) {
        fail(file, line, "%s is \"%.*s\", expected \"%s\"", what, PZ_STR_ARG(actual), expected);
    }
    return is_equal;
}

bool
pz_test_eq_bytes(const void *actual, const void *expected, size_t len, const char *file, int line,
                 const char *what)
{
    const unsigned char *a = actual;
    const unsigned char *b = expected;
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            fail(file, line, "byte %zu of %s is %02x, expected %02x", i, what, a[i], b[i]);
            return false;
        }
    }
    return true;
}

bool
pz_test_contains(const char *text, const char *part, const char *file, int line, const char *what)
{
    bool has_part = text != NULL && strstr(text, part) != NULL;
    if (!has_part) {
        fail(file, line, "%s is \"%s\", which has no \"%s\"", what, text ? text : "(null)", part);
    }
    return has_part;
}

bool
pz_test_status(enum pz_status actual, enum pz_status wanted, const struct pz_error *err,
               const char *file, int line, const char *what)
{
    if (actual != wanted) {
        bool has_message = actual != PZ_OK && err != NULL;
        fail(file, line, "%s is %s%s%s, expected %s", what, pz_status_name(actual),
             has_message ? ": " : "", has_message ? err->message : "", pz_status_name(wanted));
    }
    return actual == wanted;
}

void
pz_test_end(void)
{
    longjmp(running_end, 1);
}

int
pz_test_in_child(void (*run)(void *payload), void *payload, char *output, size_t capacity)
{
    int ends[2];
    int failed = pipe(ends);
    PZ_ASSERT(failed == 0 && capacity > 0);
    (void)fflush(NULL);
    pid_t child = fork();
    PZ_ASSERT(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        run(payload);
        _exit(0);
    }
    (void)close(ends[1]);
    size_t len = 0;
    for (;;) {
        char rest[512];
        bool has_room = len + 1 < capacity;
        ssize_t got = has_room ? read(ends[0], output + len, capacity - 1 - len)
                               : read(ends[0], rest, sizeof rest);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        len += has_room ? (size_t)got : 0;
    }
    output[len] = '\0';
    (void)close(ends[0]);
    int how = 0;
    while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
}

void
pz_rng_init(struct pz_rng *rng, uint64_t value)
{
    for (int i = 0; i < 4; i++) {
        value += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t mixed = value;
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
        rng->state[i] = mixed ^ (mixed >> 31);
    }
}

static uint64_t
rotate_left(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

uint64_t
pz_rng_u64(struct pz_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t
pz_rng_below(struct pz_rng *rng, uint64_t limit)
{
    PZ_ASSERT(limit > 0);
    return (uint64_t)(((pz_u128)pz_rng_u64(rng) * limit) >> 64);
}

int64_t
pz_rng_range(struct pz_rng *rng, int64_t low, int64_t high)
{
    PZ_ASSERT(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t step = span == UINT64_MAX ? pz_rng_u64(rng) : pz_rng_below(rng, span + 1);
    return (int64_t)((uint64_t)low + step);
}

double
pz_rng_unit(struct pz_rng *rng)
{
    return (double)(pz_rng_u64(rng) >> 11) * 0x1p-53;
}

bool
pz_rng_chance(struct pz_rng *rng, double probability)
{
    return pz_rng_unit(rng) < probability;
}

double
pz_rng_any_double(struct pz_rng *rng)
{
    for (;;) {
        uint64_t bits = pz_rng_u64(rng);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            return value;
        }
    }
}

void
pz_rng_bytes(struct pz_rng *rng, void *out, size_t len)
{
    char *next = out;
    while (len > 0) {
        uint64_t word = pz_rng_u64(rng);
        size_t part = len < sizeof word ? len : sizeof word;
        memcpy(next, &word, part);
        next += part;
        len -= part;
    }
}

const char *
pz_test_dir(void)
{
    if (dir_path[0] == '\0') {
        const char *base = getenv("TMPDIR");
        (void)snprintf(dir_path, sizeof dir_path, "%s/plaza-test-XXXXXX", base ? base : "/tmp");
        if (mkdtemp(dir_path) == NULL) {
            pz_panic(__FILE__, __LINE__, "cannot make %s (errno %d)", dir_path, errno);
        }
    }
    return dir_path;
}

void
pz_test_arm_faults(const char *faults)
{
    if (faults == NULL) {
        PZ_REQUIRE(unsetenv("PLAZA_FAULT") == 0);
    } else {
        PZ_REQUIRE(setenv("PLAZA_FAULT", faults, 1) == 0);
    }
    pz_fault_init();
}

const char *
pz_test_path(const char *name)
{
    char *path = pz_arena_printf(&paths, "%s/%s", pz_test_dir(), name);
    PZ_ASSERT(path != NULL);
    return path;
}

// Returns whether the test passed.
static bool
run_test(const struct pz_test *test)
{
    unsigned failures_before = atomic_load(&failure_count);
    running_name = test->name;
    if (setjmp(running_end) == 0) {
        test->run();
    }
    if (dir_path[0] != '\0') {
        struct pz_error err;
        if (pz_test_remove_tree(dir_path, &err) != PZ_OK) {
            fail(__FILE__, __LINE__, "%s", err.message);
        }
        dir_path[0] = '\0';
    }
    pz_arena_fini(&paths);
    return atomic_load(&failure_count) == failures_before;
}

static int
usage(const char *program)
{
    (void)fprintf(stderr, "usage: %s [--seed N] [--list] [part of a test's name]\n", program);
    return 64;
}

int
main(int argc, char **argv)
{
    const char *filter = "";
    bool is_list = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            is_list = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            if (!pz_parse_u64(pz_str_from(argv[++i]), &seed)) {
                return usage(argv[0]);
            }
        } else if (argv[i][0] != '-') {
            filter = argv[i];
        } else {
            return usage(argv[0]);
        }
    }
    pz_arena_init(&paths, NULL);
    unsigned run_count = 0;
    unsigned failed_count = 0;
    for (const struct pz_test *test = first_test; test != NULL; test = test->next) {
        if (strstr(test->name, filter) == NULL) {
            continue;
        }
        if (is_list) {
            (void)printf("%s\n", test->name);
            continue;
        }
        run_count++;
        failed_count += !run_test(test);
    }
    if (is_list) {
        return 0;
    }
    (void)printf("%u tests, %u failed (seed %" PRIu64 ")\n", run_count, failed_count, seed);
    // A filter that matches nothing is a mistake, not a success.
    return failed_count == 0 && run_count > 0 ? 0 : 1;
}
