// SPDX-License-Identifier: Apache-2.0
// A small table for tests of the store: notes with a number, a time, a tag and a text.
#ifndef PZ_TESTS_UNIT_STORAGE_STORE_NOTES_H
#define PZ_TESTS_UNIT_STORAGE_STORE_NOTES_H

#include "storage/store.h"

// Opens a store without background work; PZ_REQUIREs that it can.
struct pz_store *notes_open(const char *dir);
enum pz_status notes_try_open(const char *dir, struct pz_store **store_out, struct pz_error *err);

void notes_create(struct pz_store *store, const char *name);
enum pz_status notes_try_create(struct pz_store *store, const char *name, struct pz_error *err);
const struct pz_table_def *notes_table(struct pz_store *store, const char *name);
uint32_t notes_symbol(struct pz_store *store, uint32_t domain_id, const char *name);

// A batch of notes first, first + 1, …: time n (NULL for every 13th), tag "tag <n / 10>", text
// "note <n>". The caller ends it.
void notes_fill(struct pz_store *store, struct pz_batch *batch, const struct pz_table_def *def,
                int64_t first, size_t count);
void notes_add(struct pz_store *store, const char *name, int64_t first, size_t count);
// Hides the notes whose number is 0 modulo `modulus`, as a DELETE would; returns how many were.
uint64_t notes_delete(struct pz_store *store, const char *name, int64_t modulus);
uint64_t notes_count(struct pz_store *store, const char *name);
// Each note first .. first + count - 1 is there once, but for those that are 0 modulo `deleted`
// (0 = none), and no other.
void notes_check(struct pz_store *store, const char *name, int64_t first, size_t count,
                 int64_t deleted);
// `plaza check` finds nothing.
void notes_check_store(struct pz_store *store);
// Files in the directory segments/<table>.
unsigned notes_file_count(const char *dir, uint32_t table_id);

#endif
