// SPDX-License-Identifier: Apache-2.0
// Reading PLAZA_FAULT, and visits.
#include "base/fault.h"

#include "base/clock.h"
#include "base/thread.h"

#include "tests/support/test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static void
init_with(void *payload)
{
    pz_test_arm_faults(payload);
}

static void
visit_twice(void *payload)
{
    pz_test_arm_faults(payload);
    (void)pz_fault_visit(PZ_FAULT_seal_before_rename);
    (void)pz_fault_visit(PZ_FAULT_seal_before_rename);
}

PZ_TEST(unarmed_points_do_nothing)
{
    pz_test_arm_faults("");
    for (unsigned i = 0; i < PZ_FAULT_COUNT; i++) {
        PZ_CHECK_EQ_I64(pz_fault_visit((enum pz_fault_point)i), 0);
    }
}

PZ_TEST(visits_are_counted)
{
    pz_test_arm_faults("seal_before_rename=eio@3,fold_after_slice=enospc@2+,answer_before=eio");
    static const int third[] = {0, 0, EIO, 0, 0};
    static const int from_second[] = {0, ENOSPC, ENOSPC, ENOSPC, ENOSPC};
    for (int i = 0; i < 5; i++) {
        PZ_CHECK_EQ_I64(pz_fault_visit(PZ_FAULT_seal_before_rename), third[i]);
        PZ_CHECK_EQ_I64(pz_fault_visit(PZ_FAULT_fold_after_slice), from_second[i]);
        PZ_CHECK_EQ_I64(pz_fault_visit(PZ_FAULT_answer_before), EIO);
        PZ_CHECK_EQ_I64(pz_fault_visit(PZ_FAULT_file_write), 0);
    }
    pz_test_arm_faults("");
    PZ_CHECK_EQ_I64(pz_fault_visit(PZ_FAULT_answer_before), 0);
}

PZ_TEST(delay_waits)
{
    pz_test_arm_faults("answer_before=delay:20@1");
    int64_t before_us = pz_clock_mono_us();
    PZ_CHECK_EQ_I64(pz_fault_visit(PZ_FAULT_answer_before), 0);
    PZ_CHECK(pz_clock_mono_us() - before_us >= 20000);
    pz_test_arm_faults("");
}

static void *
visit_point(void *payload)
{
    (void)payload;
    (void)pz_fault_visit(PZ_FAULT_answer_before);
    return NULL;
}

// Ten minutes, else: the test would not end in time.
PZ_TEST(a_delay_ends_when_points_are_armed_anew)
{
    struct pz_thread thread;
    pz_test_arm_faults("answer_before=delay:600000");
    pz_thread_start(&thread, "visitor", visit_point, NULL);
    pz_clock_sleep_us(5000);
    pz_test_arm_faults("");
    pz_thread_join(&thread);
}

PZ_TEST(kill_is_sigkill)
{
    char output[200];
    char second[] = "seal_before_rename=kill@2";
    char third[] = "seal_before_rename=kill@3";
    PZ_CHECK_EQ_I64(pz_test_in_child(visit_twice, second, output, sizeof output), -SIGKILL);
    PZ_CHECK_EQ_I64(pz_test_in_child(visit_twice, third, output, sizeof output), 0);
}

PZ_TEST(what_does_not_parse_ends_the_process)
{
    static const char *const bad[] = {"nonsense",           "no_such_point=kill", "file_write",
                                      "file_write=explode", "file_write=eio@0",   "file_write=eio@",
                                      "file_write=eio@-1",  "file_write=delay:x", "file_write=eio,",
                                      "file_write=wait:5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char setting[64];
        char output[400];
        PZ_ASSERT(pz_str_to_c(pz_str_from(bad[i]), setting, sizeof setting));
        PZ_CHECK_EQ_I64(pz_test_in_child(init_with, setting, output, sizeof output), 78);
        PZ_CHECK_CONTAINS(output, "PLAZA_FAULT");
    }
}
