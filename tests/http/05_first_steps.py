#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody new meets first: the console's page, and the words and codes of refusals."""

import glob
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


class Page(html.parser.HTMLParser):
    """The ids of a page, and its inputs with the form and the label they stand in."""

    VOID = ("meta", "link", "input", "br")

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.ids = set()
        self.labels = set()
        self.inputs = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if "id" in attributes:
            self.ids.add(attributes["id"])
        if "for" in attributes:
            self.labels.add(attributes["for"])
        if tag in ("input", "textarea"):
            around = {name: which for name, which in self.open if name in ("form", "label")}
            self.inputs.append((attributes.get("id"), around.get("form"), "label" in around))
        if tag not in self.VOID:
            self.open.append((tag, attributes.get("id")))

    def handle_endtag(self, tag):
        while self.open.pop()[0] != tag:
            pass


class Console(plaza.Case):
    def setUp(self):
        super().setUp()
        self.page = Page(self.expect(self.client.get("/"), 200).text)

    def test_script_and_page_agree(self):
        script = self.expect(self.client.get("/console/console.js"), 200).text
        wanted = set(re.findall(r'byId\("([^"]+)"\)', script))
        self.assertGreater(len(wanted), 10)
        self.assertEqual(wanted - self.page.ids, set())
        for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            self.assertNotIn(name, script)

    def test_inputs_are_labelled(self):
        self.assertGreater(len(self.page.inputs), 3)
        for name, _, is_inside_label in self.page.inputs:
            self.assertTrue(is_inside_label or name in self.page.labels, name)

    def test_filter_does_not_post(self):
        # Enter in an input submits the form that it is in.
        forms = {name: form for name, form, _ in self.page.inputs}
        self.assertEqual(forms["text"], "post")
        self.assertNotEqual(forms["only"], "post")


class Refusals(plaza.Case):
    def refused(self, code, *arguments, data=b""):
        done = plaza.run_plaza(*arguments, data=data)
        self.assertEqual(done.returncode, code, done)
        self.assertIsNone(plaza.report_in(done.stderr.decode()), done.stderr)
        return done.stderr.decode()

    def test_data_directory_in_use(self):
        for verb in (["sql", "SELECT 1"], ["import", "--table", "likes", "--format", "csv", "-"]):
            said = self.refused(75, verb[0], "--data", self.server.data, *verb[1:])
            self.assertIn("--url", said)
        self.assertIn("hint: stop", self.refused(75, "check", "--data", self.server.data))

    def test_data_directory_absent(self):
        with tempfile.TemporaryDirectory() as scratch:
            absent = os.path.join(scratch, "absent")
            # 1 would say that a statement failed, or that the check found something.
            self.assertIn("absent", self.refused(74, "sql", "--data", absent, "SELECT 1"))
            self.assertIn("absent", self.refused(74, "check", "--data", absent))
            self.assertFalse(os.path.exists(absent))

    def test_port_in_use(self):
        with tempfile.TemporaryDirectory() as scratch:
            data = os.path.join(scratch, "data")
            said = self.refused(75, "serve", "--data", data, "--http",
                                "127.0.0.1:%d" % self.server.port)
            self.assertIn("is in use by another program", said)
            self.assertIn("--http", said)
            self.assertFalse(os.path.exists(data))

    def test_proxy_of_the_environment(self):
        # It could not reach this machine's own addresses.
        port = self.server.port
        for url in ("http://127.0.0.1:%d" % port, "http://LocalHost:%d/" % port):
            done = plaza.run_plaza("sql", "--url", url, "--format", "csv", "SELECT 1 AS one",
                                   environment={"http_proxy": "http://127.0.0.1:1"})
            self.assertEqual((done.returncode, done.stdout), (0, b"one\r\n1\r\n"), done)
        # Another's address goes through it: here to a server that refuses to stand for it.
        done = plaza.run_plaza("sql", "--url", "http://plaza.invalid", "SELECT 1",
                               environment={"http_proxy": self.server.url})
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"the Host header does not name this server", done.stderr)

    def test_url_without_a_host(self):
        for url in ("http://", "http:///", "https://", "http:///v1"):
            said = self.refused(64, "sql", "--url", url, "SELECT 1")
            self.assertIn("is no URL like", said)

    def test_statement_without_quotes(self):
        said = self.refused(64, "sql", "--url", self.server.url, "SELECT", "1")
        self.assertIn("quotes", said)

    def test_timeout_names_the_option(self):
        # A millisecond does not even prepare so long a statement.
        long = "SELECT count(*) FROM messages WHERE " + " OR ".join(
            "body LIKE '%%%d%%x%%'" % i for i in range(10000))
        said = self.refused(1, "sql", "--url", self.server.url, "--timeout", "1ms", "-",
                            data=long.encode())
        self.assertIn("--timeout", said)
        self.assertNotIn("timeout_ms", said)

    def test_directory_without_its_option(self):
        said = self.refused(64, "serve", "somewhere")
        self.assertIn("--data somewhere", said)

    def test_bad_rows_name_the_options(self):
        said = self.refused(65, "import", "--table", "messages", "--url", self.server.url, "-",
                            data=b'{"user":"ana","text":"hello"}\n')
        for option in ("--map", "--ignore-unknown", "--on-error dead_letter"):
            self.assertIn(option, said)
        self.assertNotIn("on_error=", said)
        with tempfile.TemporaryDirectory() as scratch:
            said = self.refused(65, "import", "--table", "messages", "--data", scratch + "/d", "-",
                                data=b'{"user":"ana","text":"hello"}\n')
            self.assertIn("--on-error dead_letter", said)

    def test_csv_of_other_separators(self):
        for separator, name in ((b";", "semicolons"), (b"\t", "tabs")):
            said = self.refused(65, "import", "--table", "likes", "--format", "csv", "--url",
                                self.server.url, "-",
                                data=separator.join((b"message_id", b"user_id\n1", b"ana\n")))
            self.assertIn(name, said)
        said = self.refused(65, "import", "--table", "likes", "--format", "csv", "--url",
                            self.server.url, "-", data=b"message_id,user;id\n1,ana\n")
        self.assertNotIn("separated", said)

    def test_page_of_another_address(self):
        answer = self.client.request("POST", "/v1/messages", body=b"{}",
                                     headers={"Origin": "http://localhost:3000"})
        self.assertIn("proxy", self.expect_problem(answer, 403)["hint"])

    def test_start_beside_a_server(self):
        # Refused at once, before anything is installed or built.
        done = subprocess.run(
            [os.path.join(plaza.ROOT, "tools", "start"), "--http",
             "127.0.0.1:%d" % self.server.port],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(done.stdout, b"")
        self.assertIn(b"plaza is running already", done.stderr)
        self.assertIn(b"--data DIR", done.stderr) # the default one is the running server's


def rows_of_views(count):
    random = plaza.rng("views")
    return b"".join(
        b'{"message_id":%d,"user_id":"u%d","device":"phone","geo":"x","watch_ms":%d,'
        b'"viewed_at":"2026-11-20T09:00:00Z"}\n' % (i % 7 + 1, i % 50, random.randrange(100000))
        for i in range(count))


class OneAnswerFromBoth(plaza.Case):
    """`plaza sql` answers alike from a server and from a directory."""

    def setUp(self):
        super().setUp()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.data = os.path.join(scratch.name, "data")

    def ask(self, statement, form, code=0):
        answers = []
        for where in (("--url", self.server.url), ("--data", self.data)):
            done = plaza.run_plaza("sql", *where, "--format", form, statement)
            self.assertEqual(done.returncode, code, done)
            answers.append((done.stdout.decode(), done.stderr.decode()))
        return answers

    def test_every_format(self):
        done = plaza.run_plaza("import", "--data", self.data, "--table", "views", "-",
                               data=rows_of_views(100))
        self.assertEqual(done.returncode, 0, done)
        self.client.load("views", [json.loads(line) for line in rows_of_views(100).splitlines()])
        for form in ("text", "csv", "ndjson", "json"):
            for statement in ("SELECT count(*) AS n, sum(watch_ms) FROM views",
                              "SELECT 1 AS one FROM views WHERE watch_ms < 0",
                              "CREATE TABLE made_as_%s (n BIGINT)" % form,
                              "INSERT INTO made_as_%s VALUES (1), (2)" % form,
                              "DELETE FROM made_as_%s WHERE n = 1" % form):
                (there, _), (here, _) = self.ask(statement, form)
                if form == "json":
                    self.assertEqual(there[-2:], "}\n")
                    there, here = json.loads(there), json.loads(here)
                    self.assertEqual(list(there), list(here))
                    self.assertEqual(list(there.pop("stats")), list(here.pop("stats")))
                    self.assertEqual(there["row_count"], len(there["rows"]))
                self.assertEqual(there, here, statement)

    def test_errors(self):
        plaza.run_plaza("import", "--data", self.data, "--table", "views", "-", data=b"")
        for statement, code in (("SELEC 1", "42601"), ("SELECT nothing FROM views", "42703"),
                                ("INSERT INTO likes (message_id, user_id) VALUES (1, NULL)",
                                 "23502"), ("DROP TABLE absent", "42P01")):
            (_, there), (_, here) = self.ask(statement, "text", 1)
            self.assertEqual(there, here)
            self.assertEqual(there.split(":")[0], "ERROR " + code)

    def test_output_that_takes_no_more(self):
        plaza.run_plaza("import", "--data", self.data, "--table", "views", "-", data=b"")
        for where in (("--url", self.server.url), ("--data", self.data)):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [plaza.find_binary(), "sql", *where, "SELECT '%s' AS x" % ("x" * 100000)],
                    stdout=full, stderr=subprocess.PIPE, env=plaza.clean_environment(),
                    timeout=60, check=False)
            self.assertEqual(done.returncode, 74, done)
            self.assertEqual(
                done.stderr, b"plaza sql: cannot write the result: No space left on device\n")


class DamagedStore(unittest.TestCase):
    def test_damage_has_a_sqlstate(self):
        server = plaza.Server("--seal-rows", "1000")
        self.addCleanup(server.clean)
        self.addCleanup(server.kill)
        server.start()
        with server.client() as client:
            client.load("views", [json.loads(line) for line in rows_of_views(5000).splitlines()])
        pattern = os.path.join(server.data, "segments", "*", "*.seg")
        deadline = time.monotonic() + plaza.START_SECONDS
        while not glob.glob(pattern):
            self.assertLess(time.monotonic(), deadline, "nothing is sealed")
            time.sleep(0.01)
        server.stop()
        for path in glob.glob(pattern):
            with open(path, "r+b") as file:  # the columns come first, the footer is at the end
                file.seek(1000)
                file.write(b"\xff" * 2000)
        # Reads the pages of every column.
        statement = ("SELECT sum(watch_ms + message_id + length(user_id) + length(device) + "
                     "extract(second FROM viewed_at)) FROM views")
        done = plaza.run_plaza("sql", "--data", server.data, statement)
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(done.stderr.split(b":")[0], b"ERROR XX001", done)
        server.start()
        with server.client() as client:
            answer = client.post_sql(statement)
            self.assertEqual(answer.status, 500, answer)
            self.assertEqual(answer.json()["code"], "XX001")
        server.stop()


if __name__ == "__main__":
    plaza.main()
