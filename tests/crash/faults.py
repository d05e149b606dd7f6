#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills at every named fault point, and I/O errors at every write and sync in turn.

The points are read from base/fault_points.def, so a new one is tested without a word here.
"""

import argparse
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ledger as ledgers
import plaza

SERVE = ("--seal-rows", "200")
POINT = re.compile(r"^X\((\w+),", re.MULTILINE)


def fault_points():
    with open(os.path.join(plaza.ROOT, "base", "fault_points.def"), encoding="utf-8") as file:
        return POINT.findall(file.read())


def first_content(server, book):
    """Something of every kind, made without faults."""
    server.start()
    with server.client() as client:
        book.prepare(client)
    load = ledgers.Load(book, server.port)
    time.sleep(0.25)
    load.stop.set()
    load.join()
    server.stop()


def restart_and_verify(server, book):
    server.start()
    with server.client() as client:
        book.verify(client)
    # It goes on as if nothing had been.
    load = ledgers.Load(book, server.port)
    time.sleep(0.1)
    load.stop.set()
    load.join()
    with server.client() as client:
        book.verify(client)
    server.stop()


def kill_at(point, visit):
    """Arms one point; the server must die there under load. False when it was not reached."""
    server = plaza.Server(*SERVE)
    book = ledgers.Ledger()
    try:
        first_content(server, book)
        server.launch({"PLAZA_FAULT": "%s=kill@%d" % (point, visit)})
        if server.await_ready():
            book.large_wanted = 1
            load = ledgers.Load(book, server.port)
            deadline = time.monotonic() + 6
            while server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            reached = server.process.poll() is not None
            if not reached:
                server.kill()
            load.join()
        else:
            reached = True
        if reached and server.process is not None:
            code = server.await_end()
            if code != -9:
                raise ledgers.Wrong("ended with %d, not by the fault" % code)
        server.check_log()
        restart_and_verify(server, book)
        return reached
    except BaseException:
        print("%s=kill@%d" % (point, visit))
        print(server.log()[-6000:])
        raise
    finally:
        server.kill()
        server.clean()


def fail_at(point, action, visit, is_fatal):
    """One call of that kind fails. Nothing acknowledged may be lost by it.

    With `is_fatal` (a commit failed) all writes after the first failure must be refused, while
    reads go on.
    """
    server = plaza.Server(*SERVE)
    book = ledgers.Ledger()
    try:
        first_content(server, book)
        server.launch({"PLAZA_FAULT": "%s=%s@%d" % (point, action, visit)})
        if server.await_ready():
            book.large_wanted = 1
            load = ledgers.Load(book, server.port)
            deadline = time.monotonic() + (3 if is_fatal else 0.3)
            while time.monotonic() < deadline and not (is_fatal and book.failures):
                time.sleep(0.01)
            load.stop.set()
            load.join()
            if is_fatal:
                if not book.failures:
                    raise ledgers.Wrong("no write failed")
                with server.client() as client:
                    for _ in range(5):
                        answer = client.post("/v1/messages", {"user_id": "late", "body": "late"})
                        if answer.status < 500:
                            raise ledgers.Wrong("taken after a failed commit: %r" % answer)
                    if client.get("/v1/messages").status != 200:
                        raise ledgers.Wrong("reads stopped too")
        if server.process.poll() is None:
            server.process.terminate()
        code = server.await_end()
        if code < 0 or code >= 128:
            raise ledgers.Wrong("ended by signal %d" % code)
        server.check_log()
        restart_and_verify(server, book)
    except BaseException:
        print("%s=%s@%d" % (point, action, visit))
        print(server.log()[-6000:])
        raise
    finally:
        server.kill()
        server.clean()


def bulk_into_a_failing_store():
    """A load whose commit fails says so, whether or not it also holds bad rows."""
    server = plaza.Server(*SERVE)
    try:
        server.start()
        with server.client() as client:
            ledgers.Ledger().prepare(client)
        server.stop()
        server.launch({"PLAZA_FAULT": "kv_commit_before=eio@6+"})
        server.await_ready()
        with server.client() as client:
            for body in (b'{"batch":1,"row":1}\n{"batch":1,"row":"bad"}\n', b'{"batch":2,"row":1}\n'):
                for _ in range(20):
                    answer = client.request(
                        "POST", "/v1/tables/events/rows?on_error=dead_letter", body,
                        {"Content-Type": "application/x-ndjson"})
                    if answer.status != 200:
                        break
                problem = answer.json()
                if (answer.status, problem["type"], problem["code"], problem["accepted"]) != (
                        500, "/problems/internal", "PLZ500", None):
                    raise ledgers.Wrong("a failed commit was told as %r" % answer)
        server.kill()
        server.check_log()
    except BaseException:
        print(server.log()[-6000:])
        raise
    finally:
        server.kill()
        server.clean()


def run_kills():
    for point in fault_points():
        reached = [kill_at(point, visit) for visit in (1, 4)]
        print("%-20s killed at visit %s" % (
            point, ", ".join(str(v) for v, r in zip((1, 4), reached) if r) or "none"), flush=True)
        if not reached[0]:
            raise ledgers.Wrong("%s was never reached" % point)


def run_errors(last):
    for point, action in (("file_write", "eio"), ("file_sync", "eio"), ("file_write", "enospc"),
                          ("file_rename", "eio"), ("dir_sync", "eio")):
        count = last if action == "eio" and point in ("file_write", "file_sync") else last // 5
        for visit in range(1, count + 1):
            fail_at(point, action, visit, False)
        print("%-12s %-7s at visits 1 to %d" % (point, action, count), flush=True)
    for point in ("kv_commit_before", "kv_commit_after"):
        for visit in (5, 25, 60):
            fail_at(point, "eio", visit, True)
        print("%s eio at visits 5, 25, 60" % point, flush=True)
    bulk_into_a_failing_store()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=("kills", "errors"))
    parser.add_argument("--last", type=int, default=30, help="the last visit that fails")
    options, _ = plaza.arguments(parser)
    if options.only != "errors":
        run_kills()
    if options.only != "kills":
        run_errors(options.last)


if __name__ == "__main__":
    main()
