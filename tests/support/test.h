// SPDX-License-Identifier: Apache-2.0
// The unit-test framework: tests, checks, seeded random numbers, temporary directories.
//
//     PZ_TEST(sum_of_nothing_is_zero)
//     {
//         PZ_CHECK_EQ_I64(sum(NULL, 0), 0);
//     }
//
// A test program is one file of tests and the support library, which brings `main`:
//     unit_x [--seed N] [--list] [part of a test's name]
// A failed check is reported with file and line and the test goes on; PZ_REQUIRE ends the test.
// Checks may be made in any thread, PZ_REQUIRE only in the test's own.
#ifndef PZ_TESTS_SUPPORT_TEST_H
#define PZ_TESTS_SUPPORT_TEST_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pz_test {
    const char *name;
    void (*run)(void);
    struct pz_test *next;
};
void pz_test_register(struct pz_test *test);

#define PZ_TEST(test_name)                                                          \
    static void test_##test_name(void);                                             \
    __attribute__((constructor)) static void register_##test_name(void)             \
    {                                                                               \
        static struct pz_test test = {.name = #test_name, .run = test_##test_name}; \
        pz_test_register(&test);                                                    \
    }                                                                               \
    static void test_##test_name(void)

// Each returns whether it held, for checks that only make sense after others.
#define PZ_CHECK(expression) \
    pz_test_check((expression) ? true : false, __FILE__, __LINE__, "%s", #expression)
// The same with words of your own about the case at hand.
#define PZ_CHECK_MSG(expression, ...) \
    pz_test_check((expression) ? true : false, __FILE__, __LINE__, __VA_ARGS__)
#define PZ_CHECK_EQ_I64(actual, expected) \
    pz_test_eq_i64((int64_t)(actual), (int64_t)(expected), __FILE__, __LINE__, #actual)
#define PZ_CHECK_EQ_U64(actual, expected) \
    pz_test_eq_u64((uint64_t)(actual), (uint64_t)(expected), __FILE__, __LINE__, #actual)
// Equal bit by bit, but for NaN, of which there is one.
#define PZ_CHECK_EQ_DOUBLE(actual, expected) \
    pz_test_eq_double((actual), (expected), __FILE__, __LINE__, #actual)
// NUL-terminated text; NULL equals only NULL.
#define PZ_CHECK_EQ_STR(actual, expected) \
    pz_test_eq_str((actual), (expected), __FILE__, __LINE__, #actual)
// struct pz_str against a literal or other NUL-terminated text.
#define PZ_CHECK_EQ_PZ_STR(actual, expected) \
    pz_test_eq_pz_str((actual), (expected), __FILE__, __LINE__, #actual)
#define PZ_CHECK_EQ_BYTES(actual, expected, len) \
    pz_test_eq_bytes((actual), (expected), (len), __FILE__, __LINE__, #actual)
// `text` contains `part`.
#define PZ_CHECK_CONTAINS(text, part) pz_test_contains((text), (part), __FILE__, __LINE__, #text)

// For calls that take an error: pass `err` on and the message of a failure is shown.
//     struct pz_error err;
//     PZ_CHECK_OK(pz_dir_create(path, &err), &err);
#define PZ_CHECK_OK(call, err) pz_test_status((call), PZ_OK, (err), __FILE__, __LINE__, #call)
#define PZ_CHECK_STATUS(call, wanted, err) \
    pz_test_status((call), (wanted), (err), __FILE__, __LINE__, #call)

#define PZ_REQUIRE(expression)                                                                    \
    do {                                                                                          \
        if (!pz_test_check((expression) ? true : false, __FILE__, __LINE__, "%s", #expression)) { \
            pz_test_end();                                                                        \
        }                                                                                         \
    } while (0)
#define PZ_REQUIRE_OK(call, err)                                                \
    do {                                                                        \
        if (!pz_test_status((call), PZ_OK, (err), __FILE__, __LINE__, #call)) { \
            pz_test_end();                                                      \
        }                                                                       \
    } while (0)

bool pz_test_check(bool holds, const char *file, int line, const char *format, ...) PZ_PRINTF(4, 5);
bool pz_test_eq_i64(int64_t actual, int64_t expected, const char *file, int line, const char *what);
bool pz_test_eq_u64(uint64_t actual, uint64_t expected, const char *file, int line,
                    const char *what);
bool pz_test_eq_double(double actual, double expected, const char *file, int line,
                       const char *what);
bool pz_test_eq_str(const char *actual, const char *expected, const char *file, int line,
                    const char *what);
bool pz_test_eq_pz_str(struct pz_str actual, const char *expected, const char *file, int line,
                       const char *what);
bool pz_test_eq_bytes(const void *actual, const void *expected, size_t len, const char *file,
                      int line, const char *what);
bool pz_test_contains(const char *text, const char *part, const char *file, int line,
                      const char *what);
bool pz_test_status(enum pz_status actual, enum pz_status wanted, const struct pz_error *err,
                    const char *file, int line, const char *what);
PZ_NORETURN void pz_test_end(void); // leaves the running test

// Runs `run` in a child process and returns how it ended: its exit status, or minus the number of
// the signal that ended it. What it wrote to stderr goes to `output` (cut to fit, NUL-terminated).
int pz_test_in_child(void (*run)(void *payload), void *payload, char *output, size_t capacity);

// Arms fault points (base/fault.h) as PLAZA_FAULT would, e.g. "file_sync=eio@2"; those armed before
// are forgotten. NULL arms none.
void pz_test_arm_faults(const char *faults);

// Random numbers that are the same in every run: xoshiro256** seeded by splitmix64.
struct pz_rng {
    uint64_t state[4];
};
uint64_t pz_test_seed(void); // 1 or what --seed said
void pz_rng_init(struct pz_rng *rng, uint64_t seed);
uint64_t pz_rng_u64(struct pz_rng *rng);
uint64_t pz_rng_below(struct pz_rng *rng, uint64_t limit);           // 0 .. limit - 1; limit > 0
int64_t pz_rng_range(struct pz_rng *rng, int64_t low, int64_t high); // both included
bool pz_rng_chance(struct pz_rng *rng, double probability);
double pz_rng_unit(struct pz_rng *rng);       // [0, 1)
double pz_rng_any_double(struct pz_rng *rng); // any finite one, all exponents alike
void pz_rng_bytes(struct pz_rng *rng, void *out, size_t len);

// The path of a fresh empty directory, removed with all it holds when the test ends. The same one
// throughout a test; valid until its end.
const char *pz_test_dir(void);
// `pz_test_dir()/name`; the text is freed when the test ends.
const char *pz_test_path(const char *name);

#endif
