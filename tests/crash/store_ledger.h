// SPDX-License-Identifier: Apache-2.0
// The ledger of a store that may die at any moment: what was begun, what was acknowledged, and
// whether the store holds to it.
//
// Every write is an operation with a number, and leaves that number in each row it stores: in the
// body of a message, as the time of a like, as the watch time of a view. So the rows of a store
// tell which operations it holds, how often, and whether whole.
#ifndef PZ_TESTS_CRASH_STORE_LEDGER_H
#define PZ_TESTS_CRASH_STORE_LEDGER_H

#include "storage/store.h"

#define OPS_MAX 20000u
#define WORKERS 3u
#define NOTES_COLUMNS 4u

enum op_kind {
    OP_NONE,
    OP_POST,
    OP_LIKE,         // target: a post
    OP_UNLIKE,       // target: a post
    OP_DELETE_POST,  // target: a post
    OP_VIEWS,        // a batch
    OP_LOAD_VIEWS,   // large enough for segments
    OP_NOTES,        // a batch; target: the table's OP_CREATE, or 0
    OP_LOAD_NOTES,   // the same
    OP_DELETE_NOTES, // target: a batch
    OP_LETTER,       // a row that is refused and becomes a dead letter
    OP_CREATE,       // a table like notes
    OP_DROP,         // target: its OP_CREATE
};
enum op_state {
    OP_OPEN,    // begun and not answered: whole or not at all
    OP_DONE,    // acknowledged
    OP_REFUSED, // not at all
};

struct op {
    enum op_kind kind;
    enum op_state state;
    uint32_t worker;
    uint32_t rows;       // that it stores
    uint64_t target;     // number of the operation it builds on or takes back; 0 = none
    int64_t message_id;  // POST, when known
    bool is_liked;       // POST: by its worker's user
    bool is_gone;        // POST, NOTES, CREATE: taken back
    bool is_late;        // begun after a commit had failed
    uint64_t open_taker; // an open operation that may have taken it back; 0 = none
    uint64_t seen;       // rows found
};

struct ledger {
    uint64_t next_number; // from 1; worker w has those that are w modulo WORKERS
    uint64_t commit;      // largest acknowledged
    struct op ops[OPS_MAX];
};

struct ledger *ledger_create(void);
// What an acknowledged operation does to the one it takes back. Called by the worker and by the
// keeper of the ledger alike.
void ledger_settle(struct ledger *ledger, uint64_t number);
// Compares a store, which nobody writes to, with the ledger by PZ_CHECK, then settles what was open
// by what was found.
void ledger_verify(struct ledger *ledger, struct pz_store *store);

// The definition of notes and its like: n, at, tag, text. Valid until the next call.
struct pz_table_def *notes_def(const char *name);
// The name of the table that an operation on notes goes to; `out` has 32 bytes.
void notes_name(const struct ledger *ledger, const struct op *op, char out[32]);

#endif
