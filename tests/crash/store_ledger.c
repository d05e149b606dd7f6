// SPDX-License-Identifier: Apache-2.0
// Verifying a store against the ledger. See store_ledger.h.
#include "tests/crash/store_ledger.h"

#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

struct ledger *
ledger_create(void)
{
    struct ledger *ledger = pz_xcalloc(1, sizeof *ledger);
    ledger->next_number = WORKERS;
    return ledger;
}

struct pz_table_def *
notes_def(const char *name)
{
    static struct pz_column_def columns[NOTES_COLUMNS] = {
        {.name = "n", .type = PZ_TYPE_BIGINT, .is_not_null = true},
        {.name = "at", .type = PZ_TYPE_TIMESTAMP},
        {.name = "tag", .type = PZ_TYPE_SYMBOL},
        {.name = "text", .type = PZ_TYPE_TEXT},
    };
    static struct pz_table_def def = {
        .time_column = 1, .column_count = NOTES_COLUMNS, .columns = columns};
    columns[2].domain_name[0] = '\0';
    (void)snprintf(def.name, sizeof def.name, "%s", name);
    return &def;
}

void
notes_name(const struct ledger *ledger, const struct op *op, char out[32])
{
    (void)ledger;
    if (op->target == 0) {
        (void)snprintf(out, 32, "notes");
    } else {
        (void)snprintf(out, 32, "x%llu", (unsigned long long)op->target);
    }
}

void
ledger_settle(struct ledger *ledger, uint64_t number)
{
    struct op *op = &ledger->ops[number];
    struct op *target = &ledger->ops[op->target];
    if (op->state != OP_DONE) {
        return;
    }
    switch (op->kind) {
    case OP_LIKE:
        target->is_liked = true;
        break;
    case OP_UNLIKE:
        target->is_liked = false;
        break;
    case OP_DELETE_POST:
    case OP_DELETE_NOTES:
    case OP_DROP:
        target->is_gone = true;
        break;
    default:
        break;
    }
}

// ---- what is there --------------------------------------------------------------------------

struct scan {
    struct ledger *ledger;
    struct pz_store *store;
    const struct pz_table_def *def;
    struct pz_page_scratch *scratches[8];
    struct pz_slice slices[8];
    const char *table;
};

// Counts a row for operation `number`; NULL when that is none of the kind.
static struct op *
count(struct scan *scan, int64_t number)
{
    bool is_known =
        number > 0 && (uint64_t)number < OPS_MAX && scan->ledger->ops[number].kind != OP_NONE;
    if (!PZ_CHECK_MSG(is_known, "table %s has a row of operation %lld", scan->table,
                      (long long)number)) {
        return NULL;
    }
    struct op *op = &scan->ledger->ops[number];
    op->seen++;
    return op;
}

static int64_t
int_of(const struct scan *scan, uint32_t column, uint32_t row)
{
    return ((const int64_t *)scan->slices[column].data)[row];
}

static struct pz_str
text_of(const struct scan *scan, uint32_t column, uint32_t row)
{
    return ((const struct pz_str *)scan->slices[column].data)[row];
}

static void
visit_message(struct scan *scan, uint32_t row)
{
    int64_t number = 0;
    struct pz_str body = text_of(scan, PZ_MESSAGES_BODY, row);
    PZ_CHECK_MSG(pz_parse_i64(body, &number), "message \"%.*s\"", PZ_STR_ARG(body));
    struct op *op = count(scan, number);
    int64_t id = int_of(scan, PZ_MESSAGES_ID, row);
    if (op != NULL && op->state == OP_DONE) {
        PZ_CHECK_EQ_I64(id, op->message_id);
    } else if (op != NULL) {
        op->message_id = id;
    }
}

static void
visit_note(struct scan *scan, uint32_t row)
{
    char text[32];
    int64_t number = int_of(scan, 0, row);
    struct op *op = count(scan, number);
    if (op == NULL) {
        return;
    }
    char wanted[32];
    notes_name(scan->ledger, op, wanted);
    PZ_CHECK_EQ_STR(scan->table, wanted);
    (void)snprintf(text, sizeof text, "tag%lld", (long long)number);
    PZ_CHECK_EQ_PZ_STR(pz_symbol_name(scan->store, scan->def->columns[2].domain_id,
                                      ((const uint32_t *)scan->slices[2].data)[row]),
                       text);
    (void)snprintf(text, sizeof text, "text %lld", (long long)number);
    PZ_CHECK_EQ_PZ_STR(text_of(scan, 3, row), text);
}

static void
visit(struct scan *scan, uint32_t row)
{
    switch (scan->def->id) {
    case PZ_TABLE_MESSAGES:
        visit_message(scan, row);
        break;
    case PZ_TABLE_LIKES:
        (void)count(scan, int_of(scan, PZ_LIKES_CREATED_AT, row));
        break;
    case PZ_TABLE_VIEWS:
        (void)count(scan, int_of(scan, PZ_VIEWS_WATCH_MS, row));
        break;
    case PZ_TABLE_DEAD_LETTERS:
        (void)count(scan, int_of(scan, PZ_DEAD_POSITION, row));
        break;
    case PZ_TABLE_MESSAGE_DELETIONS:
        break;
    default:
        visit_note(scan, row);
    }
}

static void
scan_table(struct scan *scan, const struct pz_version *version)
{
    struct pz_table_rows rows;
    struct pz_error err = {0};
    uint64_t row_count = 0;
    scan->table = scan->def->name;
    pz_version_rows(version, scan->def, &rows);
    for (uint32_t b = 0; b < rows.block_count; b++) {
        struct pz_block block;
        pz_table_block(&rows, b, &block);
        for (uint32_t c = 0; c < scan->def->column_count; c++) {
            PZ_REQUIRE_OK(pz_block_read(&block, c, scan->scratches[c], &scan->slices[c], &err),
                          &err);
        }
        for (uint32_t row = 0; row < block.row_count; row++) {
            if (block.deleted == NULL || !pz_bit_get(block.deleted, row)) {
                row_count++;
                visit(scan, row);
            }
        }
    }
    PZ_CHECK_EQ_U64(rows.row_count, row_count);
}

static void
scan_all(struct ledger *ledger, struct pz_store *store)
{
    struct scan scan = {.ledger = ledger, .store = store};
    struct pz_version *version = pz_version_acquire(store);
    for (int i = 0; i < 8; i++) {
        scan.scratches[i] = pz_page_scratch_create();
    }
    PZ_CHECK_MSG(pz_version_commit(version) >= ledger->commit,
                 "commit %llu was acknowledged, the store is at %llu",
                 (unsigned long long)ledger->commit,
                 (unsigned long long)pz_version_commit(version));
    for (uint32_t t = 0; t < pz_version_table_count(version); t++) {
        uint64_t number = 0;
        scan.def = pz_version_table_at(version, t);
        struct pz_str name = pz_str_from(scan.def->name);
        if (name.data[0] == 'x' &&
            pz_parse_u64((struct pz_str){name.data + 1, name.len - 1}, &number) &&
            PZ_CHECK(number < OPS_MAX)) {
            PZ_CHECK_EQ_I64(ledger->ops[number].kind, OP_CREATE);
            ledger->ops[number].seen++;
        }
        scan_table(&scan, version);
    }
    for (int i = 0; i < 8; i++) {
        pz_page_scratch_destroy(scan.scratches[i]);
    }
    pz_version_release(version);
}

// ---- what must be there ---------------------------------------------------------------------

static bool
is_taker(enum op_kind kind)
{
    return kind == OP_DELETE_POST || kind == OP_DELETE_NOTES || kind == OP_DROP;
}

static bool
is_of_table(const struct op *op)
{
    return (op->kind == OP_NOTES || op->kind == OP_LOAD_NOTES) && op->target != 0;
}

// Whether what the operation stored is taken back for certain, or perhaps.
static void
taken(const struct ledger *ledger, const struct op *op, bool *gone_out, bool *maybe_out)
{
    *gone_out = op->is_gone;
    *maybe_out = op->open_taker != 0;
    if (is_of_table(op)) {
        const struct op *table = &ledger->ops[op->target];
        *gone_out |= table->is_gone;
        *maybe_out |= table->open_taker != 0;
    }
}

static void
verify_op(const struct ledger *ledger, uint64_t number)
{
    const struct op *op = &ledger->ops[number];
    bool is_gone = false;
    bool is_maybe_gone = false;
    taken(ledger, op, &is_gone, &is_maybe_gone);
    bool may_be_absent = op->state != OP_DONE || is_gone || is_maybe_gone;
    bool may_be_there = op->state != OP_REFUSED && !is_gone;
    bool holds = (op->seen == 0 && (may_be_absent || op->rows == 0)) ||
                 (op->seen == op->rows && may_be_there);
    PZ_CHECK_MSG(holds,
                 "operation %llu (kind %d, state %d, of %llu%s%s) stores %u rows, %llu are there",
                 (unsigned long long)number, (int)op->kind, (int)op->state,
                 (unsigned long long)op->target, is_gone ? ", gone" : "",
                 is_maybe_gone ? ", perhaps gone" : "", op->rows, (unsigned long long)op->seen);
    PZ_CHECK_MSG(!op->is_late || op->state != OP_DONE,
                 "operation %llu was acknowledged after a failed commit",
                 (unsigned long long)number);
}

static void
verify_feed(const struct ledger *ledger, struct pz_store *store)
{
    struct pz_arena arena;
    struct pz_error err = {0};
    pz_arena_init(&arena, NULL);
    for (uint64_t number = 1; number < ledger->next_number; number++) {
        const struct op *op = &ledger->ops[number];
        if (op->kind != OP_POST || op->message_id == 0) {
            continue;
        }
        struct pz_message message;
        enum pz_status status = pz_feed_get_message(store, op->message_id, &arena, &message, &err);
        PZ_CHECK_EQ_I64(status, op->seen == 1 ? PZ_OK : PZ_NOT_FOUND);
        if (status == PZ_OK && op->state == OP_DONE) {
            PZ_CHECK_EQ_I64(message.likes, op->is_liked);
        }
        pz_arena_reset(&arena);
    }
    pz_arena_fini(&arena);
}

static void
settle_open(struct ledger *ledger, uint64_t number)
{
    struct op *op = &ledger->ops[number];
    if (op->kind == OP_NONE || op->state != OP_OPEN) {
        return;
    }
    struct op *target = &ledger->ops[op->target];
    if (is_taker(op->kind)) {
        op->state = target->seen == 0 ? OP_DONE : OP_REFUSED;
        target->open_taker = 0;
    } else {
        // Nothing to see of one that stores nothing: then it makes no difference.
        op->state = op->rows > 0 && op->seen == op->rows ? OP_DONE : OP_REFUSED;
    }
    ledger_settle(ledger, number);
}

void
ledger_verify(struct ledger *ledger, struct pz_store *store)
{
    struct pz_error err = {0};
    struct pz_buffer report = {0};
    uint64_t problems = 0;
    for (uint64_t number = 1; number < ledger->next_number; number++) {
        ledger->ops[number].seen = 0;
    }
    scan_all(ledger, store);
    for (uint64_t number = 1; number < ledger->next_number; number++) {
        if (ledger->ops[number].kind != OP_NONE && !is_taker(ledger->ops[number].kind)) {
            verify_op(ledger, number);
        }
    }
    for (uint64_t number = 1; number < ledger->next_number; number++) {
        settle_open(ledger, number);
    }
    verify_feed(ledger, store);
    PZ_CHECK_OK(pz_store_check(store, &report, &problems, &err), &err);
    PZ_CHECK_MSG(problems == 0, "%s", report.data == NULL ? "" : report.data);
    pz_buffer_fini(&report);
}
