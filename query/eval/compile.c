// SPDX-License-Identifier: Apache-2.0
// Expressions to instructions. The lists grow by doubling in the program's arena.
#include "query/eval/program_internal.h"

// A subexpression that was computed in a scope still open: its rows include all of ours.
struct known {
    const struct pz_expr *expr;
    uint32_t reg;
};
#define KNOWN_MAX 64

struct compiler {
    struct pz_program *program;
    const struct pz_symbol_maps *maps;
    uint32_t instr_capacity;
    uint32_t register_capacity;
    uint32_t input_capacity;
    uint32_t args_max;
    uint32_t depth; // of selections here
    uint32_t known_count;
    struct known known[KNOWN_MAX];
    struct pz_error *err;
};

static enum pz_status
fail_memory(const struct compiler *c)
{
    return pz_session_fail_memory(c->program->session, "an expression", c->err);
}

// Makes room for one more element of a list.
static enum pz_status
grow(struct compiler *c, void **list, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) {
        return PZ_OK;
    }
    uint32_t more = *capacity == 0 ? 8 : *capacity * 2;
    void *bigger = pz_arena_alloc_array(c->program->arena, more, size);
    if (bigger == NULL) {
        return fail_memory(c);
    }
    if (count > 0) {
        memcpy(bigger, *list, count * size);
    }
    *list = bigger;
    *capacity = more;
    return PZ_OK;
}

static enum pz_status
add_register(struct compiler *c, enum pz_type type, uint32_t domain_id, uint32_t *out)
{
    struct pz_program *program = c->program;
    PZ_TRY(grow(c, (void **)&program->registers, program->register_count, &c->register_capacity,
                sizeof(struct pz_register)));
    *out = program->register_count++;
    program->registers[*out] =
        (struct pz_register){.vector = {.type = type, .domain_id = domain_id}};
    return PZ_OK;
}

// A register with room for results.
static enum pz_status
add_result(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    PZ_TRY(add_register(c, expr->type, expr->domain_id, out));
    struct pz_register *reg = &c->program->registers[*out];
    uint32_t rows = c->program->session->vector_rows;
    // Zeroed, so that rows outside a selection hold readable values.
    reg->data = pz_arena_alloc_zero(c->program->arena, rows * pz_value_size(expr->type));
    reg->valid = pz_arena_alloc_zero(c->program->arena, PZ_BIT_WORDS(rows) * sizeof(uint64_t));
    if (reg->data == NULL || reg->valid == NULL) {
        return fail_memory(c);
    }
    reg->vector.data = reg->data;
    return PZ_OK;
}

static enum pz_status
add_instr(struct compiler *c, const struct pz_instr *instr, uint32_t *index_out)
{
    struct pz_program *program = c->program;
    PZ_TRY(grow(c, (void **)&program->instrs, program->instr_count, &c->instr_capacity,
                sizeof(struct pz_instr)));
    if (index_out != NULL) {
        *index_out = program->instr_count;
    }
    program->instrs[program->instr_count++] = *instr;
    if (instr->arg_count > c->args_max) {
        c->args_max = instr->arg_count;
    }
    return PZ_OK;
}

// An instruction with at most one argument.
static enum pz_status
emit(struct compiler *c, enum pz_opcode op, uint32_t out, uint32_t arg, uint32_t *index_out)
{
    uint32_t *args = pz_arena_alloc(c->program->arena, sizeof(*args));
    if (args == NULL) {
        return fail_memory(c);
    }
    args[0] = arg;
    struct pz_instr instr = {.op = op, .out = out, .arg_count = 1, .args = args};
    return add_instr(c, &instr, index_out);
}

static void
jump_here(struct compiler *c, uint32_t instr)
{
    c->program->instrs[instr].jump = c->program->instr_count;
}

static void
deepen(struct compiler *c, uint32_t by)
{
    c->depth += by;
    if (c->depth > c->program->stack_size) {
        c->program->stack_size = c->depth;
    }
}

static enum pz_status compile(struct compiler *c, const struct pz_expr *expr, uint32_t *out);

// Code that runs under a narrower selection: what it computes is not known afterwards.
static enum pz_status
compile_inside(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    uint32_t known = c->known_count;
    PZ_TRY(compile(c, expr, out));
    c->known_count = known;
    return PZ_OK;
}

// ---- leaves --------------------------------------------------------------------------------

static enum pz_status
compile_const(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    PZ_TRY(add_register(c, expr->type, expr->domain_id, out));
    struct pz_register *reg = &c->program->registers[*out];
    struct pz_interval *data = pz_arena_alloc_zero(c->program->arena, sizeof(struct pz_interval));
    reg->valid = pz_arena_alloc_zero(c->program->arena, sizeof(uint64_t));
    if (data == NULL || reg->valid == NULL) {
        return fail_memory(c);
    }
    const struct pz_value *value = &expr->value;
    reg->vector.is_const = true;
    reg->vector.data = data;
    if (value->is_null) {
        reg->vector.valid = reg->valid;
        return PZ_OK;
    }
    switch (expr->type) {
    case PZ_TYPE_BOOLEAN:
        *(uint8_t *)data = value->boolean;
        return PZ_OK;
    case PZ_TYPE_SYMBOL:
        *(uint32_t *)data = (uint32_t)value->integer;
        return PZ_OK;
    case PZ_TYPE_BIGINT:
    case PZ_TYPE_TIMESTAMP:
    case PZ_TYPE_DATE:
        memcpy(data, &value->integer, sizeof value->integer);
        return PZ_OK;
    case PZ_TYPE_DOUBLE:
        memcpy(data, &value->real, sizeof value->real);
        return PZ_OK;
    case PZ_TYPE_TEXT:
        memcpy(data, &value->text, sizeof value->text);
        return PZ_OK;
    case PZ_TYPE_INTERVAL:
        *data = value->interval;
        return PZ_OK;
    case PZ_TYPE_NULL:
        break;
    }
    PZ_UNREACHABLE("bound constants have a type");
}

static enum pz_status
compile_column(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    struct pz_program *program = c->program;
    for (uint32_t i = 0; i < program->input_count; i++) {
        if (program->inputs[i] == expr->column) {
            *out = program->input_registers[i];
            return PZ_OK;
        }
    }
    uint32_t capacity = c->input_capacity;
    PZ_TRY(grow(c, (void **)&program->inputs, program->input_count, &capacity, sizeof(uint32_t)));
    PZ_TRY(grow(c, (void **)&program->input_registers, program->input_count, &c->input_capacity,
                sizeof(uint32_t)));
    PZ_TRY(add_register(c, expr->type, expr->domain_id, out));
    program->inputs[program->input_count] = expr->column;
    program->input_registers[program->input_count++] = *out;
    return PZ_OK;
}

// ---- kernels -------------------------------------------------------------------------------

struct pz_kernel_info
pz__expr_kernel(const struct pz_expr *expr)
{
    switch (expr->kind) {
    case PZ_EXPR_CALL:
        return pz_function_kernel(expr->function->id);
    case PZ_EXPR_CAST:
        return pz_cast_kernel(expr->args[0]->type, expr->type);
    case PZ_EXPR_COMPARE:
        return pz_compare_kernel(expr->compare, expr->args[0]->type);
    case PZ_EXPR_NOT:
        return pz_not_kernel;
    case PZ_EXPR_IS:
        return pz_is_kernel(expr->is);
    case PZ_EXPR_IN:
        return pz_in_kernel;
    case PZ_EXPR_LIKE:
        return pz_like_kernel;
    case PZ_EXPR_AND:
        return pz_and_kernel;
    case PZ_EXPR_OR:
        return pz_or_kernel;
    case PZ_EXPR_RANGE:
        return pz_range_kernel;
    case PZ_EXPR_CONST:
    case PZ_EXPR_COLUMN:
    case PZ_EXPR_CASE:
    case PZ_EXPR_COALESCE:
    case PZ_EXPR_SYMBOL_MAP:
        break;
    }
    PZ_UNREACHABLE("these are not computed by one kernel");
}

static enum pz_status
emit_kernel(struct compiler *c, const struct pz_expr *expr, const uint32_t *args,
            uint32_t arg_count, uint32_t *out)
{
    struct pz_kernel_info info = pz__expr_kernel(expr);
    PZ_TRY(add_result(c, expr, out));
    struct pz_instr instr = {.op = PZ_OP_KERNEL,
                             .is_strict = info.is_strict,
                             .out = *out,
                             .arg_count = arg_count,
                             .args = args,
                             .kernel = info.kernel,
                             .expr = expr};
    return add_instr(c, &instr, NULL);
}

static enum pz_status
compile_args(struct compiler *c, const struct pz_expr *expr, uint32_t **args_out)
{
    uint32_t *args = pz_arena_alloc_array(c->program->arena, expr->arg_count, sizeof(*args));
    if (args == NULL) {
        return fail_memory(c);
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        PZ_TRY(compile(c, expr->args[i], &args[i]));
    }
    *args_out = args;
    return PZ_OK;
}

static enum pz_status
compile_kernel(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    uint32_t *args = NULL;
    PZ_TRY(compile_args(c, expr, &args));
    return emit_kernel(c, expr, args, expr->arg_count, out);
}

// IN over a list that is not all constants: x = a OR x = b OR …
static enum pz_status
compile_in(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    bool is_const = expr->args[0]->type != PZ_TYPE_INTERVAL;
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        is_const &= expr->args[i]->kind == PZ_EXPR_CONST;
    }
    if (is_const) {
        return compile_kernel(c, expr, out);
    }
    struct pz_arena *arena = c->program->arena;
    struct pz_expr *any =
        pz_expr_make(arena, PZ_EXPR_OR, PZ_TYPE_BOOLEAN, expr->arg_count, expr->sql_offset);
    if (any == NULL) {
        return fail_memory(c);
    }
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        struct pz_expr *equal =
            pz_expr_make(arena, PZ_EXPR_COMPARE, PZ_TYPE_BOOLEAN, 2, expr->sql_offset);
        if (equal == NULL) {
            return fail_memory(c);
        }
        equal->compare = PZ_EQ;
        equal->args[0] = expr->args[0];
        equal->args[1] = expr->args[i];
        any->args[i] = equal;
    }
    any->args[0] = pz_expr_const(arena, pz_value_bool(false), expr->sql_offset);
    return any->args[0] == NULL ? fail_memory(c) : compile(c, any, out);
}

// ---- conditions ----------------------------------------------------------------------------

// Whether computing the expression for rows that do not need it is harmless and cheap.
static bool
is_light(const struct pz_expr *expr)
{
    switch (expr->kind) {
    case PZ_EXPR_CONST:
    case PZ_EXPR_COLUMN:
        return true;
    case PZ_EXPR_CASE:
    case PZ_EXPR_COALESCE:
    case PZ_EXPR_SYMBOL_MAP:
        return false;
    case PZ_EXPR_IN:
    case PZ_EXPR_LIKE:
        return false;
    case PZ_EXPR_CALL:
    case PZ_EXPR_CAST:
    case PZ_EXPR_COMPARE:
    case PZ_EXPR_AND:
    case PZ_EXPR_OR:
    case PZ_EXPR_NOT:
    case PZ_EXPR_IS:
    case PZ_EXPR_RANGE:
        break;
    }
    if (pz__expr_kernel(expr).cost != PZ_COST_LIGHT) {
        return false;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!is_light(expr->args[i])) {
            return false;
        }
    }
    return true;
}

static enum pz_status
compile_light_logic(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    PZ_TRY(compile(c, expr->args[0], out));
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        uint32_t *args = pz_arena_alloc(c->program->arena, 2 * sizeof(*args));
        if (args == NULL) {
            return fail_memory(c);
        }
        args[0] = *out;
        PZ_TRY(compile(c, expr->args[i], &args[1]));
        PZ_TRY(emit_kernel(c, expr, args, 2, out));
    }
    return PZ_OK;
}

// Each argument is computed only for rows the ones before it left undecided.
static enum pz_status
compile_logic(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    bool all_light = true;
    for (uint32_t i = 1; i < expr->arg_count; i++) {
        all_light &= is_light(expr->args[i]);
    }
    if (all_light) {
        return compile_light_logic(c, expr, out);
    }
    bool is_and = expr->kind == PZ_EXPR_AND;
    uint32_t *jumps = pz_arena_alloc_array(c->program->arena, expr->arg_count, sizeof(*jumps));
    if (jumps == NULL) {
        return fail_memory(c);
    }
    PZ_TRY(add_result(c, expr, out));
    PZ_TRY(emit(c, is_and ? PZ_OP_AND_BEGIN : PZ_OP_OR_BEGIN, *out, 0, NULL));
    deepen(c, 1);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        uint32_t arg;
        PZ_TRY(compile_inside(c, expr->args[i], &arg));
        PZ_TRY(emit(c, is_and ? PZ_OP_AND : PZ_OP_OR, *out, arg, &jumps[i]));
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        jump_here(c, jumps[i]);
    }
    c->depth--;
    return emit(c, PZ_OP_POP, *out, 0, NULL);
}

static enum pz_status
compile_case(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    PZ_TRY(add_result(c, expr, out));
    PZ_TRY(emit(c, PZ_OP_BEGIN, *out, 0, NULL));
    deepen(c, 1);
    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        uint32_t rest;
        uint32_t condition;
        uint32_t when;
        uint32_t value;
        PZ_TRY(emit(c, PZ_OP_IF_REST, *out, 0, &rest));
        PZ_TRY(compile_inside(c, expr->args[i], &condition));
        PZ_TRY(emit(c, PZ_OP_WHEN, *out, condition, &when));
        deepen(c, 1);
        PZ_TRY(compile_inside(c, expr->args[i + 1], &value));
        PZ_TRY(emit(c, PZ_OP_TAKE, *out, value, NULL));
        PZ_TRY(emit(c, PZ_OP_POP, *out, 0, NULL));
        c->depth--;
        jump_here(c, when);
        jump_here(c, rest);
    }
    if (expr->arg_count % 2 == 1) {
        uint32_t rest;
        uint32_t value;
        PZ_TRY(emit(c, PZ_OP_IF_REST, *out, 0, &rest));
        PZ_TRY(compile_inside(c, expr->args[expr->arg_count - 1], &value));
        PZ_TRY(emit(c, PZ_OP_TAKE, *out, value, NULL));
        jump_here(c, rest);
    }
    c->depth--;
    return emit(c, PZ_OP_POP, *out, 0, NULL);
}

static enum pz_status
compile_coalesce(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    uint32_t *jumps = pz_arena_alloc_array(c->program->arena, expr->arg_count, sizeof(*jumps));
    if (jumps == NULL) {
        return fail_memory(c);
    }
    PZ_TRY(add_result(c, expr, out));
    PZ_TRY(emit(c, PZ_OP_BEGIN, *out, 0, NULL));
    deepen(c, 1);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        uint32_t value;
        PZ_TRY(compile_inside(c, expr->args[i], &value));
        PZ_TRY(emit(c, PZ_OP_TAKE_VALID, *out, value, &jumps[i]));
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        jump_here(c, jumps[i]);
    }
    c->depth--;
    return emit(c, PZ_OP_POP, *out, 0, NULL);
}

static enum pz_status
compile_symbol_map(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    const struct pz_symbol_map *map = c->maps != NULL ? pz_symbol_maps_find(c->maps, expr) : NULL;
    if (map == NULL) {
        return compile(c, expr->args[0], out);
    }
    struct pz_expr column = {
        .kind = PZ_EXPR_COLUMN, .type = PZ_TYPE_SYMBOL, .domain_id = expr->domain_id};
    column.column = expr->column;
    uint32_t symbols;
    uint32_t index;
    PZ_TRY(compile_column(c, &column, &symbols));
    PZ_TRY(add_result(c, expr, out));
    PZ_TRY(emit(c, PZ_OP_MAP, *out, symbols, &index));
    c->program->instrs[index].state = (void *)(uintptr_t)map; // only read
    return PZ_OK;
}

// ---- dispatch ------------------------------------------------------------------------------

static enum pz_status
compile_new(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    switch (expr->kind) {
    case PZ_EXPR_CONST:
        return compile_const(c, expr, out);
    case PZ_EXPR_COLUMN:
        return compile_column(c, expr, out);
    case PZ_EXPR_AND:
    case PZ_EXPR_OR:
        return compile_logic(c, expr, out);
    case PZ_EXPR_IN:
        return compile_in(c, expr, out);
    case PZ_EXPR_CASE:
        return compile_case(c, expr, out);
    case PZ_EXPR_COALESCE:
        return compile_coalesce(c, expr, out);
    case PZ_EXPR_SYMBOL_MAP:
        return compile_symbol_map(c, expr, out);
    case PZ_EXPR_CALL:
    case PZ_EXPR_CAST:
    case PZ_EXPR_COMPARE:
    case PZ_EXPR_NOT:
    case PZ_EXPR_IS:
    case PZ_EXPR_LIKE:
    case PZ_EXPR_RANGE:
        return compile_kernel(c, expr, out);
    }
    PZ_UNREACHABLE("all kinds are above");
}

static enum pz_status
compile(struct compiler *c, const struct pz_expr *expr, uint32_t *out)
{
    bool is_leaf = expr->kind == PZ_EXPR_CONST || expr->kind == PZ_EXPR_COLUMN;
    for (uint32_t i = 0; !is_leaf && i < c->known_count; i++) {
        if (pz_expr_equal(c->known[i].expr, expr)) {
            *out = c->known[i].reg;
            return PZ_OK;
        }
    }
    PZ_TRY(compile_new(c, expr, out));
    if (!is_leaf && c->known_count < KNOWN_MAX) {
        c->known[c->known_count++] = (struct known){expr, *out};
    }
    return PZ_OK;
}

// What can only be made once the sizes are known.
static enum pz_status
finish(struct compiler *c)
{
    struct pz_program *program = c->program;
    uint32_t rows = program->session->vector_rows;
    program->args = pz_arena_alloc_array(program->arena, c->args_max, sizeof(*program->args));
    program->stack =
        pz_arena_alloc_array(program->arena, program->stack_size, sizeof(*program->stack));
    program->slice = pz_arena_alloc_array(program->arena, rows, sizeof(uint16_t));
    if (program->args == NULL || program->stack == NULL || program->slice == NULL) {
        return fail_memory(c);
    }
    for (uint32_t i = 0; i < program->stack_size; i++) {
        program->stack[i].count = 0;
        program->stack[i].rows = pz_arena_alloc_array(program->arena, rows, sizeof(uint16_t));
        if (program->stack[i].rows == NULL) {
            return fail_memory(c);
        }
    }
    return PZ_OK;
}

enum pz_status
pz_program_create(const struct pz_session *session, const struct pz_symbol_maps *maps,
                  struct pz_arena *arena, struct pz_expr *const *exprs, uint32_t count,
                  struct pz_program **program_out, struct pz_error *err)
{
    struct pz_program *program = pz_arena_alloc_zero(arena, sizeof(*program));
    struct compiler c = {.program = program, .maps = maps, .err = err};
    if (program == NULL) {
        return pz_session_fail_memory(session, "an expression", err);
    }
    program->session = session;
    program->work.session = session;
    program->arena = arena;
    program->result_count = count;
    program->results = pz_arena_alloc_array(arena, count, sizeof(*program->results));
    if (program->results == NULL) {
        return fail_memory(&c);
    }
    for (uint32_t i = 0; i < count; i++) {
        PZ_TRY(compile(&c, exprs[i], &program->results[i]));
    }
    PZ_TRY(finish(&c));
    *program_out = program;
    return PZ_OK;
}
