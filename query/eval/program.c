// SPDX-License-Identifier: Apache-2.0
// Running a program: registers, instructions, and the stack of selections.
#include "query/eval/program_internal.h"

// ---- selections ----------------------------------------------------------------------------

static struct pz_rows
current_rows(const struct pz_program *program)
{
    if (program->depth == 0) {
        return program->base;
    }
    const struct pz_selection *top = &program->stack[program->depth - 1];
    return (struct pz_rows){program->base.row_count, top->count, top->rows};
}

static void
push_rows(struct pz_program *program)
{
    struct pz_rows rows = current_rows(program);
    PZ_ASSERT(program->depth < program->stack_size);
    struct pz_selection *top = &program->stack[program->depth++];
    top->count = rows.count;
    for (uint32_t i = 0; i < rows.count; i++) {
        top->rows[i] = rows.rows != NULL ? rows.rows[i] : (uint16_t)i;
    }
}

static inline bool
is_true(const struct pz_vector *condition, uint32_t row)
{
    return !pz_vector_is_null(condition, row) && pz_vector_byte(condition, row) != 0;
}

// ---- conditional instructions --------------------------------------------------------------

static void
copy_value(struct pz_register *to, const struct pz_vector *from, uint32_t row, size_t size)
{
    if (!pz_vector_is_null(from, row)) {
        memcpy((char *)to->data + row * size,
               (const char *)from->data + pz_vector_at(from, row) * size, size);
        pz_bit_set(to->valid, row);
    }
}

static void
run_begin(struct pz_program *program, const struct pz_instr *instr)
{
    struct pz_register *out = &program->registers[instr->out];
    memset(out->valid, 0, PZ_BIT_WORDS(program->base.row_count) * sizeof(uint64_t));
    out->vector.is_const = false;
    out->vector.valid = out->valid;
    out->vector.data = out->data;
    push_rows(program);
}

// Splits the rest: rows whose condition is true go on top. False when there are none.
static bool
run_when(struct pz_program *program, const struct pz_instr *instr)
{
    const struct pz_vector *condition = &program->registers[instr->args[0]].vector;
    struct pz_selection *rest = &program->stack[program->depth - 1];
    PZ_ASSERT(program->depth < program->stack_size);
    struct pz_selection *taken = &program->stack[program->depth];
    uint32_t kept = 0;
    taken->count = 0;
    for (uint32_t i = 0; i < rest->count; i++) {
        uint16_t row = rest->rows[i];
        if (is_true(condition, row)) {
            taken->rows[taken->count++] = row;
        } else {
            rest->rows[kept++] = row;
        }
    }
    rest->count = kept;
    if (taken->count == 0) {
        return false;
    }
    program->depth++;
    return true;
}

static void
run_take(struct pz_program *program, const struct pz_instr *instr)
{
    struct pz_register *out = &program->registers[instr->out];
    const struct pz_vector *from = &program->registers[instr->args[0]].vector;
    const struct pz_selection *top = &program->stack[program->depth - 1];
    size_t size = pz_value_size(out->vector.type);
    for (uint32_t i = 0; i < top->count; i++) {
        copy_value(out, from, top->rows[i], size);
    }
}

// COALESCE: takes values that are not NULL; the others remain the rest.
static bool
run_take_valid(struct pz_program *program, const struct pz_instr *instr)
{
    struct pz_register *out = &program->registers[instr->out];
    const struct pz_vector *from = &program->registers[instr->args[0]].vector;
    struct pz_selection *rest = &program->stack[program->depth - 1];
    size_t size = pz_value_size(out->vector.type);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rest->count; i++) {
        uint16_t row = rest->rows[i];
        if (pz_vector_is_null(from, row)) {
            rest->rows[kept++] = row;
        } else {
            copy_value(out, from, row, size);
        }
    }
    rest->count = kept;
    return kept > 0;
}

// AND (decided by false) and OR (by true): merges one more argument into the result and narrows
// the selection to rows that are not decided yet. False when none is left.
static bool
run_logic(struct pz_program *program, const struct pz_instr *instr, uint8_t decisive)
{
    struct pz_register *out = &program->registers[instr->out];
    const struct pz_vector *from = &program->registers[instr->args[0]].vector;
    struct pz_selection *top = &program->stack[program->depth - 1];
    uint8_t *data = out->data;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < top->count; i++) {
        uint16_t row = top->rows[i];
        bool is_null = pz_vector_is_null(from, row);
        if (is_null) {
            // Whatever was known so far (not decisive, or NULL) becomes NULL.
            pz_bit_clear(out->valid, row);
        } else if (pz_vector_byte(from, row) == decisive) {
            data[row] = decisive;
            pz_bit_set(out->valid, row);
            continue;
        }
        top->rows[kept++] = row;
    }
    top->count = kept;
    return kept > 0;
}

// The neutral value everywhere: what AND and OR of nothing give.
static void
run_logic_begin(struct pz_program *program, const struct pz_instr *instr, uint8_t neutral)
{
    run_begin(program, instr);
    struct pz_register *out = &program->registers[instr->out];
    memset(out->data, neutral, program->base.row_count);
    memset(out->valid, 0xff, PZ_BIT_WORDS(program->base.row_count) * sizeof(uint64_t));
}

// ---- kernels -------------------------------------------------------------------------------

// Validity of a strict result: the AND of the arguments'. Returns false when it is NULL for all.
static bool
strict_validity(struct pz_call *call)
{
    const uint64_t *first = NULL;
    size_t words = PZ_BIT_WORDS(call->rows.row_count);
    bool is_merged = false;
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const struct pz_vector *arg = &call->args[i];
        if (arg->valid == NULL) {
            continue;
        }
        if (arg->is_const) {
            if (!pz_bit_get(arg->valid, 0)) {
                return false;
            }
            continue;
        }
        if (first == NULL) {
            first = arg->valid;
            continue;
        }
        if (!is_merged) {
            memcpy(call->valid_room, first, words * sizeof(uint64_t));
            is_merged = true;
        }
        for (size_t w = 0; w < words; w++) {
            call->valid_room[w] &= arg->valid[w];
        }
    }
    // Kernels only read it; the pointer is not const because others build theirs here.
    call->out_valid = is_merged ? call->valid_room : (uint64_t *)(uintptr_t)first;
    return true;
}

static void
set_null(struct pz_register *out)
{
    memset(out->data, 0, pz_value_size(out->vector.type));
    out->valid[0] = 0;
    out->vector.is_const = true;
    out->vector.valid = out->valid;
    out->vector.data = out->data;
}

// Constants no longer than this are as good as numbers.
#define SHORT_TEXT_BYTES 64u

// Bytes of the texts a row of the call reads, and a little for the row itself.
static uint64_t
row_steps(const struct pz_call *call, uint32_t row)
{
    uint64_t steps = 1;
    for (uint32_t i = 0; i < call->arg_count; i++) {
        if (call->args[i].type == PZ_TYPE_TEXT) {
            steps += pz_vector_str(&call->args[i], row).len;
        }
    }
    return steps;
}

static bool
reads_texts(const struct pz_call *call)
{
    for (uint32_t i = 0; i < call->arg_count; i++) {
        const struct pz_vector *arg = &call->args[i];
        if (arg->type == PZ_TYPE_TEXT &&
            (!arg->is_const || pz_vector_str(arg, 0).len > SHORT_TEXT_BYTES)) {
            return true;
        }
    }
    return false;
}

// A strict kernel over texts, which may be long: cut so that the statement can stop in between.
static enum pz_status
run_slices(struct pz_program *program, struct pz_call *call, pz_kernel kernel, struct pz_error *err)
{
    struct pz_rows all = call->rows;
    uint64_t steps = all.count + pz_rows_text_bytes(&all, call->args, call->arg_count);
    uint32_t count = 0;
    if (steps < PZ_WORK_STEPS) { // most often: the texts are short
        PZ_TRY(kernel(call, err));
        return pz_work_add(&program->work, steps, err);
    }
    steps = 0;
    for (uint32_t i = 0; i < all.count; i++) {
        uint32_t row = all.rows != NULL ? all.rows[i] : i;
        if (call->out_valid == NULL || pz_bit_get(call->out_valid, row)) {
            steps += row_steps(call, row);
            program->slice[count++] = (uint16_t)row;
        }
        if (steps >= PZ_WORK_STEPS || (count > 0 && i + 1 == all.count)) {
            bool is_whole = i + 1 == all.count && count == all.count;
            call->rows = is_whole ? all : (struct pz_rows){all.row_count, count, program->slice};
            PZ_TRY(kernel(call, err));
            PZ_TRY(pz_work_add(&program->work, steps, err));
            steps = 0;
            count = 0;
        }
    }
    return PZ_OK;
}

static enum pz_status
run_kernel(struct pz_program *program, struct pz_instr *instr, struct pz_error *err)
{
    struct pz_register *out = &program->registers[instr->out];
    bool is_const = true;
    for (uint32_t i = 0; i < instr->arg_count; i++) {
        program->args[i] = program->registers[instr->args[i]].vector;
        is_const &= program->args[i].is_const;
    }
    struct pz_call call = {
        .session = program->session,
        .arena = program->texts,
        .rows = is_const ? (struct pz_rows){1, 1, NULL} : current_rows(program),
        .arg_count = instr->arg_count,
        .args = program->args,
        .type = out->vector.type,
        .out = out->data,
        .valid_room = out->valid,
        .sql_offset = instr->expr->sql_offset,
        .expr = instr->expr,
        .work = &program->work,
        .state = &instr->state,
        .state_arena = program->arena,
    };
    if (call.rows.count == 0) {
        return PZ_OK;
    }
    if (instr->is_strict && !strict_validity(&call)) {
        set_null(out);
        return PZ_OK;
    }
    if (instr->is_strict && reads_texts(&call)) {
        PZ_TRY(run_slices(program, &call, instr->kernel, err));
    } else {
        PZ_TRY(instr->kernel(&call, err));
        PZ_TRY(pz_work_add(&program->work, call.rows.count, err));
    }
    out->vector.is_const = is_const;
    out->vector.valid = call.out_valid;
    out->vector.data = out->data;
    return PZ_OK;
}

// A look-up in a table by code.
#define LOOK_UP(type)                                                     \
    do {                                                                  \
        const type *table = map->results.data;                            \
        type *restrict to = out->data;                                    \
        for (uint32_t i = 0; i < n; i++) {                                \
            to[i] = table[codes[i] < map->count ? codes[i] : map->count]; \
        }                                                                 \
    } while (0)

static void
run_map(struct pz_program *program, const struct pz_instr *instr)
{
    const struct pz_symbol_map *map = instr->state;
    const struct pz_vector *symbols = &program->registers[instr->args[0]].vector;
    struct pz_register *out = &program->registers[instr->out];
    uint32_t n = symbols->is_const ? 1 : program->base.row_count;
    const uint32_t *codes = symbols->data;
    switch (pz_value_size(out->vector.type)) {
    case 1:
        LOOK_UP(uint8_t);
        break;
    case 4:
        LOOK_UP(uint32_t);
        break;
    case 8:
        LOOK_UP(uint64_t);
        break;
    default:
        LOOK_UP(struct pz_str); // INTERVAL has the same size
        break;
    }
    const uint64_t *table_valid = map->results.valid;
    bool has_nulls = symbols->valid != NULL || table_valid != NULL;
    for (uint32_t i = 0; has_nulls && i < n; i++) {
        bool is_null = symbols->valid != NULL && !pz_bit_get(symbols->valid, i);
        uint32_t entry = is_null || codes[i] > map->count ? map->count : codes[i];
        size_t size = pz_value_size(out->vector.type);
        if (is_null) {
            memcpy((char *)out->data + i * size, (const char *)map->results.data + entry * size,
                   size);
        }
        if (table_valid == NULL || pz_bit_get(table_valid, entry)) {
            pz_bit_set(out->valid, i);
        } else {
            pz_bit_clear(out->valid, i);
        }
    }
    out->vector.is_const = symbols->is_const;
    out->vector.valid = has_nulls && table_valid != NULL ? out->valid : NULL;
    out->vector.data = out->data;
}
static_assert(sizeof(struct pz_str) == sizeof(struct pz_interval), "LOOK_UP copies either");

// ---- the loop ------------------------------------------------------------------------------

static enum pz_status
run_instructions(struct pz_program *program, struct pz_error *err)
{
    uint32_t at = 0;
    while (at < program->instr_count) {
        struct pz_instr *instr = &program->instrs[at++];
        bool goes_on = true;
        switch (instr->op) {
        case PZ_OP_KERNEL:
            PZ_TRY(run_kernel(program, instr, err));
            break;
        case PZ_OP_MAP:
            run_map(program, instr);
            break;
        case PZ_OP_BEGIN:
            run_begin(program, instr);
            break;
        case PZ_OP_WHEN:
            goes_on = run_when(program, instr);
            break;
        case PZ_OP_TAKE:
            run_take(program, instr);
            break;
        case PZ_OP_TAKE_VALID:
            goes_on = run_take_valid(program, instr);
            break;
        case PZ_OP_IF_REST:
            goes_on = program->stack[program->depth - 1].count > 0;
            break;
        case PZ_OP_AND_BEGIN:
            run_logic_begin(program, instr, 1);
            break;
        case PZ_OP_AND:
            goes_on = run_logic(program, instr, 0);
            break;
        case PZ_OP_OR_BEGIN:
            run_logic_begin(program, instr, 0);
            break;
        case PZ_OP_OR:
            goes_on = run_logic(program, instr, 1);
            break;
        case PZ_OP_POP:
            PZ_ASSERT(program->depth > 0);
            program->depth--;
            break;
        }
        if (!goes_on) {
            at = instr->jump;
        }
    }
    PZ_ASSERT(program->depth == 0);
    return PZ_OK;
}

enum pz_status
pz_program_run(struct pz_program *program, const struct pz_portion *input, struct pz_arena *texts,
               struct pz_vector *results_out, struct pz_error *err)
{
    bool is_const = true;
    for (uint32_t i = 0; i < program->input_count; i++) {
        struct pz_register *reg = &program->registers[program->input_registers[i]];
        PZ_ASSERT(program->inputs[i] < input->column_count);
        reg->vector = input->columns[program->inputs[i]];
        is_const &= reg->vector.is_const;
    }
    program->texts = texts;
    program->depth = 0;
    program->base = is_const ? (struct pz_rows){1, 1, NULL} : input->rows;
    if (program->base.count > 0) {
        PZ_TRY(run_instructions(program, err));
    }
    for (uint32_t i = 0; i < program->result_count; i++) {
        results_out[i] = program->registers[program->results[i]].vector;
        results_out[i].is_const |= is_const;
    }
    return PZ_OK;
}

const uint32_t *
pz_program_inputs(const struct pz_program *program, uint32_t *count_out)
{
    *count_out = program->input_count;
    return program->inputs;
}
