// SPDX-License-Identifier: Apache-2.0
// A domain: names by code in fixed-size runs that never move (so that readers need no lock), and
// an open-addressing index from hash to code.
//
// LMDB: PZ_KV_SYMBOLS, key = domain id be32 | first code be32, value = count u32, then count
// strings (length u32, bytes); at most about 64 KiB a value.
#include "storage/catalog/symbols.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/thread.h"
#include "storage/column/feed_rules.h"

#include <stdatomic.h>
#include <stdlib.h>

#define RUN_BITS 12u
#define RUN_NAMES (1u << RUN_BITS)
#define RUN_COUNT_MAX (1u << 18) // runs; 2^30 symbols
#define VALUE_BYTES_MAX (60u * 1024)

// Index slot: code + 1 (0 = free) beside the upper half of its hash.
struct slot {
    uint32_t code_plus_1;
    uint32_t tag;
};

struct run {
    struct pz_str names[RUN_NAMES];
    bool is_feed_name[RUN_NAMES];
};

struct pz_domain {
    uint32_t id;
    struct pz_mutex mutex; // guards everything below but `count` and finished names
    _Atomic uint32_t count;
    struct run *_Atomic *runs; // RUN_COUNT_MAX pointers, touched as needed
    struct slot *slots;
    uint32_t slot_count; // a power of two
    struct pz_arena text;
    uint32_t persisted;  // codes below are durable; writer thread
    uint32_t persisting; // codes below are in the writer's open transaction
    uint64_t seed;
};

struct pz_domain *
pz_domain_create(uint32_t domain_id)
{
    struct pz_domain *domain = pz_xcalloc(1, sizeof *domain);
    domain->id = domain_id;
    pz_mutex_init(&domain->mutex, PZ_RANK_SYMBOLS, "symbols");
    domain->runs = pz_xcalloc(RUN_COUNT_MAX, sizeof *domain->runs);
    domain->slot_count = 1024;
    domain->slots = pz_xcalloc(domain->slot_count, sizeof *domain->slots);
    pz_arena_init(&domain->text, NULL);
    domain->seed = pz_hash_process_seed();
    return domain;
}

void
pz_domain_destroy(struct pz_domain *domain)
{
    if (domain == NULL) {
        return;
    }
    for (uint32_t run = 0; run < RUN_COUNT_MAX; run++) {
        struct run *names = atomic_load_explicit(&domain->runs[run], memory_order_relaxed);
        if (names == NULL) {
            break;
        }
        free(names);
    }
    free((void *)domain->runs);
    free(domain->slots);
    pz_arena_fini(&domain->text);
    pz_mutex_fini(&domain->mutex);
    free(domain);
}

uint32_t
pz_domain_count(const struct pz_domain *domain)
{
    return atomic_load_explicit(&domain->count, memory_order_acquire);
}

static const struct run *
run_of(const struct pz_domain *domain, uint32_t code)
{
    PZ_ASSERT(code < pz_domain_count(domain));
    return atomic_load_explicit(&domain->runs[code >> RUN_BITS], memory_order_acquire);
}

struct pz_str
pz_domain_name(const struct pz_domain *domain, uint32_t code)
{
    return run_of(domain, code)->names[code & (RUN_NAMES - 1)];
}

bool
pz_domain_is_feed_name(const struct pz_domain *domain, uint32_t code)
{
    return run_of(domain, code)->is_feed_name[code & (RUN_NAMES - 1)];
}

// The slot that holds `name`, or the free one where it belongs.
static struct slot *
find_slot(struct pz_domain *domain, struct pz_str name, uint64_t hash)
{
    uint32_t mask = domain->slot_count - 1;
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        struct slot *slot = &domain->slots[i];
        if (slot->code_plus_1 == 0) {
            return slot;
        }
        if (slot->tag == tag && pz_str_equal(pz_domain_name(domain, slot->code_plus_1 - 1), name)) {
            return slot;
        }
    }
}

static enum pz_status
grow_index(struct pz_domain *domain, struct pz_error *err)
{
    uint32_t old_count = domain->slot_count;
    struct slot *old = domain->slots;
    struct slot *slots = calloc((size_t)old_count * 2, sizeof *slots);
    if (slots == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for the index of a domain of %u symbols",
                       pz_domain_count(domain));
    }
    uint32_t mask = old_count * 2 - 1;
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i].code_plus_1 == 0) {
            continue;
        }
        struct pz_str name = pz_domain_name(domain, old[i].code_plus_1 - 1);
        uint32_t at = (uint32_t)pz_hash_bytes_seeded(name.data, name.len, domain->seed) & mask;
        while (slots[at].code_plus_1 != 0) {
            at = (at + 1) & mask;
        }
        slots[at] = old[i];
    }
    free(old);
    domain->slots = slots;
    domain->slot_count = old_count * 2;
    return PZ_OK;
}

// The index grows first: it always has free slots, or a search would not end.
static enum pz_status
add(struct pz_domain *domain, struct pz_str name, uint64_t hash, uint32_t *code_out,
    struct pz_error *err)
{
    uint32_t code = pz_domain_count(domain);
    if ((uint64_t)(code + 1) * 2 > domain->slot_count) {
        PZ_TRY(grow_index(domain, err));
    }
    if (code >> RUN_BITS >= RUN_COUNT_MAX) {
        return pz_fail(err, PZ_UNACCEPTABLE, "a symbol domain holds at most %u names",
                       RUN_COUNT_MAX * RUN_NAMES);
    }
    struct run *run = atomic_load_explicit(&domain->runs[code >> RUN_BITS], memory_order_relaxed);
    if (run == NULL) {
        run = calloc(1, sizeof *run);
        if (run == NULL) {
            return pz_fail(err, PZ_NO_MEMORY, "no memory for more symbols");
        }
        atomic_store_explicit(&domain->runs[code >> RUN_BITS], run, memory_order_release);
    }
    struct pz_str copy = pz_arena_copy(&domain->text, name);
    if (copy.data == NULL) {
        return pz_fail(err, PZ_NO_MEMORY, "no memory for more symbols");
    }
    char why[PZ_RULE_TEXT_MAX];
    run->names[code & (RUN_NAMES - 1)] = copy;
    run->is_feed_name[code & (RUN_NAMES - 1)] = pz_rule_takes_text(PZ_RULE_NAME, copy, why);
    atomic_store_explicit(&domain->count, code + 1, memory_order_release);
    *find_slot(domain, name, hash) = (struct slot){code + 1, (uint32_t)(hash >> 32)};
    *code_out = code;
    return PZ_OK;
}

bool
pz_domain_find(struct pz_domain *domain, struct pz_str name, uint32_t *code_out)
{
    uint64_t hash = pz_hash_bytes_seeded(name.data, name.len, domain->seed);
    pz_mutex_lock(&domain->mutex);
    struct slot *slot = find_slot(domain, name, hash);
    uint32_t code_plus_1 = slot->code_plus_1;
    pz_mutex_unlock(&domain->mutex);
    if (code_plus_1 == 0) {
        return false;
    }
    *code_out = code_plus_1 - 1;
    return true;
}

enum pz_status
pz_domain_intern(struct pz_domain *domain, struct pz_str name, uint32_t *code_out,
                 struct pz_error *err)
{
    if (name.len > PZ_SYMBOL_LEN_MAX) {
        return pz_fail(err, PZ_UNACCEPTABLE, "a symbol has at most %u bytes, this one has %u",
                       PZ_SYMBOL_LEN_MAX, name.len);
    }
    enum pz_status status = PZ_OK;
    uint64_t hash = pz_hash_bytes_seeded(name.data, name.len, domain->seed);
    pz_mutex_lock(&domain->mutex);
    struct slot *slot = find_slot(domain, name, hash);
    if (slot->code_plus_1 != 0) {
        *code_out = slot->code_plus_1 - 1;
    } else {
        status = add(domain, name, hash, code_out, err);
    }
    pz_mutex_unlock(&domain->mutex);
    return status;
}

static void
make_key(uint32_t domain_id, uint32_t first_code, char key[8])
{
    pz_store_be32(key, domain_id);
    pz_store_be32(key + 4, first_code);
}

static enum pz_status
load_run(struct pz_domain *domain, struct pz_bytes key, struct pz_bytes value, struct pz_error *err)
{
    uint32_t first = pz_load_be32((const char *)key.data + 4);
    struct pz_reader reader = pz_reader_of(value.data, value.len);
    uint32_t count = pz_get_u32(&reader);
    if (first != pz_domain_count(domain)) {
        return pz_fail(err, PZ_CORRUPT, "symbols of domain %u: codes %u to %u are missing",
                       domain->id, pz_domain_count(domain), first);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pz_str name = pz_get_str(&reader);
        uint32_t code = 0;
        if (reader.has_failed || name.len > PZ_SYMBOL_LEN_MAX) {
            return pz_fail(err, PZ_CORRUPT,
                           "symbols of domain %u: the run at code %u does not parse", domain->id,
                           first);
        }
        PZ_TRY(pz_domain_intern(domain, name, &code, err));
        if (code != first + i) {
            return pz_fail(err, PZ_CORRUPT, "symbols of domain %u: code %u repeats a name",
                           domain->id, first + i);
        }
    }
    if (reader.has_failed || reader.left > 0 || count == 0) {
        return pz_fail(err, PZ_CORRUPT, "symbols of domain %u: the run at code %u does not parse",
                       domain->id, first);
    }
    return PZ_OK;
}

enum pz_status
pz_domain_load(struct pz_domain *domain, struct pz_kv_txn *txn, struct pz_error *err)
{
    struct pz_kv_cursor *cursor = NULL;
    PZ_TRY(pz_kv_cursor_open(txn, PZ_KV_SYMBOLS, &cursor, err));
    char start[8];
    make_key(domain->id, 0, start);
    struct pz_bytes key = {start, sizeof start};
    struct pz_bytes value;
    enum pz_status status = pz_kv_cursor_move(cursor, PZ_KV_AT_OR_AFTER, key, &key, &value, err);
    while (status == PZ_OK && key.len == 8 && pz_load_be32(key.data) == domain->id) {
        status = load_run(domain, key, value, err);
        if (status == PZ_OK) {
            status = pz_kv_cursor_move(cursor, PZ_KV_NEXT, key, &key, &value, err);
        }
    }
    pz_kv_cursor_close(cursor);
    domain->persisted = pz_domain_count(domain);
    return status == PZ_NOT_FOUND ? PZ_OK : status;
}

enum pz_status
pz_domain_persist(struct pz_domain *domain, struct pz_kv_txn *txn, bool *written_out,
                  struct pz_error *err)
{
    uint32_t end = pz_domain_count(domain);
    struct pz_buffer value = {0};
    enum pz_status status = PZ_OK;
    *written_out = domain->persisted < end;
    for (uint32_t code = domain->persisted; code < end && status == PZ_OK;) {
        uint32_t first = code;
        pz_buffer_clear(&value);
        pz_put_u32(&value, 0);
        while (code < end && value.len < VALUE_BYTES_MAX) {
            pz_put_str(&value, pz_domain_name(domain, code++));
        }
        if (value.is_failed) {
            status = pz_fail(err, PZ_NO_MEMORY, "no memory to store symbols");
            break;
        }
        pz_store_le32(value.data, code - first);
        char key[8];
        make_key(domain->id, first, key);
        status = pz_kv_put(txn, PZ_KV_SYMBOLS, PZ_KV_PUT, (struct pz_bytes){key, sizeof key},
                           (struct pz_bytes){value.data, value.len}, err);
    }
    domain->persisting = end;
    pz_buffer_fini(&value);
    return status;
}

void
pz_domain_persisted(struct pz_domain *domain)
{
    domain->persisted = domain->persisting;
}
