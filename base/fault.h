// SPDX-License-Identifier: Apache-2.0
// Named fault points: places where a test can stop, fail or delay the program.
//
// The names are in base/fault_points.def. A point is armed by the environment variable
// PLAZA_FAULT, e.g. "seal_before_rename=kill@3,file_write=eio@10": on the third visit the process
// kills itself with SIGKILL; the tenth file write answers EIO. Actions: kill, eio, enospc,
// delay:<ms>. `@n` means the n-th visit only, `@n+` that one and all after it; without either the
// action holds for every visit. Unarmed points cost one relaxed load.
#ifndef PZ_BASE_FAULT_H
#define PZ_BASE_FAULT_H

enum pz_fault_point {
#define X(name, help) PZ_FAULT_##name,
#include "base/fault_points.def"
#undef X
    PZ_FAULT_COUNT
};

// Reads PLAZA_FAULT once at start, before there are threads. Ends the process with a message when
// it does not parse. Called again, by a test, it forgets all visits, ends delays that are under way
// and reads anew.
void pz_fault_init(void);
// Visits a point: kills or delays as armed; returns the errno to fail with, or 0.
int pz_fault_visit(enum pz_fault_point point);

#endif
