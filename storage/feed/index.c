// SPDX-License-Identifier: Apache-2.0
// Sorting, merging and walking the runs of an index.
#include "storage/feed/index.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

void
pz__feed_index_fini(struct pz__feed_index *index)
{
    for (uint32_t i = 0; i < index->run_count; i++) {
        free(index->runs[i].keys);
    }
    index->run_count = 0;
}

int
pz__feed_key_compare(bool is_by_user, const struct pz__feed_key *a, const struct pz__feed_key *b)
{
    if (is_by_user && a->user != b->user) {
        return a->user < b->user ? -1 : 1;
    }
    if (a->created_at != b->created_at) {
        return a->created_at < b->created_at ? -1 : 1;
    }
    return (a->message_id > b->message_id) - (a->message_id < b->message_id);
}

static int
compare_in_order(const void *a, const void *b)
{
    return pz__feed_key_compare(false, a, b);
}

static int
compare_by_user(const void *a, const void *b)
{
    return pz__feed_key_compare(true, a, b);
}

static struct pz__feed_run
sorted_copy(bool is_by_user, const struct pz__feed_key *keys, size_t count)
{
    struct pz__feed_run run = {pz_xmalloc(count * sizeof *keys), count};
    memcpy(run.keys, keys, count * sizeof *keys);
    bool is_sorted = true; // as posts arrive, in the order of the feed
    for (size_t i = 1; i < count && is_sorted; i++) {
        is_sorted = pz__feed_key_compare(is_by_user, &run.keys[i - 1], &run.keys[i]) < 0;
    }
    if (!is_sorted) {
        qsort(run.keys, count, sizeof *keys, is_by_user ? compare_by_user : compare_in_order);
    }
    return run;
}

static struct pz__feed_run
merge(bool is_by_user, struct pz__feed_run a, struct pz__feed_run b)
{
    struct pz__feed_run out = {pz_xmalloc((a.count + b.count) * sizeof *out.keys),
                               a.count + b.count};
    size_t i = 0;
    size_t j = 0;
    size_t n = 0;
    while (i < a.count && j < b.count) {
        if (pz__feed_key_compare(is_by_user, &a.keys[i], &b.keys[j]) < 0) {
            out.keys[n++] = a.keys[i++];
        } else {
            out.keys[n++] = b.keys[j++];
        }
    }
    memcpy(out.keys + n, a.keys + i, (a.count - i) * sizeof *out.keys);
    memcpy(out.keys + n + (a.count - i), b.keys + j, (b.count - j) * sizeof *out.keys);
    return out;
}

void
pz__feed_index_prepare(const struct pz__feed_index *index, const struct pz__feed_key *keys,
                       size_t count, struct pz__feed_index *next_out)
{
    *next_out = *index;
    if (count == 0) {
        return;
    }
    struct pz__feed_run run = sorted_copy(index->is_by_user, keys, count);
    while (next_out->run_count > 0 &&
           next_out->runs[next_out->run_count - 1].count <= 2 * run.count) {
        next_out->run_count--;
        struct pz__feed_run merged =
            merge(index->is_by_user, next_out->runs[next_out->run_count], run);
        free(run.keys); // the new one; that of `index` stays until it is retired
        run = merged;
    }
    PZ_ASSERT(next_out->run_count < PZ__FEED_RUN_MAX);
    next_out->runs[next_out->run_count++] = run;
}

struct pz__feed_run
pz__feed_index_flatten(const struct pz__feed_index *index)
{
    struct pz__feed_run flat = {pz_xmalloc(1), 0};
    for (uint32_t i = index->run_count; i > 0; i--) { // the short ones first
        struct pz__feed_run merged = merge(index->is_by_user, index->runs[i - 1], flat);
        free(flat.keys);
        flat = merged;
    }
    return flat;
}

void
pz__feed_index_exchange(struct pz__feed_index *index, const struct pz__feed_index *next,
                        struct pz__feed_index *index_old)
{
    *index_old = *index;
    *index = *next;
}

void
pz__feed_index_retire(struct pz__feed_index *old, const struct pz__feed_index *next)
{
    for (uint32_t i = 0; i < old->run_count; i++) {
        if (i >= next->run_count || old->runs[i].keys != next->runs[i].keys) {
            free(old->runs[i].keys);
        }
    }
    old->run_count = 0;
}

size_t
pz__feed_run_find(bool is_by_user, const struct pz__feed_run *run, const struct pz__feed_key *bound)
{
    size_t low = 0;
    size_t high = run->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pz__feed_key_compare(is_by_user, &run->keys[middle], bound) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
pz__feed_walk_init(struct pz__feed_walk *walk, const struct pz__feed_index *index, uint32_t user,
                   const struct pz__feed_key *bound)
{
    walk->index = index;
    walk->user = user;
    struct pz__feed_key newest = {INT64_MAX, UINT64_MAX, user, 0};
    for (uint32_t i = 0; i < index->run_count; i++) {
        const struct pz__feed_run *run = &index->runs[i];
        if (bound != NULL) {
            walk->left[i] = pz__feed_run_find(index->is_by_user, run, bound);
        } else {
            walk->left[i] = index->is_by_user ? pz__feed_run_find(true, run, &newest) : run->count;
        }
    }
}

const struct pz__feed_key *
pz__feed_walk_next(struct pz__feed_walk *walk)
{
    const struct pz__feed_index *index = walk->index;
    const struct pz__feed_key *newest = NULL;
    uint32_t newest_run = 0;
    for (uint32_t i = 0; i < index->run_count; i++) {
        if (walk->left[i] == 0) {
            continue;
        }
        const struct pz__feed_key *key = &index->runs[i].keys[walk->left[i] - 1];
        if (index->is_by_user && key->user != walk->user) {
            walk->left[i] = 0; // the keys before are of smaller users
            continue;
        }
        if (newest == NULL || pz__feed_key_compare(index->is_by_user, key, newest) > 0) {
            newest = key;
            newest_run = i;
        }
    }
    if (newest != NULL) {
        walk->left[newest_run]--;
    }
    return newest;
}
