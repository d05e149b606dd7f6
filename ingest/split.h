// SPDX-License-Identifier: Apache-2.0
// Where one record ends and the next begins, in input that arrives in pieces of any size.
#ifndef PZ_INGEST_SPLIT_H
#define PZ_INGEST_SPLIT_H

#include "ingest/ingest.h"

// The bytes of one record, without its line end.
struct pz__record {
    const char *data;
    size_t len;
    const char *readable_end; // at or behind data + len; bytes up to here may be read
    uint64_t line;            // physical line of its first byte; for a JSON array the element
};

enum pz__split {
    PZ__SPLIT_RECORD, // one record was found
    PZ__SPLIT_MORE,   // more bytes are needed, or none are left
    PZ__SPLIT_FAILED, // the input as a whole is malformed
};

// Looks at a window of the input: the bytes not used up so far and those that came since. What
// was looked at once is not looked at again when the window grows.
struct pz__splitter {
    enum pz_record_format format;
    bool is_started;     // past a byte order mark
    uint64_t line;       // physical line of the window's first byte, from 1
    uint64_t element;    // JSON array: elements found
    uint64_t offset;     // of the window's first byte in the input
    size_t scanned;      // bytes of the window that hold no end of a record
    uint64_t lines_seen; // line ends among them
    int state;           // of the format's reader at `scanned`
    // JSON array: the element that was begun.
    size_t element_start;
    uint32_t depth;
    bool is_escaped;
};
void pz__splitter_init(struct pz__splitter *splitter, enum pz_record_format format, uint64_t line);

// `*used_out` bytes of the window's start are done with, whatever the answer: drop them before the
// next call (the record points among them, so use it first).
PZ_MUST_USE enum pz__split pz__split_next(struct pz__splitter *splitter, struct pz__record window,
                                          bool is_last, struct pz__record *record_out,
                                          size_t *used_out, struct pz_error *err);

#endif
