#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server starts, says that it lives, counts, shows its page, and refuses what it must."""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


class Health(plaza.Case):
    def test_live_and_ready(self):
        self.expect(self.client.get("/livez"), 200)
        self.expect(self.client.get("/readyz"), 200)

    def test_metrics_are_prometheus_text(self):
        self.client.message("ana", "one to count")
        answer = self.expect(self.client.get("/metrics"), 200)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))
        typed = set()
        samples = 0
        for line in answer.text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                self.assertIn(kind, ("counter", "gauge", "histogram", "summary", "untyped"))
                typed.add(name)
            elif line and not line.startswith("#"):
                match = re.match(
                    r'^(plaza_[a-z0-9_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? '
                    r"([-+0-9.eE]+|NaN|[+-]Inf)$",
                    line,
                )
                self.assertTrue(match, line)
                name = match.group(1)
                base = re.sub(r"_(bucket|sum|count)$", "", name)
                self.assertTrue(name in typed or base in typed, "no TYPE for " + line)
                samples += 1
        self.assertGreater(samples, 10)

    def test_console_stands_alone(self):
        answer = self.expect(self.client.get("/"), 200)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/html"))
        policy = answer.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe-eval", policy)
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        page = answer.text
        links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']""", page)
        self.assertTrue(links)
        for link in links:
            if link.startswith("#") or link.startswith("data:"):
                continue
            self.assertFalse(re.match(r"^([a-z]+:)?//", link), "outside the binary: " + link)
            self.assertFalse(link.startswith("/"), "breaks under a sub-path: " + link)
            part = self.client.get("/" + link)
            self.expect(part, 200)
            self.assertNotRegex(part.text, r"""(?:src|href|url\()\s*=?\s*["']?https?://""")

    def test_unknown_paths(self):
        for path in ("/nothing", "/v1", "/v1/", "/v1/nothing", "/v1/messages/1/likes",
                     "/v1/messages/1/likes/ana/more", "/v2/messages"):
            with self.subTest(path):
                self.expect_problem(self.client.get(path), 404)

    def test_wrong_method_names_the_right_ones(self):
        for method, path, right in (
            ("PUT", "/v1/messages", "POST"),
            ("DELETE", "/v1/sql", "POST"),
            ("POST", "/v1/messages/1", "DELETE"),
            ("GET", "/v1/messages/1/likes/ana", "PUT"),
            ("GET", "/v1/messages/1/views", "POST"),
            ("GET", "/v1/tables/views/rows", "POST"),
            ("POST", "/livez", "GET"),
        ):
            with self.subTest(method + " " + path):
                answer = self.client.request(method, path, body=b"")
                self.expect_problem(answer, 405)
                allowed = [name.strip() for name in answer.headers["Allow"].split(",")]
                self.assertIn(right, allowed)
                self.assertNotIn(method, allowed)

    def test_head_is_get_without_a_body(self):
        document = self.client.message("ana", "a head")
        for path in ("/livez", "/v1/messages", "/v1/messages/" + document["message_id"], "/"):
            with self.subTest(path):
                whole = self.client.get(path)
                head = self.client.request("HEAD", path)
                self.assertEqual(head.status, whole.status)
                self.assertEqual(head.body, b"")
                self.assertEqual(head.headers["Content-Type"], whole.headers["Content-Type"])
        self.expect(self.client.request("HEAD", "/v1/messages/999999"), 404)

    def test_options_lists_methods(self):
        answer = self.expect(self.client.request("OPTIONS", "/v1/messages"), 204)
        self.assertIn("POST", answer.headers["Allow"])


class CommandLine(plaza.Case):
    def test_version(self):
        done = plaza.run_plaza("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout.decode(), r"^plaza \d+\.\d+\.\d+")

    def test_help(self):
        for arguments in (["--help"], ["help"], ["serve", "--help"], ["import", "--help"],
                          ["simulate", "--help"], ["sql", "--help"]):
            with self.subTest(arguments):
                done = plaza.run_plaza(*arguments)
                self.assertEqual(done.returncode, 0, done)
                self.assertIn(b"plaza", done.stdout)

    def test_usage_errors_suggest(self):
        done = plaza.run_plaza("serv")
        self.assertEqual(done.returncode, 64)
        self.assertIn(b"serve", done.stderr)
        self.assertEqual(done.stdout, b"")
        done = plaza.run_plaza("serve", "--dta", "x")
        self.assertEqual(done.returncode, 64)
        self.assertIn(b"--data", done.stderr)
        for bad in (["serve", "--http", "nonsense"], ["serve", "--threads", "many"],
                    ["serve", "--seal-rows", "-1"], ["serve", "--data"], ["import"],
                    ["simulate", "--users", "x"]):
            with self.subTest(bad):
                self.assertEqual(plaza.run_plaza(*bad).returncode, 64)

    def test_one_process_per_directory(self):
        done = plaza.run_plaza("serve", "--data", self.server.data, "--http", "127.0.0.1:0")
        self.assertEqual(done.returncode, 75, done)
        self.assertIn(str(self.server.process.pid).encode(), done.stderr)
        self.expect(self.client.get("/readyz"), 200)

    def test_port_in_use(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = plaza.run_plaza("serve", "--data", scratch + "/d", "--http",
                                   "127.0.0.1:%d" % self.server.port)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(str(self.server.port).encode(), done.stderr)
            self.assertIsNone(plaza.report_in(done.stderr.decode()), done.stderr)

    def test_no_open_door_off_loopback(self):
        with tempfile.TemporaryDirectory() as scratch:
            done = plaza.run_plaza("serve", "--data", scratch + "/d", "--http", "0.0.0.0:0")
            self.assertEqual(done.returncode, 78, done)

    def test_unreachable_server(self):
        done = plaza.run_plaza("import", "--table", "views", "--url", "http://127.0.0.1:1", "-",
                               data=b'{"message_id":1,"user_id":"a"}\n')
        self.assertEqual(done.returncode, 69, done)

    def test_sql_verb(self):
        done = plaza.run_plaza("sql", "--url", self.server.url, "--format", "csv",
                               "SELECT 7/2 AS x, 'a' AS y")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout.replace(b"\r\n", b"\n"), b"x,y\n3,a\n")
        done = plaza.run_plaza("sql", "--url", self.server.url, "SELECT nope")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"nope", done.stderr)


class NotOurs(plaza.unittest.TestCase):
    """Bytes that do not parse are refused and never written over."""

    def make_store(self):
        scratch = tempfile.mkdtemp(prefix="plaza-test-")
        self.addCleanup(plaza.shutil.rmtree, scratch, True)
        data = os.path.join(scratch, "data")
        server = plaza.Server(data=data)
        with server:
            with server.client() as client:
                client.message("ana", "kept")
        return data

    def refused(self, data):
        before = self.snapshot(data)
        done = plaza.run_plaza("serve", "--data", data, "--http", "127.0.0.1:0", timeout=30)
        self.assertIn(done.returncode, (65, 78), done)
        self.assertIsNone(plaza.report_in(done.stderr.decode("utf-8", "replace")), done.stderr)
        self.assertEqual(self.snapshot(data), before)

    @staticmethod
    def snapshot(data):
        found = {}
        for folder, _, names in os.walk(data):
            for name in names:
                if name == "LOCK" or name.endswith("-lock"):
                    continue
                with open(os.path.join(folder, name), "rb") as file:
                    found[os.path.join(folder, name)] = file.read()
        return found

    def test_newer_format(self):
        data = self.make_store()
        path = os.path.join(data, "FORMAT")
        with open(path, "rb") as file:
            text = file.read()
        newer = re.sub(rb"\d+", b"987", text, count=1)
        self.assertNotEqual(newer, text)
        with open(path, "wb") as file:
            file.write(newer)
        self.refused(data)

    def test_garbage_format(self):
        data = self.make_store()
        with open(os.path.join(data, "FORMAT"), "wb") as file:
            file.write(os.urandom(64))
        self.refused(data)

    def test_garbage_database(self):
        data = self.make_store()
        with open(os.path.join(data, "plaza.mdb"), "r+b") as file:
            file.write(b"\xa5" * 16384)
        self.refused(data)

    def test_a_directory_of_something_else(self):
        with tempfile.TemporaryDirectory() as scratch:
            with open(os.path.join(scratch, "letters.txt"), "w", encoding="utf-8") as file:
                file.write("mine")
            done = plaza.run_plaza("serve", "--data", scratch, "--http", "127.0.0.1:0", timeout=30)
            self.assertNotEqual(done.returncode, 0)
            # The lock is taken before looking, and may stay.
            self.assertEqual(set(os.listdir(scratch)) - {"LOCK"}, {"letters.txt"})

    def test_a_missing_segment_is_an_error(self):
        server = plaza.Server("--seal-rows", "200")
        self.addCleanup(server.clean)
        self.addCleanup(server.kill)
        server.start()
        with server.client() as client:
            client.write_sql("CREATE TABLE t (at TIMESTAMP, n BIGINT)")
            for start in range(0, 2000, 100):
                client.load("t", [{"at": 1700000000 + n, "n": n} for n in range(start, start + 100)])
            for _ in range(200):
                if self.segments(server.data):
                    break
                plaza.time.sleep(0.05)
        server.stop()
        found = self.segments(server.data)
        self.assertTrue(found, "nothing was sealed")
        os.rename(found[0], found[0] + ".away")
        try:
            server.start()
        except plaza.ServerFailed:
            return  # refused: that is clear as well
        with server.client() as client:
            answer = client.post_sql("SELECT count(*), sum(n) FROM t")
            self.assertNotEqual(answer.status, 200, "a silently smaller answer: %r" % answer)

    @staticmethod
    def segments(data):
        return [
            os.path.join(folder, name)
            for folder, _, names in os.walk(os.path.join(data, "segments"))
            for name in names
            if name.endswith(".seg")
        ]


if __name__ == "__main__":
    plaza.main()
