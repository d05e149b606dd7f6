#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`plaza import` and `plaza simulate`, as a person types them."""

import gzip
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza

SIZES = ("--users", "40", "--messages", "80", "--likes", "500", "--views", "3000", "--days", "20")


class Import(plaza.Case):
    def setUp(self):
        super().setUp()
        scratch = tempfile.TemporaryDirectory(prefix="plaza-test-")
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        self.client.write_sql("DROP TABLE IF EXISTS t")
        self.client.write_sql("CREATE TABLE t (id BIGINT NOT NULL, name TEXT)")

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def run_import(self, *arguments, data=None, code=0):
        done = plaza.run_plaza("import", *arguments, data=data)
        self.assertEqual(done.returncode, code, done)
        self.assertIsNone(plaza.report_in(done.stderr.decode()), done.stderr)
        return done.stderr.decode() + done.stdout.decode()

    def ids(self):
        return [row[0] for row in self.client.sql("SELECT id FROM t ORDER BY id")]

    def test_formats_by_name(self):
        ndjson = b'{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n'
        for name, content in (
            ("a.ndjson", ndjson), ("a.jsonl", ndjson), ("a.csv", b"id,name\n1,a\n2,b\n"),
            ("a.json", b'[{"id":1,"name":"a"},{"id":2,"name":"b"}]'),
            ("a.ndjson.gz", gzip.compress(ndjson)), ("a.ndjson.zst", plaza.zstd(ndjson)),
            ("a.csv.gz", gzip.compress(b"id,name\r\n1,a\r\n2,b\r\n")),
        ):
            with self.subTest(name):
                self.client.write_sql("DELETE FROM t")
                self.run_import("--table", "t", "--url", self.server.url, self.file(name, content))
                self.assertEqual(self.client.sql("SELECT * FROM t ORDER BY id"),
                                 [[1, "a"], [2, "b"]])

    def test_standard_input(self):
        for content in (b'{"id":7}\n', gzip.compress(b'{"id":7}\n'), plaza.zstd(b'{"id":7}\n')):
            self.client.write_sql("DELETE FROM t")
            self.run_import("--table", "t", "--format", "ndjson", "--url", self.server.url, "-",
                            data=content)
            self.assertEqual(self.ids(), [7])

    def test_nothing_at_all(self):
        for name in ("a.ndjson", "a.csv"):
            with self.subTest(name):
                path = self.file(name, b"")
                self.run_import("--table", "t", "--url", self.server.url, path)
                self.run_import("--table", "no_such", "--url", self.server.url, path, code=1)
        self.run_import("--table", "t", "--url", "http://127.0.0.1:1",
                        self.file("a.ndjson", b""), code=69)
        lines = self.file("one.ndjson", b'{"id":1}\n')
        self.run_import("--table", "t", "--skip-lines", "1", "--url", self.server.url, lines)
        self.assertEqual(self.ids(), [])

    def test_bad_rows_abort(self):
        path = self.file("bad.ndjson", b'{"id":1}\n{"id":"x"}\n{"id":3}\n')
        text = self.run_import("--table", "t", "--url", self.server.url, path, code=65)
        self.assertIn("2", text)
        self.assertIn("id", text)
        self.assertEqual(self.ids(), [])

    def test_bad_rows_as_dead_letters(self):
        path = self.file("bad.ndjson", b'{"id":1}\n{"id":"x"}\n{"id":3}\n')
        self.run_import("--table", "t", "--on-error", "dead_letter", "--url", self.server.url, path,
                        code=2)
        self.assertEqual(self.ids(), [1, 3])

    def test_unknown_fields(self):
        path = self.file("more.ndjson", b'{"id":1,"more":true}\n')
        self.run_import("--table", "t", "--url", self.server.url, path, code=65)
        self.assertEqual(self.ids(), [])
        self.run_import("--table", "t", "--ignore-unknown", "--url", self.server.url, path)
        self.assertEqual(self.ids(), [1])

    def test_map(self):
        path = self.file("map.ndjson", b'{"number":1,"label":"x"}\n')
        self.run_import("--table", "t", "--map", "id=number,name=label", "--url", self.server.url,
                        path)
        self.assertEqual(self.client.sql("SELECT * FROM t"), [[1, "x"]])
        for bad in ("id", "id=", "=number", "id=number,"):
            text = self.run_import("--table", "t", "--map", bad, "--url", self.server.url, path,
                                   code=64)
            self.assertIn("field map", text)

    def test_what_is_not_there(self):
        path = self.file("a.ndjson", b'{"id":1}\n')
        done = plaza.run_plaza("import", "--table", "tt", "--url", self.server.url, path)
        self.assertNotEqual(done.returncode, 0)
        done = plaza.run_plaza("import", "--table", "t", "--url", self.server.url,
                               self.folder + "/none.ndjson")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"none.ndjson", done.stderr)

    def test_a_directory_in_use(self):
        path = self.file("a.ndjson", b'{"id":1}\n')
        done = plaza.run_plaza("import", "--table", "t", "--data", self.server.data, path)
        self.assertEqual(done.returncode, 75, done)

    def test_without_a_server(self):
        data = os.path.join(self.folder, "fresh")
        path = self.file("m.ndjson", b"".join(
            b'{"message_id":%d,"user_id":"u%d","body":"b"}\n' % (n, n % 7) for n in range(1, 3001)))
        self.run_import("--table", "messages", "--data", data, path)
        bad = self.file("bad.ndjson", b'{"message_id":5000,"user_id":"u","body":"b"}\n'
                        b'{"message_id":17,"user_id":"u","body":"in use"}\n')
        self.run_import("--table", "messages", "--data", data, bad, code=65)
        server = plaza.Server(data=data)
        with server:
            with server.client() as client:
                self.assertEqual(client.value("SELECT count(*) FROM messages"), 3000)
                self.assertEqual(len(client.walk_feed()), 3000)

    def test_many_pieces(self):
        """More than one request's worth, with the header of a CSV kept in front of each."""
        rows = b"".join(b"%d,%s\n" % (n, b"x" * 200) for n in range(120000))
        path = self.file("long.csv", b"id,name\n" + rows)
        self.run_import("--table", "t", "--url", self.server.url, path)
        self.assertEqual(self.client.sql("SELECT count(*), min(id), max(id), sum(id) FROM t"),
                         [[120000, 0, 119999, 120000 * 119999 // 2]])


class Simulate(plaza.Case):
    def make(self, folder, seed):
        done = plaza.run_plaza("simulate", *SIZES, "--seed", str(seed), "--out", folder)
        self.assertEqual(done.returncode, 0, done)
        found = {}
        for name in ("messages", "likes", "views"):
            with open(os.path.join(folder, name + ".ndjson"), "rb") as file:
                found[name] = file.read()
        return found

    def test_the_seed_decides(self):
        with tempfile.TemporaryDirectory(prefix="plaza-test-") as folder:
            first = self.make(os.path.join(folder, "a"), 5)
            again = self.make(os.path.join(folder, "b"), 5)
            other = self.make(os.path.join(folder, "c"), 6)
        self.assertEqual(first, again)
        self.assertNotEqual(first["views"], other["views"])
        messages = [json.loads(line) for line in first["messages"].splitlines()]
        likes = [json.loads(line) for line in first["likes"].splitlines()]
        views = [json.loads(line) for line in first["views"].splitlines()]
        self.assertEqual(len(messages), 80)
        self.assertEqual(len(views), 3000)
        self.assertLessEqual(abs(len(likes) - 500), 100)
        self.assertEqual(sorted(row["message_id"] for row in messages), list(range(1, 81)))
        self.assertLessEqual({row["device"] for row in views}, {"mobile", "desktop", "other"})
        self.assertGreater(len({row["geo"] for row in views}), 20)
        mobile = sum(row["device"] == "mobile" for row in views) / len(views)
        self.assertTrue(0.5 < mobile < 0.7, mobile)

    def test_into_a_server(self):
        for turn in (1, 2):
            done = plaza.run_plaza("simulate", *SIZES, "--seed", "3", "--url", self.server.url)
            self.assertEqual(done.returncode, 0, done)
            self.assertEqual(self.client.value("SELECT count(*) FROM messages"), 80 * turn)
            self.assertEqual(self.client.value("SELECT count(*) FROM views"), 3000 * turn)
        sums = dict(self.client.sql("SELECT message_id, sum(delta) FROM likes GROUP BY 1"))
        views = dict(self.client.sql("SELECT message_id, count(*) FROM views GROUP BY 1"))
        for item in self.client.walk_feed():
            number = int(item["message_id"])
            self.assertEqual((item["likes"], item["views"]),
                             (sums.get(number, 0), views.get(number, 0)))


if __name__ == "__main__":
    plaza.main()
