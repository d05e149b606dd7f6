#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One set of rules for the feed's rows: every way in gives the same verdict on a value."""

import csv
import io
import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza

# A good row of each table; the cases change one member of it.
ROWS = {
    "messages": {"user_id": "ann", "body": "x"},
    "likes": {"message_id": 1, "user_id": "ann", "delta": 1},
    "views": {"message_id": 1, "user_id": "ann", "device": "phone", "geo": "ES-M", "watch_ms": 5},
}
LENGTH = "must be 1 to 256 bytes long, is "
CONTROL = "must not hold the control character U+"
BAD_NAMES = (
    ("", LENGTH + "0"), ("u" * 257, LENGTH + "257"), ("ü" * 129, LENGTH + "258"),
    ("a\tb", CONTROL + "0009"), ("\n", CONTROL + "000A"), ("a\x7f", CONTROL + "007F"),
    ("\x85", CONTROL + "0085"), ("x\x9f", CONTROL + "009F"),
)
BAD = (
    [("messages", "user_id", *case) for case in BAD_NAMES]
    + [("likes", "user_id", *case) for case in BAD_NAMES]
    + [("views", column, *case) for column in ("user_id", "device", "geo") for case in BAD_NAMES]
    + [
        ("messages", "message_id", 0, "must be a positive integer, is 0"),
        ("messages", "message_id", -5, "must be a positive integer, is -5"),
        ("likes", "message_id", 0, "must be a positive integer, is 0"),
        ("views", "message_id", -1, "must be a positive integer, is -1"),
        ("likes", "delta", 0, "must be 1 (like) or -1 (unlike), is 0"),
        ("likes", "delta", 2, "must be 1 (like) or -1 (unlike), is 2"),
        ("views", "watch_ms", -1, "must not be negative, is -1"),
        ("views", "watch_ms", -2 ** 63, "must not be negative, is -9223372036854775808"),
    ]
)
GOOD = (
    [("messages", "user_id", name) for name in ("u" * 256, "ü" * 128, " ", "a\u00a0b", "日本")]
    + [("views", column, name) for column in ("user_id", "device", "geo")
       for name in ("x" * 256, "a b", "\u2028")]
    + [("views", "watch_ms", 0), ("views", "watch_ms", 2 ** 63 - 1)]
)
# What history may hold though nobody can post it.
HISTORY = (("messages", "body", ""), ("messages", "body", "b" * 70000),
           ("messages", "body", "tab\tbell\a"))


def literal(value):
    return str(value) if isinstance(value, int) else "'%s'" % value.replace("'", "''")


def insert_of(table, row):
    return "INSERT INTO %s (%s) VALUES (%s)" % (
        table, ", ".join(row), ", ".join(literal(value) for value in row.values()))


def csv_of(row):
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(row)
    writer.writerow(row.values())
    return text.getvalue().encode()


class Verdicts(plaza.Case):
    def counts(self):
        return {table: self.client.value("SELECT count(*) FROM " + table)
                for table in (*ROWS, "dead_letters")}

    def loads(self, table, row):
        """The answers of each form of bulk load."""
        line = json.dumps(row).encode()
        yield "ndjson", self.client.bulk(table, line + b"\n")
        yield "csv", self.client.bulk(table, csv_of(row), headers={"Content-Type": "text/csv"})
        yield "array", self.client.bulk(table, b"[" + line + b"]",
                                        headers={"Content-Type": "application/json"})

    def post(self, table, row):
        """The feed API's answer; None where it takes no such value."""
        row = dict(row)
        number = row.pop("message_id", None)
        if table == "messages":
            return self.client.post("/v1/messages",
                                    row if number is None else {**row, "message_id": number})
        if number < 1 or row.pop("delta", 1) != 1:
            return None
        if table == "views":
            return self.client.post("/v1/messages/%d/views" % number, row)
        if row["user_id"] == "":
            return None
        path = "/v1/messages/%d/likes/%s" % (number, urllib.parse.quote(row["user_id"]))
        return self.client.put(path)

    def test_bad_values(self):
        self.client.message("ann", "for all")
        before = self.counts()
        for table, column, value, why in BAD:
            row = {**ROWS[table], column: value}
            wanted = "%s %s" % (column, why)
            with self.subTest("%s.%s %r" % (table, column, str(value)[:20])):
                for way, answer in self.loads(table, row):
                    document = self.expect_problem(answer, 400)
                    self.assertEqual([(e["line"], e["column"], e["message"])
                                      for e in document["errors"]],
                                     [(2 if way == "csv" else 1, column, wanted)])
                self.assertEqual(
                    self.expect_sql_error(insert_of(table, row), "23514")["detail"], wanted)
                answer = self.post(table, row)
                if answer is not None:
                    document = self.expect_problem(answer, (400, 422))
                    self.assertTrue(answer.status == 400 or why in document["detail"], document)
        self.assertEqual(self.counts(), before)

    def test_bad_values_become_dead_letters(self):
        for table in ROWS:
            cases = [case for case in BAD if case[0] == table]
            rows = [{**ROWS[table], column: value} for _, column, value, _ in cases]
            before = self.counts()
            document = self.client.load(table, [*rows, ROWS[table]], "?on_error=dead_letter")
            self.assertEqual((document["accepted"], document["rejected"]), (1, len(rows)))
            self.assertEqual([(e["line"], e["column"]) for e in document["errors"]],
                             [(n + 1, case[1]) for n, case in enumerate(cases)])
            after = self.counts()
            self.assertEqual(after[table], before[table] + 1)
            self.assertEqual(after["dead_letters"], before["dead_letters"] + len(rows))
            letters = self.client.sql("SELECT place, reason FROM dead_letters WHERE table_name = '%s'"
                                      " ORDER BY position" % table)
            self.assertEqual(letters, [[column, "%s %s" % (column, why)]
                                       for _, column, _, why in cases])

    def test_one_bad_row_among_many(self):
        """Many views become segments on the side; the rules hold there as well."""
        good = b'{"message_id":1,"user_id":"u","device":"d","geo":"g","watch_ms":1}\n'
        before = self.counts()
        for bad in (b'{"message_id":1,"user_id":"u","device":"","watch_ms":1}\n',
                    b'{"message_id":1,"user_id":"u","watch_ms":-1}\n'):
            document = self.expect_problem(
                self.client.bulk("views", good * 70000 + bad + good * 70000), 400)
            self.assertEqual((document["rejected"], document["errors"][0]["line"]), (1, 70001))
        self.assertEqual(self.counts(), before)

    def test_good_values(self):
        self.client.message("ann", "for all")
        for table, column, value in GOOD:
            row = {**ROWS[table], column: value}
            with self.subTest("%s.%s %r" % (table, column, str(value)[:20])):
                for way, answer in self.loads(table, row):
                    self.assertEqual(self.expect(answer, 200).json()["accepted"], 1, way)
                self.client.write_sql(insert_of(table, row))
                self.expect(self.post(table, row), 201)

    def test_history_may_hold_more(self):
        for table, column, value in HISTORY:
            row = {**ROWS[table], "user_id": "history", column: value}
            for way, answer in self.loads(table, row):
                self.assertEqual(self.expect(answer, 200).json()["accepted"], 1, way)
            self.client.write_sql(insert_of(table, row))
        bodies = [item["body"] for item in self.client.walk_feed(user="history")]
        self.assertEqual(sorted(bodies), sorted([value for _, _, value in HISTORY] * 4))
        self.expect_problem(self.post("messages", {"user_id": "ann", "body": ""}), 422)
        self.expect_problem(self.post("messages", {"user_id": "ann", "body": "b" * 70000}), 422)

    def test_a_body_is_never_null(self):
        before = self.counts()
        for rows, headers in (
            (b'{"user_id":"ann","body":null}\n', None), (b'{"user_id":"ann"}\n', None),
            (b"user_id,body\nann,\n", {"Content-Type": "text/csv"}),
        ):
            document = self.expect_problem(self.client.bulk("messages", rows, headers=headers), 400)
            self.assertEqual(document["errors"][0]["column"], "body")
        self.expect_sql_error("INSERT INTO messages (user_id, body) VALUES ('ann', NULL)", "23502")
        self.expect_sql_error("INSERT INTO messages (user_id) VALUES ('ann')", "23502")
        self.assertEqual(self.counts(), before)

    def test_a_sentiment_that_is_no_number(self):
        """DOUBLE has values that JSON has not: the feed shows them as null, as results do."""
        self.client.load("messages", [{"user_id": "moody", "body": "x", "sentiment": text}
                                      for text in ("NaN", "Infinity", "-Infinity", 0.5)])
        items = self.client.walk_feed(user="moody")
        self.assertEqual([item["sentiment"] for item in items], [0.5, None, None, None])

    def test_import(self):
        path = os.path.join(os.path.dirname(self.server.data), "rules-%d.ndjson" % os.getpid())
        self.addCleanup(os.unlink, path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(json.dumps(ROWS["views"]) + "\n")
            file.write(json.dumps({**ROWS["views"], "user_id": "a\tb"}) + "\n")
            file.write(json.dumps({**ROWS["views"], "watch_ms": -7}) + "\n")
        url = "http://127.0.0.1:%d" % self.server.port
        before = self.counts()["views"]
        done = plaza.run_plaza("import", "--table", "views", "--url", url, path)
        self.assertEqual(done.returncode, 65, done)
        self.assertIn(b"user_id must not hold the control character U+0009", done.stderr)
        self.assertIn(b"watch_ms must not be negative, is -7", done.stderr)
        self.assertEqual(self.counts()["views"], before)
        done = plaza.run_plaza("import", "--table", "views", "--url", url, "--on-error",
                               "dead_letter", path)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(self.counts()["views"], before + 1)
        self.server.stop()
        try:
            done = plaza.run_plaza("import", "--table", "views", "--data", self.server.data, path)
        finally:
            self.server.start()
        self.client.move(self.server.port)
        self.assertEqual(done.returncode, 65, done)
        self.assertIn(b"line 2", done.stderr)
        self.assertEqual(self.counts()["views"], before + 1)

    def test_import_of_a_file_whose_name_is_no_text(self):
        folder = os.path.dirname(self.server.data)
        shown = [("import %s/" % folder + name + "-%d" % os.getpid())[:200]
                 for name in ("caf?", "l" * 180)]
        paths = [os.fsencode(folder) + b"/" + name + b"-%d" % os.getpid()
                 for name in (b"caf\xe9", b"l" * 180)]
        for path in paths:
            self.addCleanup(os.unlink, path)
            with open(path, "wb") as file:
                file.write(b'{"message_id":1,"user_id":""}\n')

        def bring(*where):
            for path in paths:
                done = plaza.run_plaza("import", "--table", "likes", "--format", "ndjson",
                                       "--on-error", "dead_letter", *where, path)
                self.assertEqual(done.returncode, 2, done)

        bring("--url", self.server.url)
        self.server.stop()
        try:
            bring("--data", self.server.data)
        finally:
            self.server.start()
        self.client.move(self.server.port)
        found = self.client.sql("SELECT source, count(*) FROM dead_letters WHERE source LIKE "
                                "'import %/caf%' OR source LIKE 'import %/lll%' GROUP BY 1")
        self.assertEqual(sorted(found), sorted([text, 2] for text in shown))


class Parameters(plaza.Case):
    """What a call does not know is refused: passed over, it would do something else than asked."""

    def test_unknown(self):
        for path, hint in (
            ("/v1/messages?limt=3", 'did you mean "limit"?'),
            ("/v1/messages?LIMIT=3", 'did you mean "limit"?'),
            ("/v1/messages?limit=3&curser=x", 'did you mean "cursor"?'),
            ("/v1/messages?zebra=1", "those that this call takes are limit, cursor, user_id"),
            ("/v1/messages?%ff=1", "those that this call takes are limit, cursor, user_id"),
            ("/v1/messages?" + "x" * 5000, "those that this call takes are limit, cursor, user_id"),
            ("/v1/messages?=1", "those that this call takes are limit, cursor, user_id"),
            ("/v1/messages/1?limit=3", "this call takes none"),
            ("/v1/tables?x", "this call takes none"),
            ("/livez?x=1", "this call takes none"),
            ("/readyz?x=1", "this call takes none"),
            ("/metrics?x=1", "this call takes none"),
            ("/problems/sql?x=1", "this call takes none"),
            ("/?x=1", "this call takes none"),
        ):
            with self.subTest(path[:40]):
                document = self.expect_problem(self.client.get(path), 400)
                self.assertEqual(document["hint"], hint)

    def test_nothing_is_done(self):
        number = self.client.message("ana", "stays")["message_id"]
        row = json.dumps({"message_id": int(number), "user_id": "u"}).encode()
        for call, hint in (
            (lambda: self.client.bulk("likes", row + b"\n{}\n", "?on_eror=dead_letter"),
             'did you mean "on_error"?'),
            (lambda: self.client.bulk("likes", row, "?ignore-unknown=1"),
             'did you mean "ignore_unknown"?'),
            (lambda: self.client.post("/v1/messages?user_id=a", {"user_id": "a", "body": "b"}),
             "this call takes none"),
            (lambda: self.client.put("/v1/messages/%s/likes/a?at=1" % number),
             "this call takes none"),
            (lambda: self.client.delete("/v1/messages/%s?dry_run=1" % number),
             "this call takes none"),
            (lambda: self.client.post("/v1/sql?timeout_ms=5", b"DELETE FROM messages",
                                      {"Content-Type": "text/plain"}), "this call takes none"),
        ):
            self.assertEqual(self.expect_problem(call(), 400)["hint"], hint)
        self.assertEqual(self.client.get("/v1/messages/" + number).json()["likes"], 0)

    def test_repeated(self):
        for path in ("/v1/messages?limit=2&limit=2", "/v1/messages?user_id=a&limit=1&user_id=b",
                     "/v1/messages?limit=2&%6cimit=3"):
            document = self.expect_problem(self.client.get(path), 400)
            self.assertIn("is given twice", document["detail"])
        answer = self.client.bulk("likes", b"", "?on_error=abort&on_error=dead_letter")
        self.assertIn('"on_error" is given twice', self.expect_problem(answer, 400)["detail"])

    def test_none_is_fine(self):
        for path in ("/v1/messages?", "/livez?", "/?", "/v1/messages?limit=5&", "/livez?&",
                     "/v1/messages?&&limit=5&&user_id=a"):
            self.expect(self.client.get(path), 200)


if __name__ == "__main__":
    plaza.main()
