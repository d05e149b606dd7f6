// SPDX-License-Identifier: Apache-2.0
// The pace of a fold: how large its next slice is and how long it pauses before, from the time of
// the slice before and from what came in meanwhile. It reads no clock and no store, so that tests
// can give it any times.
//
// What a slice costs is the pages it dirties, and what a page costs is the disk's to say (10 us on
// one machine, 150 us on another). So the size of slices follows the time of the last one, towards
// a few milliseconds while writes wait; between slices it pauses then, so that the groups keep
// most of the writer's time.
#include "storage/upkeep/upkeep.h"

#define SLICE_MESSAGES_MIN 16u
#define SLICE_MESSAGES_FIRST 64u
#define SLICE_MESSAGES_MAX 4096u
#define SLICE_US 5000       // a slice's time beside waiting writes
#define SLICE_US_IDLE 50000 // when nothing waits
#define PAUSE_US_MAX 20000

void
pz__fold_pace_init(struct pz_fold_pace *pace, bool is_urgent, uint64_t rows_written)
{
    *pace = (struct pz_fold_pace){.is_urgent = is_urgent,
                                  .rows_written = rows_written,
                                  .message_count = SLICE_MESSAGES_FIRST};
}

static uint32_t
next_count(uint32_t count, int64_t elapsed_us, int64_t wanted_us)
{
    if (elapsed_us > wanted_us) {
        return count / 2 < SLICE_MESSAGES_MIN ? SLICE_MESSAGES_MIN : count / 2;
    }
    return elapsed_us < wanted_us / 2 && count < SLICE_MESSAGES_MAX ? count * 2 : count;
}

void
pz__fold_pace_follow(struct pz_fold_pace *pace, int64_t elapsed_us, bool is_waiting,
                     uint64_t rows_written)
{
    bool is_busy = is_waiting || rows_written != pace->rows_written;
    int64_t pause_us = elapsed_us * (pace->is_urgent ? 1 : 3);
    pace->rows_written = rows_written;
    pace->message_count =
        next_count(pace->message_count, elapsed_us, is_busy ? SLICE_US : SLICE_US_IDLE);
    pace->pause_us = !is_busy ? 0 : pause_us < PAUSE_US_MAX ? pause_us : PAUSE_US_MAX;
}
