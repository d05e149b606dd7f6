#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the tables of docs/ to the program: what is written twice must be the same twice.

Settings, calls, problems, SQLSTATEs, functions, exit codes, threads and ranks are read from the
tables in the sources; metrics and the built-in tables' columns from a running server.
"""

import glob
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


def read(path):
    with open(os.path.join(plaza.ROOT, path), encoding="utf-8") as file:
        return file.read()


def sources(*folders):
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(plaza.ROOT, folder, "**", "*.c"),
                                     recursive=True)):
            with open(path, encoding="utf-8") as file:
                yield file.read()


def rows(page, header):
    """The cells of the table of docs/`page` whose header line begins with `header`."""
    lines = read(os.path.join("docs", page)).split("\n")
    starts = [i for i, line in enumerate(lines) if line.startswith(header)]
    assert len(starts) == 1, "%s has %d tables that begin with %s" % (page, len(starts), header)
    found = []
    for line in lines[starts[0] + 2:]:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        found.append([cell.strip() for cell in cells])
    return found


def quoted(text):
    return re.findall(r"`([^`]+)`", text)


class Tables(unittest.TestCase):
    maxDiff = None

    def test_settings(self):
        pattern = (r'^X\(\w+,\s*"([^"]+)",\s*(\w+),\s*"([^"]*)",[^,]+,[^,]+,\s*"([^"]*)",'
                   r'\s*"([^"]*)"\)')
        table = re.findall(pattern, read("server/config.def"), re.MULTILINE)
        self.assertEqual(len(table), read("server/config.def").count("\nX("))
        wanted = []
        for flag, kind, default, unit, text in table:
            shown = "" if kind == "SWITCH" else "`%s`" % default
            wanted.append(["`--%s`" % (flag + " " + unit).strip(),
                           "`PLAZA_%s`" % flag.upper().replace("-", "_"), shown, text])
        self.assertEqual(rows("operations.md", "| flag |"), wanted)

    def test_calls(self):
        routes = re.findall(
            r"\.method = PZ_METHOD_(\w+),\s*\.segments = \{([^}]*)\}", read("server/api/route.c"))
        wanted = set()
        for method, segments in routes:
            path = "/" + "/".join(re.findall(r'"([^"]*)"', segments))
            wanted.add("%s %s" % (method, path))
        found = set()
        for cells in rows("http-api.md", "| call |"):
            found.update(re.sub(r"\{\w+\}", "*", call) for call in quoted(cells[0]))
        self.assertGreater(len(wanted), 10)
        self.assertEqual(found, wanted)

    def test_parameters(self):
        page = read("docs/http-api.md")
        for text in sources("server"):
            for name in re.findall(r'pz_request_param\(request, PZ_STR\("(\w+)"\)', text):
                self.assertRegex(page, r"[`?&]%s=" % name)

    def test_problems(self):
        wanted = [[status, "`%s`" % slug] for slug, status in re.findall(
            r'^X\("([^"]+)", (\d+),', read("server/http/problem.def"), re.MULTILINE)]
        self.assertEqual([cells[:2] for cells in rows("http-api.md", "| status |")], wanted)
        known = {status for status, _ in wanted}
        for name, status in re.findall(r"^X\((\w+), (\d+),", read("base/status.def"), re.MULTILINE):
            self.assertTrue(status == "200" or status in known, name)

    def test_sqlstates(self):
        wanted = set()
        for text in sources("query", "server"):
            wanted.update(re.findall(r'"((?:0A|2[2-5]|42|5[3-8]|XX)[0-9A-Z]{3})"', text))
        found = []
        for cells in rows("sql.md", "| SQLSTATE |"):
            found += quoted(cells[0])
        self.assertEqual(sorted(found), sorted(wanted))

    def test_functions(self):
        page = read("docs/sql.md")
        table = read("query/func/functions.def") + read("query/func/aggregates.def")
        names = set(re.findall(r'^X\(\w+, "(\w+)"', table, re.MULTILINE))
        names.discard("extract_epoch")  # what extract(epoch FROM …) is called inside
        self.assertGreater(len(names), 40)
        for name in sorted(names):
            self.assertRegex(page, r"`%s[`(]" % name)

    def test_exit_codes(self):
        wanted = re.findall(r"^    PZ_EXIT_\w+ = (\d+),", read("server/cli/cli.h"), re.MULTILINE)
        page = read("docs/operations.md")
        codes = re.findall(r"^\| (\d+) \|", page[page.index("## Exit codes"):], re.MULTILINE)
        self.assertEqual(codes, wanted)

    def test_ranks(self):
        wanted = [[rank, name.lower()] for name, rank in re.findall(
            r"^    PZ_RANK_(\w+) = (\d+)", read("base/thread.h"), re.MULTILINE)]
        self.assertEqual([cells[:2] for cells in rows("threads.md", "| rank |")], wanted)
        used = set()
        for text in sources("base", "storage", "query", "ingest", "server"):
            used.update(re.findall(r"PZ_RANK_(\w+)", text))
        self.assertEqual(used, {name.upper() for _, name in wanted})

    def test_threads(self):
        wanted = {"plaza", "MHD-worker", "worker-1"}  # the program, the library's, a pool's
        for text in sources("base", "storage", "query", "ingest", "server"):
            wanted.update(re.findall(r'pz_(?:thread_start\([^;"]*|jobs_create\()"([^"]+)"', text))
        found = set()
        for cells in rows("threads.md", "| thread |"):
            found.update(quoted(cells[1]))
        self.assertEqual(found, wanted)

    def test_indexes_name_every_page(self):
        for folder in ("docs", "docs/decisions"):
            index = read(folder + "/README.md")
            for path in glob.glob(os.path.join(plaza.ROOT, folder, "*.md")):
                name = os.path.basename(path)
                if name != "README.md":
                    self.assertIn("(%s)" % name, index)


class Server(plaza.Case):
    maxDiff = None

    def test_metrics(self):
        text = self.client.get("/metrics").text
        wanted = [["`%s`" % name, kind, words] for name, words, kind in re.findall(
            r"^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$", text, re.MULTILINE)]
        self.assertGreater(len(wanted), 20)
        self.assertEqual(rows("operations.md", "| metric |"), wanted)

    def test_columns(self):
        tables = self.client.get("/v1/tables").json()["tables"]
        wanted = {table["name"]: [column["name"] for column in table["columns"]]
                  for table in tables}
        found = {quoted(cells[0])[0]: quoted(cells[2]) for cells in rows("sql.md", "| table |")}
        self.assertEqual(found, wanted)


if __name__ == "__main__":
    plaza.main()
