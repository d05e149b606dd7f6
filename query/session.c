// SPDX-License-Identifier: Apache-2.0
// How a statement is told to stop: by its caller, its clock, or its memory limit.
#include "query/session.h"

#include "base/clock.h"

enum pz_status
pz_session_check(const struct pz_session *session, struct pz_error *err)
{
    if (session->cancel != NULL && atomic_load_explicit(session->cancel, memory_order_relaxed)) {
        enum pz_status status = pz_fail(err, PZ_CANCELED, "the statement was canceled");
        if (err != NULL) {
            memcpy(err->sqlstate, "57014", 6);
        }
        return status;
    }
    if (pz_clock_mono_us() > session->deadline_mono_us) {
        enum pz_status status =
            pz_fail(err, PZ_TIMEOUT, "the statement took longer than its limit of %.3g s",
                    (double)session->timeout_us / (double)PZ_US_PER_SECOND);
        if (err != NULL) {
            memcpy(err->sqlstate, "57014", 6);
        }
        pz_error_hint(err, "give it more time with timeout_ms, or narrow the range of rows");
        return status;
    }
    return PZ_OK;
}

enum pz_status
pz__work_ask(struct pz_work *work, struct pz_error *err)
{
    work->steps = 0;
    return pz_session_check(work->session, err);
}

enum pz_status
pz_session_fail_memory(const struct pz_session *session, const char *what, struct pz_error *err)
{
    enum pz_status status =
        pz_fail(err, PZ_NO_MEMORY, "%s needs more memory than the statement's limit of %zu MiB",
                what, session->budget->limit_bytes >> 20);
    if (err != NULL) {
        memcpy(err->sqlstate, "53200", 6);
    }
    pz_error_hint(err, "raise query_memory_bytes, or narrow the rows or groups of the statement");
    return status;
}
