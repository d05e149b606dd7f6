// SPDX-License-Identifier: Apache-2.0
// Expressions without columns: a program over one row.
#include "query/eval/constant.h"

#include "query/eval/program.h"

enum pz_status
pz_eval_constant(struct pz_session *session, const struct pz_expr *expr, struct pz_value *out,
                 struct pz_error *err)
{
    struct pz_arena arena;
    pz_arena_init(&arena, session->budget);
    struct pz_session narrow = *session; // registers of one row are enough
    narrow.vector_rows = 1;
    struct pz_program *program;
    struct pz_vector result;
    struct pz_expr *only = (struct pz_expr *)(uintptr_t)expr; // only read
    struct pz_portion portion = {{1, 1, NULL}, 0, NULL};
    enum pz_status status = pz_program_create(&narrow, NULL, &arena, &only, 1, &program, err);
    if (status == PZ_OK) {
        status = pz_program_run(program, &portion, &arena, &result, err);
    }
    if (status == PZ_OK) {
        *out = pz_vector_value(&result, 0);
        if (!out->is_null && out->type == PZ_TYPE_TEXT) {
            out->text = pz_arena_copy(session->arena, out->text);
            if (out->text.data == NULL) {
                status = pz_session_fail_memory(session, "an expression", err);
            }
        }
    }
    pz_arena_fini(&arena);
    return status;
}
