// SPDX-License-Identifier: Apache-2.0
// The pace of folds, with made-up times.
#include "storage/upkeep/upkeep.h"
#include "tests/support/test.h"

static struct pz_fold_pace
begin(bool is_urgent)
{
    struct pz_fold_pace pace;
    pz__fold_pace_init(&pace, is_urgent, 1000);
    PZ_CHECK_EQ_U64(pace.message_count, 64);
    PZ_CHECK_EQ_I64(pace.pause_us, 0);
    return pace;
}

PZ_TEST(quick_slices_grow_to_the_largest)
{
    static const uint32_t counts[] = {128, 256, 512, 1024, 2048, 4096, 4096, 4096};
    struct pz_fold_pace alone = begin(false);
    struct pz_fold_pace beside = begin(false);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        pz__fold_pace_follow(&alone, 24999, false, 1000);
        PZ_CHECK_EQ_U64(alone.message_count, counts[i]);
        pz__fold_pace_follow(&beside, 2499, true, 1000);
        PZ_CHECK_EQ_U64(beside.message_count, counts[i]);
    }
}

PZ_TEST(slow_slices_shrink_to_the_smallest)
{
    static const uint32_t counts[] = {32, 16, 16, 16};
    struct pz_fold_pace alone = begin(false);
    struct pz_fold_pace beside = begin(false);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        pz__fold_pace_follow(&alone, 50001, false, 1000);
        PZ_CHECK_EQ_U64(alone.message_count, counts[i]);
        pz__fold_pace_follow(&beside, 5001, true, 1000);
        PZ_CHECK_EQ_U64(beside.message_count, counts[i]);
    }
}

PZ_TEST(slices_of_a_good_size_stay)
{
    static const int64_t alone_us[] = {25000, 40000, 50000};
    static const int64_t beside_us[] = {2500, 4000, 5000};
    struct pz_fold_pace alone = begin(false);
    struct pz_fold_pace beside = begin(false);
    for (int i = 0; i < 3; i++) {
        pz__fold_pace_follow(&alone, alone_us[i], false, 1000);
        PZ_CHECK_EQ_U64(alone.message_count, 64);
        pz__fold_pace_follow(&beside, beside_us[i], true, 1000);
        PZ_CHECK_EQ_U64(beside.message_count, 64);
    }
}

// Between two of its writes a busy client is not in the queue.
PZ_TEST(rows_since_the_last_look_count_as_waiting)
{
    struct pz_fold_pace pace = begin(false);
    pz__fold_pace_follow(&pace, 10000, false, 1000);
    PZ_CHECK_EQ_U64(pace.message_count, 128);
    pz__fold_pace_follow(&pace, 10000, false, 1001);
    PZ_CHECK_EQ_U64(pace.message_count, 64);
    PZ_CHECK(pace.pause_us > 0);
    pz__fold_pace_follow(&pace, 10000, false, 1001); // nothing more has come
    PZ_CHECK_EQ_U64(pace.message_count, 128);
    PZ_CHECK_EQ_I64(pace.pause_us, 0);
}

PZ_TEST(pauses_are_for_writes)
{
    struct pz_fold_pace slow = begin(false);
    struct pz_fold_pace urgent = begin(true);
    pz__fold_pace_follow(&slow, 4000, true, 1000);
    PZ_CHECK_EQ_I64(slow.pause_us, 12000);
    pz__fold_pace_follow(&urgent, 4000, true, 1000);
    PZ_CHECK_EQ_I64(urgent.pause_us, 4000);
    pz__fold_pace_follow(&slow, 90000, true, 1000); // a disk that hangs is no reason to stop
    PZ_CHECK_EQ_I64(slow.pause_us, 20000);
    pz__fold_pace_follow(&urgent, 90000, true, 1000);
    PZ_CHECK_EQ_I64(urgent.pause_us, 20000);
    pz__fold_pace_follow(&urgent, 90000, false, 1000);
    PZ_CHECK_EQ_I64(urgent.pause_us, 0);
}
