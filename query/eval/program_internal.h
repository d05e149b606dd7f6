// SPDX-License-Identifier: Apache-2.0
// The inside of a program, shared by its compiler (compile.c) and its loop (program.c).
#ifndef PZ_QUERY_EVAL_PROGRAM_INTERNAL_H
#define PZ_QUERY_EVAL_PROGRAM_INTERNAL_H

#include "query/eval/program.h"

#include <assert.h> // static_assert

enum pz_opcode {
    PZ_OP_KERNEL,     // out = kernel(args)
    PZ_OP_MAP,        // out = table[args[0]]
    PZ_OP_BEGIN,      // out = NULL; push a copy of the selection: the rest
    PZ_OP_WHEN,       // move rows where args[0] is true from the rest to a new top; none: jump
    PZ_OP_TAKE,       // out = args[0] for the rows on top
    PZ_OP_TAKE_VALID, // the same where it is not NULL, which leave the rest; none left: jump
    PZ_OP_IF_REST,    // jump when the rest is empty
    PZ_OP_AND_BEGIN,  // out = true; push a copy of the selection
    PZ_OP_AND,        // out = out and args[0]; rows that became false leave; none left: jump
    PZ_OP_OR_BEGIN,
    PZ_OP_OR,
    PZ_OP_POP, // drop the top selection
};

struct pz_instr {
    enum pz_opcode op;
    bool is_strict;
    uint32_t out; // registers
    uint32_t arg_count;
    const uint32_t *args;
    uint32_t jump;
    pz_kernel kernel;
    const struct pz_expr *expr;
    void *state; // the kernel's; MAP: the table
};

struct pz_register {
    struct pz_vector vector; // what is in it now
    void *data;              // room for vector_rows values; NULL for inputs
    uint64_t *valid;         // room for vector_rows bits
};

struct pz_selection {
    uint32_t count;
    uint16_t *rows;
};

// What computes an expression of one kernel: neither a leaf nor CASE, COALESCE or SYMBOL_MAP.
struct pz_kernel_info pz__expr_kernel(const struct pz_expr *expr);

struct pz_program {
    const struct pz_session *session;
    struct pz_arena *arena;
    struct pz_arena *texts; // of the run
    struct pz_work work;

    uint32_t instr_count;
    struct pz_instr *instrs;
    uint32_t register_count;
    struct pz_register *registers;
    struct pz_vector *args; // scratch for calls
    uint16_t *slice;        // the same, when a call is cut

    uint32_t input_count;
    uint32_t *inputs;          // columns of the input
    uint32_t *input_registers; // where each goes
    uint32_t result_count;
    uint32_t *results; // registers

    struct pz_rows base;
    uint32_t depth;
    uint32_t stack_size;
    struct pz_selection *stack;
};

#endif
