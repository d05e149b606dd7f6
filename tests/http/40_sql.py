#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SQL over HTTP: bodies, formats, values, writes, errors, and results that fail on the way."""

import csv
import http.client
import io
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


class Ask(plaza.Case):
    def test_answer(self):
        answer = self.client.post_sql("SELECT 7/2 AS a, 'x' AS b, CAST(NULL AS BIGINT) AS c")
        self.expect(answer, 200)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/json")
        document = answer.json()
        self.assertEqual(
            list(document), ["columns", "rows", "row_count", "stats", "complete"], answer
        )
        self.assertEqual(
            document["columns"],
            [{"name": "a", "type": "BIGINT"}, {"name": "b", "type": "TEXT"},
             {"name": "c", "type": "BIGINT"}],
        )
        self.assertEqual(document["rows"], [[3, "x", None]])
        self.assertEqual(document["row_count"], 1)
        self.assertGreaterEqual(document["stats"]["elapsed_ms"], 0)
        self.assertIs(document["complete"], True)

    def test_ways_to_send(self):
        for body, media in (
            (b"SELECT 1 AS x", "application/sql"),
            (b"SELECT 1 AS x;", "text/plain"),
            (b"SELECT 1 AS x", "text/plain; charset=utf-8"),
            (b"-- a comment\n  SELECT /* and \n another */ 1 AS x ; ", "application/sql"),
            (b'{"sql":"SELECT 1 AS x"}', "application/json"),
            (b'{"sql":"SELECT 1 AS x","timeout_ms":5000}', "application/json"),
        ):
            with self.subTest(media):
                answer = self.client.post("/v1/sql", body, {"Content-Type": media})
                self.expect(answer, 200)
                self.assertEqual(answer.json()["rows"], [[1]])

    def test_wrong_media_type(self):
        for media in ("application/x-www-form-urlencoded", "image/png", "multipart/form-data"):
            answer = self.client.post("/v1/sql", b"SELECT 1", {"Content-Type": media})
            self.expect_problem(answer, 415)

    def test_bad_json_bodies(self):
        for body, status in (
            (b"{", 400), (b'{"sql":', 400), (b'{"sql":"SELECT 1"} trailing', 400),
            (b'{"sql":"SELECT 1","sql":"SELECT 2"}', 400), (b"", 400), (b"\xff", 400),
            (b"{}", 422), (b'{"sql":7}', 422), (b'{"sql":"SELECT 1","nope":1}', 422),
            (b'{"sql":"SELECT 1","timeout_ms":"x"}', 422), (b'["SELECT 1"]', 422),
            (b'{"sql":"SELECT 1","timeout_ms":-1}', 422),
        ):
            with self.subTest(body):
                answer = self.client.post("/v1/sql", body, {"Content-Type": "application/json"})
                self.expect_problem(answer, status)

    def test_empty_statement(self):
        for body in (b"", b"   ", b";", b"-- only a comment"):
            self.expect_problem(self.client.post_sql(body), 400)

    def test_one_statement_at_a_time(self):
        self.expect_problem(self.client.post_sql("SELECT 1; SELECT 2"), 400)


class Formats(plaza.Case):
    QUERY = (
        "SELECT 9223372036854775807 AS big, CAST('-9223372036854775808' AS BIGINT) AS small,"
        " 0.1 AS tenth, TRUE AS yes, NULL AS none, '' AS empty,"
        " 'a \"quoted\", text' AS text, TIMESTAMP '2026-11-20 09:00:00' AS at,"
        " DATE '2026-11-20' AS day"
    )

    def test_json(self):
        answer = self.expect(self.client.post_sql(self.QUERY, "application/json"), 200)
        self.assertIn(
            b'[9223372036854775807,-9223372036854775808,0.1,true,null,"",'
            b'"a \\"quoted\\", text","2026-11-20T09:00:00.000000Z","2026-11-20"]',
            answer.body,
        )
        types = [column["type"] for column in answer.json()["columns"]]
        self.assertEqual(types, ["BIGINT", "BIGINT", "DOUBLE", "BOOLEAN", "TEXT", "TEXT", "TEXT",
                                 "TIMESTAMP", "DATE"])

    def test_csv(self):
        answer = self.expect(self.client.post_sql(self.QUERY, "text/csv"), 200)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "text/csv")
        self.assertEqual(
            answer.body,
            b"big,small,tenth,yes,none,empty,text,at,day\r\n"
            b"9223372036854775807,-9223372036854775808,0.1,true,,\"\","
            b'"a ""quoted"", text",2026-11-20T09:00:00.000000Z,2026-11-20\r\n',
        )

    def test_ndjson(self):
        answer = self.expect(self.client.post_sql(self.QUERY, "application/x-ndjson"), 200)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/x-ndjson")
        self.assertEqual(
            answer.body,
            b'{"big":9223372036854775807,"small":-9223372036854775808,"tenth":0.1,"yes":true,'
            b'"none":null,"empty":"","text":"a \\"quoted\\", text",'
            b'"at":"2026-11-20T09:00:00.000000Z","day":"2026-11-20"}\n',
        )
        answer = self.expect(
            self.client.post_sql("SELECT 1 AS x WHERE 1 = 2", "application/x-ndjson"), 200
        )
        self.assertEqual(answer.body, b"")

    def test_no_rows(self):
        answer = self.expect(self.client.post_sql("SELECT 1 AS x WHERE 1 = 2"), 200)
        self.assertEqual(answer.json()["rows"], [])
        self.assertEqual(answer.json()["row_count"], 0)
        answer = self.expect(self.client.post_sql("SELECT 1 AS x WHERE 1 = 2", "text/csv"), 200)
        self.assertEqual(answer.body, b"x\r\n")

    def test_accept(self):
        for accept, media in (
            ("*/*", "application/json"),
            ("application/*", "application/json"),
            ("text/csv, application/json;q=0.5", "text/csv"),
            ("application/x-ndjson", "application/x-ndjson"),
        ):
            answer = self.expect(self.client.post_sql("SELECT 1 AS x", accept), 200)
            self.assertEqual(answer.headers["Content-Type"].split(";")[0], media, accept)

    def test_doubles_are_shortest_and_round_trip(self):
        random = plaza.rng("doubles")
        values = [0.1, 1 / 3, 1e15, 1e16, 123456789.125, 1e-4, 1e-5, 5e-324,
                  1.7976931348623157e308, 0.30000000000000004, 100.0, -2.5e-7]
        values += [random.uniform(-1e6, 1e6) for _ in range(100)]
        values += [random.random() * 10 ** random.randint(-300, 300) for _ in range(100)]
        texts = ", ".join("CAST('%r' AS DOUBLE)" % value for value in values)
        answer = self.expect(self.client.post_sql("SELECT " + texts, "application/x-ndjson"), 200)
        # Many columns of one name: read the numbers without a dictionary.
        pairs = json.loads(answer.body, object_pairs_hook=lambda found: found)
        got = [value for _, value in pairs]
        self.assertEqual([float(value) for value in got], values)
        line = self.client.post_sql("SELECT " + texts, "text/csv").text.split("\r\n")[1]
        for text, value in zip(line.split(","), values):
            digits = text.lower().split("e")[0].replace("-", "").replace(".", "").strip("0")
            shortest = repr(value).lower().split("e")[0].replace("-", "").replace(".", "")
            self.assertEqual(digits, shortest.strip("0"), (text, value))

    def test_text_of_any_kind(self):
        text = "tab\t newline\n cr\r quote\" back\\slash é 🌍 <&> \u2028"
        literal = text.replace("'", "''")
        for accept in ("application/json", "application/x-ndjson", "text/csv"):
            answer = self.expect(
                self.client.post_sql("SELECT '%s' AS a, 'x' AS b" % literal, accept), 200
            )
            if accept == "application/json":
                self.assertEqual(answer.json()["rows"], [[text, "x"]])
            elif accept == "application/x-ndjson":
                self.assertEqual(answer.json(), {"a": text, "b": "x"})
            else:
                rows = list(csv.reader(io.StringIO(answer.text, newline="")))
                self.assertEqual(rows, [["a", "b"], [text, "x"]])

    def test_large_results_are_whole(self):
        rows = [{"n": n, "t": "text %d" % n} for n in range(60000)]
        self.client.write_sql("CREATE TABLE large (n BIGINT, t TEXT)")
        self.client.load("large", rows)
        answer = self.expect(self.client.post_sql("SELECT n, t FROM large ORDER BY n"), 200)
        document = answer.json()
        self.assertIs(document["complete"], True)
        self.assertEqual(document["row_count"], 60000)
        self.assertEqual(document["rows"], [[row["n"], row["t"]] for row in rows])
        answer = self.expect(self.client.post_sql("SELECT n, t FROM large", "text/csv"), 200)
        self.assertEqual(answer.body.count(b"\r\n"), 60001)
        answer = self.client.post_sql("SELECT n, t FROM large", "application/x-ndjson")
        found = sorted(json.loads(line)["n"] for line in answer.body.splitlines())
        self.assertEqual(found, list(range(60000)))


class Writes(plaza.Case):
    def expect_write(self, sql, affected):
        answer = self.expect(self.client.post_sql(sql), 200)
        document = answer.json()
        self.assertEqual(document["columns"], [])
        self.assertEqual(document["rows"], [])
        self.assertEqual(document["affected"], affected, answer)
        self.assertRegex(answer.headers["Plaza-Commit"], r"^[1-9][0-9]*$")

    def test_life_of_a_table(self):
        self.expect_write("CREATE TABLE pins (id BIGINT NOT NULL, name TEXT, at TIMESTAMP,"
                          " kind SYMBOL, score DOUBLE PRECISION, ok BOOLEAN, day DATE)", 0)
        self.expect_sql_error("CREATE TABLE pins (id BIGINT)", "42P07")
        self.expect_write("CREATE TABLE IF NOT EXISTS pins (id BIGINT)", 0)
        self.expect_write(
            "INSERT INTO pins VALUES (1, 'one', '2026-01-01T00:00:00Z', 'a', 0.5, TRUE,"
            " '2026-01-02'), (2, NULL, NULL, NULL, NULL, NULL, NULL)", 2)
        self.expect_write("INSERT INTO pins (kind, id) VALUES ('b', 1 + 2)", 1)
        self.assertEqual(
            self.client.sql("SELECT * FROM pins ORDER BY id"),
            [[1, "one", "2026-01-01T00:00:00.000000Z", "a", 0.5, True, "2026-01-02"],
             [2, None, None, None, None, None, None],
             [3, None, None, "b", None, None, None]],
        )
        self.expect_sql_error("INSERT INTO pins (name) VALUES ('no id')", "23502")
        self.assertEqual(self.client.value("SELECT count(*) FROM pins"), 3)
        self.expect_write("DELETE FROM pins WHERE id >= 2", 2)
        self.expect_write("DELETE FROM pins WHERE id >= 2", 0)
        self.assertEqual(self.client.sql("SELECT id FROM pins"), [[1]])
        names = [row[0] for row in self.client.sql("SHOW TABLES")]
        for name in ("messages", "likes", "views", "pins"):
            self.assertIn(name, names)
        self.assertNotIn("message_deletions", names)
        described = self.client.sql("DESCRIBE pins")
        self.assertEqual([row[0] for row in described],
                         ["id", "name", "at", "kind", "score", "ok", "day"])
        self.expect_write("DROP TABLE pins", 0)
        self.expect_sql_error("SELECT * FROM pins", "42P01")
        self.expect_sql_error("DROP TABLE pins", "42P01")
        self.expect_write("DROP TABLE IF EXISTS pins", 0)

    def test_built_in_tables_stay(self):
        for table in ("messages", "likes", "views"):
            self.expect_problem(self.client.post_sql("DROP TABLE " + table), 400)
        self.client.message("ana", "still here")

    def test_history_is_not_deleted(self):
        for table in ("likes", "views"):
            self.expect_problem(self.client.post_sql("DELETE FROM " + table), 400)

    def test_feed_by_insert(self):
        self.expect_write(
            "INSERT INTO messages (message_id, user_id, created_at, body)"
            " VALUES (901, 'sql', '2020-01-01T00:00:00Z', 'posted by SQL')", 1)
        self.assertEqual(
            self.client.get("/v1/messages/901").json(),
            {"message_id": "901", "user_id": "sql", "created_at": "2020-01-01T00:00:00.000000Z",
             "body": "posted by SQL", "likes": 0, "views": 0, "sentiment": None},
        )
        self.expect_problem(self.client.post_sql(
            "INSERT INTO messages (message_id, user_id, body) VALUES (901, 'x', 'again')"), 400)
        self.expect_write("INSERT INTO likes (message_id, user_id, delta)"
                          " VALUES (901, 'a', 1), (901, 'b', 1), (901, 'a', 1), (901, 'c', -1)", 2)
        self.assertEqual(self.client.get("/v1/messages/901").json()["likes"], 2)
        self.assertEqual(
            self.client.value("SELECT sum(delta) FROM likes WHERE message_id = 901"), 2)

    def test_insert_is_atomic(self):
        self.expect_write("CREATE TABLE atomic (id BIGINT NOT NULL)", 0)
        self.expect_problem(
            self.client.post_sql("INSERT INTO atomic VALUES (1), (2), (NULL), (4)"), 400)
        self.assertEqual(self.client.value("SELECT count(*) FROM atomic"), 0)

    def test_read_your_writes(self):
        self.expect_write("CREATE TABLE mine (id BIGINT)", 0)
        for number in range(50):
            self.expect_write("INSERT INTO mine VALUES (%d)" % number, 1)
            self.assertEqual(self.client.value("SELECT count(*) FROM mine"), number + 1)


class Errors(plaza.Case):
    def test_states_and_places(self):
        for sql, code, position in (
            ("SELEC 1", "42601", 1),
            ("SELECT nope FROM views", "42703", 8),
            ("SELECT 1 FROM nope", "42P01", 15),
            ("SELECT devcie FROM views", "42703", 8),
            ("SELECT nope(1)", "42883", 8),
            ("SELECT 1 +", "42601", None),
            ("SELECT 'open", "42601", None),
            ("SELECT 1 / 0", "22012", None),
            ("SELECT 9223372036854775807 + 1", "22003", None),
            ("SELECT CAST('x' AS BIGINT)", "22P02", None),
            ("SELECT TIMESTAMP '2023-02-30'", None, None),
            ("SELECT user_id, count(*) FROM views", "42803", 8),
            ("SELECT * FROM views WHERE device", "42804", None),
            ("SELECT * FROM messages m JOIN likes l ON m.message_id = l.message_id", "0A000", None),
            ("CREATE TABLE k (id BIGINT PRIMARY KEY)", "0A000", None),
            ("SELECT * FROM views LIMIT -1", None, None),
            ("SELECT 1 ORDER BY 2", None, None),
        ):
            with self.subTest(sql):
                document = self.expect_sql_error(sql, code, position)
                self.assertRegex(document["code"], r"^[0-9A-Z]{5}$")

    def test_hints(self):
        document = self.expect_sql_error("SELECT devcie FROM views", "42703")
        self.assertIn("device", document["hint"])
        document = self.expect_sql_error("SELECT * FROM mesages", "42P01")
        self.assertIn("messages", document["hint"])

    def test_place_counts_characters_and_lines(self):
        document = self.expect_sql_error("SELECT 'é🌍',\n       nope\nFROM views", "42703")
        self.assertEqual(document["line"], 2)
        self.assertEqual(document["column"], 8)
        self.assertEqual(document["position"], len("SELECT 'é🌍',\n       ") + 1)

    def test_errors_are_problems_in_every_format(self):
        for accept in ("text/csv", "application/x-ndjson", "application/json"):
            answer = self.client.post_sql("SELECT nope FROM views", accept)
            self.expect_problem(answer, 400, "42703")

    def test_invalid_utf8(self):
        self.expect_problem(self.client.post_sql(b"SELECT '\xff\xfe'"), 400)
        self.expect_problem(self.client.post_sql(b"SELECT '\xed\xa0\x80'"), 400)
        self.expect_problem(self.client.post_sql(b"SELECT \x00 1"), 400)

    def test_depth_and_length(self):
        for sql in ("SELECT " + "(" * 100000 + "1" + ")" * 100000,
                    "SELECT " + "-" * 0 + "NOT " * 50000 + "TRUE",
                    "SELECT " + "+".join(["1"] * 60000),
                    "SELECT * FROM " + "(SELECT * FROM " * 5000 + "views" + ") x" * 5000,
                    "SELECT " + "CASE WHEN TRUE THEN " * 9000 + "1" + " END" * 9000,
                    "SELECT '" + "x" * 400000 + "'"):
            with self.subTest(sql[:30]):
                answer = self.client.post_sql(sql)
                self.assertIn(answer.status, (200, 400, 413), answer)
        self.assertEqual(self.client.sql("SELECT 1"), [[1]])


class Slow(plaza.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.client() as client:
            client.write_sql("CREATE TABLE grains (n BIGINT, t TEXT)")
            rows = b"".join(
                b'{"n":%d,"t":"%s"}\n' % (n, b"a" * 40) for n in range(200000)
            )
            client.load("grains", rows)

    def test_like_is_bounded(self):
        began = time.monotonic()
        self.client.message("ana", "a" * 60000)
        for pattern in ("%a" * 2000 + "%b", "%" * 5000 + "b", "_%" * 3000 + "b",
                        "%a%a%a%a%a%a%a%a%a%a%a%a%a%a%b"):
            answer = self.client.post_sql(
                "SELECT count(*) FROM messages WHERE body LIKE '%s'" % pattern)
            self.assertEqual(self.expect(answer, 200).json()["rows"], [[0]])
        self.assertLess(time.monotonic() - began, 20)

    def test_timeout(self):
        sql = "SELECT count(*) FROM grains WHERE " + " AND ".join(
            "t LIKE '%" + "a%" * length + "'" for length in range(1, 30)
        )
        body = {"sql": sql, "timeout_ms": 1}
        began = time.monotonic()
        answer = self.client.post("/v1/sql", body)
        self.assertLess(time.monotonic() - began, 5)
        if answer.status != 200:  # a fast machine may be done in time
            self.expect_problem(answer, (400, 408, 504), "57014")
        self.assertEqual(self.client.value("SELECT count(*) FROM grains"), 200000)

    def test_a_broken_result_never_ends_well(self):
        sql = "SELECT n, t, 100 / (n - 199999) AS q FROM grains"
        for accept in ("application/json", "application/x-ndjson", "text/csv"):
            with self.subTest(accept):
                try:
                    answer = self.client.post_sql(sql, accept)
                except (http.client.IncompleteRead, ConnectionError):
                    self.client.close()
                    continue  # broken off, as it must be
                self.expect_problem(answer, 400, "22012")

    def test_a_reader_that_leaves(self):
        for _ in range(5):
            with plaza.socket.create_connection(("127.0.0.1", self.server.port)) as sock:
                text = b"SELECT n, t FROM grains ORDER BY t, n DESC"
                sock.sendall(b"POST /v1/sql HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                             b"Content-Type: application/sql\r\nContent-Length: %d\r\n\r\n%s"
                             % (len(text), text))
                sock.recv(10)
        self.assertEqual(self.client.value("SELECT count(*) FROM grains"), 200000)

    def test_explain(self):
        rows = self.client.sql("EXPLAIN SELECT n, count(*) FROM grains GROUP BY n")
        self.assertTrue(rows)
        rows = self.client.sql("EXPLAIN ANALYZE SELECT count(*) FROM grains WHERE n < 5")
        self.assertTrue(rows)


if __name__ == "__main__":
    plaza.main()
