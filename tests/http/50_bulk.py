#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bulk loading: formats, encodings, rejected rows, dead letters, and the feed's rules."""

import gzip
import http.server
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza

JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
MEMBERS = ["accepted", "rejected", "errors", "commit"]


class Formats(plaza.Case):
    def setUp(self):
        super().setUp()
        self.client.write_sql("DROP TABLE IF EXISTS t")
        self.client.write_sql("CREATE TABLE t (id BIGINT NOT NULL, name TEXT, at TIMESTAMP,"
                              " kind SYMBOL, x DOUBLE, ok BOOLEAN, day DATE)")

    def rows(self):
        return self.client.sql("SELECT * FROM t ORDER BY id")

    WANTED = [
        [1, "one", "2023-01-01T12:00:00.000000Z", "a", 1.5, True, "2023-01-01"],
        [2, "", None, "b", -0.25, False, None],
        [3, "ü \"q\", \n", "2023-01-01T12:00:00.500000Z", None, None, None, "1969-12-31"],
    ]
    NDJSON = (
        b'{"id":1,"name":"one","at":"2023-01-01T12:00:00Z","kind":"a","x":1.5,"ok":true,'
        b'"day":"2023-01-01"}\n'
        b'{"kind":"b","x":-0.25,"ok":false,"id":2,"name":"","at":null}\n'
        b'{"id":"3","name":"\\u00fc \\"q\\", \\n","at":1672574400.5,"day":"1969-12-31"}\n'
    )
    CSV_TEXT = (
        'id,name,at,kind,x,ok,day\r\n'
        "1,one,2023-01-01T12:00:00Z,a,1.5,true,2023-01-01\r\n"
        '2,"",,b,-0.25,false,\r\n'
        '3,"ü ""q"", \n",1672574400.5,,,,1969-12-31\r\n'
    ).encode()

    def test_ndjson(self):
        answer = self.expect(self.client.bulk("t", self.NDJSON), 200)
        document = answer.json()
        for member in MEMBERS:
            self.assertIn(member, document)
        self.assertEqual((document["accepted"], document["rejected"], document["errors"]),
                         (3, 0, []))
        self.assertEqual(str(document["commit"]), answer.headers["Plaza-Commit"])
        self.assertEqual(self.rows(), self.WANTED)

    def test_ndjson_line_ends(self):
        body = self.NDJSON.replace(b"}\n", b"}\r\n").rstrip(b"\r\n")
        self.expect(self.client.bulk("t", b"\n" + body + b"\n\n  \n"), 200)
        self.assertEqual(self.rows(), self.WANTED)

    def test_csv(self):
        answer = self.expect(self.client.bulk("t", self.CSV_TEXT, headers=CSV), 200)
        self.assertEqual(answer.json()["accepted"], 3)
        self.assertEqual(self.rows(), self.WANTED)

    def test_csv_without_carriage_returns(self):
        body = self.CSV_TEXT.replace(b"\r\n", b"\n").rstrip(b"\n")
        self.expect(self.client.bulk("t", body, headers=CSV), 200)
        self.assertEqual(self.rows(), self.WANTED)

    def test_json_array(self):
        rows = [json.loads(line) for line in self.NDJSON.splitlines()]
        answer = self.expect(self.client.bulk("t", json.dumps(rows, indent=1).encode(),
                                              headers=JSON), 200)
        self.assertEqual(answer.json()["accepted"], 3)
        self.assertEqual(self.rows(), self.WANTED)

    def test_nothing_to_load(self):
        for body, headers in ((b"", None), (b"[]", JSON), (b"id,name\n", CSV), (b"\n\n", None)):
            answer = self.expect(self.client.bulk("t", body, headers=headers), 200)
            self.assertEqual(answer.json()["accepted"], 0)
        self.assertEqual(self.rows(), [])

    def test_encodings(self):
        for encoding, body in (
            ("gzip", gzip.compress(self.NDJSON)),
            ("gzip", gzip.compress(self.NDJSON[:40]) + gzip.compress(self.NDJSON[40:])),
            ("zstd", plaza.zstd(self.NDJSON)),
            ("identity", self.NDJSON),
        ):
            with self.subTest(encoding):
                self.client.write_sql("DELETE FROM t")
                answer = self.client.bulk("t", body, headers={"Content-Encoding": encoding})
                self.expect(answer, 200)
                self.assertEqual(self.rows(), self.WANTED)
        answer = self.client.bulk("t", self.NDJSON, headers={"Content-Encoding": "br"})
        self.expect_problem(answer, 415)

    def test_chunked_bodies(self):
        # http.client sends an iterable without a length in chunks.
        pieces = [self.NDJSON[n : n + 7] for n in range(0, len(self.NDJSON), 7)]
        self.client.connection.request(
            "POST", "/v1/tables/t/rows", body=iter(pieces),
            headers={"Content-Type": "application/x-ndjson"}, encode_chunked=True,
        )
        response = self.client.connection.getresponse()
        self.assertEqual(response.status, 200, response.read())
        response.read()
        self.assertEqual(self.rows(), self.WANTED)

    def test_media_types(self):
        for media in ("image/png", "application/x-www-form-urlencoded"):
            answer = self.client.bulk("t", self.NDJSON, headers={"Content-Type": media})
            self.expect_problem(answer, 415)
        self.assertEqual(self.rows(), [])

    def test_no_such_table(self):
        self.expect_problem(self.client.bulk("nothing", self.NDJSON), 404)

    def test_bad_parameters(self):
        for query in ("on_error=whatever", "ignore_unknown=2", "ignore_unknown=", "source=%ff",
                      "lines_before=-1", "lines_before=x", "map=name"):
            with self.subTest(query):
                self.expect_problem(self.client.bulk("t", self.NDJSON, "?" + query), 400)
        self.assertEqual(self.rows(), [])
        for query in ("ignore_unknown=0", "ignore_unknown=false"):
            answer = self.client.bulk("t", b'{"id":1,"nme":"x"}', "?" + query)
            self.assertIn("nme", self.expect_problem(answer, 400)["detail"])

    def test_unknown_columns(self):
        body = b'{"id":1,"nme":"x"}\n'
        document = self.expect_problem(self.client.bulk("t", body), 400)
        self.assertEqual(document["accepted"], 0)
        self.assertEqual(document["rejected"], 1)
        self.assertEqual(document["errors"][0]["line"], 1)
        self.assertIn("nme", document["errors"][0]["message"])
        self.expect(self.client.bulk("t", body, "?ignore_unknown=1"), 200)
        self.assertEqual(self.client.sql("SELECT id, name FROM t"), [[1, None]])

    def test_map(self):
        body = b'{"number":1,"label":"x"}\n'
        self.expect(self.client.bulk("t", body, "?map=id=number,name=label"), 200)
        self.expect(self.client.bulk("t", body, "?map=id%3Dnumber%2Cname%3Dlabel"), 200)
        self.assertEqual(self.client.sql("SELECT id, name FROM t"), [[1, "x"]] * 2)


class Rejects(plaza.Case):
    def setUp(self):
        super().setUp()
        self.client.write_sql("DROP TABLE IF EXISTS t")
        self.client.write_sql("CREATE TABLE t (id BIGINT NOT NULL, x DOUBLE, at TIMESTAMP)")

    BAD = [
        (b'{"id":"x"}', "id"),
        (b'{"id":1.5}', "id"),
        (b'{"id":9223372036854775808}', "id"),
        (b'{"id":true}', "id"),
        (b'{"id":null}', "id"),
        (b'{"x":1}', "id"),
        (b'{"id":1,"x":"a"}', "x"),
        (b'{"id":1,"x":1e999}', "x"),
        (b'{"id":1,"at":"soon"}', "at"),
        (b'{"id":1,"at":"2023-02-30T00:00:00Z"}', "at"),
        (b'{"id":1,"at":[]}', "at"),
        (b'{"id":1', None),
        (b'{"id":1}}', None),
        (b'{"id":1,}', None),
        (b"{'id':1}", None),
        (b'{"id":01}', None),
        (b'{"id":1,"id":2}', None),
        (b"[1]", None),
        (b"7", None),
        (b"nonsense", None),
        (b'{"id":1,"x":NaN}', None),
        (b'{"id":1,"\xff":2}', None),
    ]

    def test_abort_stores_nothing(self):
        for bad, column in self.BAD:
            with self.subTest(bad):
                body = b'{"id":10}\n' + bad + b'\n{"id":11}\n'
                answer = self.client.bulk("t", body)
                document = self.expect_problem(answer, 400)
                self.assertEqual((document["accepted"], document["rejected"]), (0, 1), answer)
                error = document["errors"][0]
                self.assertEqual(sorted(error), ["column", "line", "message", "snippet"])
                self.assertEqual(error["line"], 2)
                if column:
                    self.assertEqual(error["column"], column, error)
                self.assertTrue(error["message"])
                self.assertLessEqual(len(error["snippet"].encode()), 80)
        self.assertEqual(self.client.value("SELECT count(*) FROM t"), 0)

    def test_abort_is_said_too(self):
        answer = self.client.bulk("t", b'{"id":"x"}\n', "?on_error=abort")
        self.expect_problem(answer, 400)

    def test_all_errors_up_to_a_hundred(self):
        body = b"".join(b'{"id":%d}\n{"id":"bad"}\n' % n for n in range(150))
        document = self.expect_problem(self.client.bulk("t", body), 400)
        self.assertEqual((document["accepted"], document["rejected"]), (0, 150))
        self.assertEqual([error["line"] for error in document["errors"]],
                         list(range(2, 202, 2)))
        self.assertEqual(self.client.value("SELECT count(*) FROM t"), 0)

    def test_dead_letters(self):
        before = self.client.value("SELECT count(*) FROM dead_letters")
        bad = [line for line, _ in self.BAD]
        body = b'{"id":100}\n' + b"\n".join(bad) + b'\n{"id":101}\n'
        answer = self.expect(self.client.bulk("t", body, "?on_error=dead_letter"), 200)
        document = answer.json()
        self.assertEqual((document["accepted"], document["rejected"]), (2, len(bad)))
        self.assertEqual([error["line"] for error in document["errors"]],
                         list(range(2, 2 + len(bad))))
        self.assertEqual(self.client.sql("SELECT id FROM t ORDER BY id"), [[100], [101]])
        rows = self.client.sql(
            "SELECT position, table_name, raw, reason FROM dead_letters"
            " WHERE table_name = 't' ORDER BY received_at DESC, position LIMIT %d" % len(bad))
        self.assertEqual(
            self.client.value("SELECT count(*) FROM dead_letters"), before + len(bad))
        self.assertEqual([row[0] for row in rows], list(range(2, 2 + len(bad))))
        for row, line in zip(rows, bad):
            if b"\xff" in line:
                self.assertTrue(row[2].startswith("base64:"), row)
            else:
                self.assertEqual(row[2].encode(), line)
            self.assertTrue(row[3])

    def test_csv_lines(self):
        body = b'id,x\n1,2\n"2\n",3\nbad,4\n5,6\n7,8,9\n'
        document = self.expect_problem(self.client.bulk("t", body, headers=CSV), 400)
        self.assertIn(5, [error["line"] for error in document["errors"]])
        self.assertEqual(self.client.value("SELECT count(*) FROM t"), 0)

    def test_csv_headers(self):
        for body in (b"id,nope\n1,2\n", b"id,id\n1,2\n", b'id,"x\n1,2\n'):
            with self.subTest(body):
                self.expect_problem(self.client.bulk("t", body, headers=CSV), 400)

    def test_broken_arrays(self):
        for body in (b'[{"id":1}', b'[{"id":1},]', b'[{"id":1} {"id":2}]', b'{"id":1},{"id":2}',
                     b'[{"id":1}] x', b"[1,2]", b"["):
            with self.subTest(body):
                document = self.expect_problem(self.client.bulk("t", body, headers=JSON), 400)
                self.assertEqual(document["accepted"], 0)
        self.assertEqual(self.client.value("SELECT count(*) FROM t"), 0)

    def test_broken_compression(self):
        packed = gzip.compress(b'{"id":1}\n' * 5000)
        for encoding, body in (
            ("gzip", packed[:-9]), ("gzip", packed[: len(packed) // 2]), ("gzip", packed[:5]),
            ("gzip", packed[:-4] + b"\0\0\0\0"), ("gzip", b"not gzip at all"),
            ("gzip", packed + b"trailing"),
            ("zstd", plaza.zstd(b'{"id":1}\n' * 5000)[:-3]), ("zstd", b"not zstd"),
        ):
            for mode in ("", "?on_error=dead_letter"):
                with self.subTest(encoding + mode):
                    answer = self.client.bulk(
                        "t", body, mode, {"Content-Encoding": encoding})
                    self.expect_problem(answer, 400)
        self.assertEqual(self.client.value("SELECT count(*) FROM t"), 0)


class Rules(plaza.Case):
    def counters(self, number):
        document = self.client.get("/v1/messages/%s" % number).json()
        return document["likes"], document["views"]

    def test_likes_obey_the_feed(self):
        number = int(self.client.message("ana", "bulk likes")["message_id"])
        rows = [
            {"message_id": number, "user_id": "a", "delta": 1},
            {"message_id": number, "user_id": "a", "delta": 1},
            {"message_id": number, "user_id": "b"},
            {"message_id": number, "user_id": "c", "delta": -1},
            {"message_id": str(number), "user_id": "a", "delta": -1},
            {"message_id": number, "user_id": "d", "delta": 1,
             "created_at": "2020-01-01T00:00:00Z"},
        ]
        document = self.client.load("likes", rows)
        self.assertEqual(
            (document["accepted"], document["ignored"], document["rejected"]), (4, 2, 0))
        self.assertEqual(self.counters(number), (2, 0))
        self.assertEqual(
            self.client.sql("SELECT count(*), sum(delta) FROM likes WHERE message_id = %d"
                            % number), [[4, 2]])
        document = self.client.load("likes", rows[2:3])
        self.assertEqual((document["accepted"], document["ignored"]), (0, 1))
        self.expect(self.client.put("/v1/messages/%d/likes/b" % number), 200)
        self.expect(self.client.put("/v1/messages/%d/likes/a" % number), 201)

    def test_bad_deltas(self):
        for delta in (0, 2, -2, 100):
            answer = self.client.bulk(
                "likes", [{"message_id": 1, "user_id": "a", "delta": delta}])
            document = self.expect_problem(answer, 400)
            self.assertEqual((document["accepted"], document["rejected"]), (0, 1))

    def test_bad_deltas_are_told_with_the_other_errors(self):
        body = (b'{"message_id":1,"user_id":"a","delta":2}\n{"message_id":1,"user_id":"a"}\n'
                b'{"message_id":0,"user_id":"a"}\n')
        document = self.expect_problem(self.client.bulk("likes", body), 400)
        self.assertEqual(document["rejected"], 2)
        self.assertEqual([(e["line"], e["column"]) for e in document["errors"]],
                         [(1, "delta"), (3, "message_id")])
        self.assertEqual(document["errors"][0]["snippet"], body.split(b"\n")[0].decode())

    def test_counters_before_the_message(self):
        number = 600001
        self.client.load("likes", [{"message_id": number, "user_id": "u%d" % n}
                                   for n in range(5)])
        self.client.load("views", [{"message_id": number, "user_id": "u%d" % n, "device": "other",
                                    "geo": "Lugo", "watch_ms": n} for n in range(7)])
        self.expect_problem(self.client.get("/v1/messages/%d" % number), 404)
        self.client.load("messages", [{"message_id": number, "user_id": "late", "body": "here"}])
        self.assertEqual(self.counters(number), (5, 7))
        self.expect(self.client.put("/v1/messages/%d/likes/u0" % number), 200)

    def test_messages(self):
        rows = [{"message_id": 700000 + n, "user_id": "imp", "body": "i%d" % n,
                 "created_at": "2010-01-01T00:00:%02dZ" % n} for n in range(10)]
        document = self.client.load("messages", rows)
        self.assertEqual(document["accepted"], 10)
        after = self.client.message("ana", "the next one")
        self.assertGreater(int(after["message_id"]), 700009)
        feed = self.client.walk_feed(user="imp")
        self.assertEqual([item["body"] for item in feed], ["i%d" % n for n in range(9, -1, -1)])
        for bad in ({"message_id": 700000}, {"message_id": 0}, {"message_id": -5},
                    {"message_id": "abc"}, {"user_id": None}, {"body": None}):
            with self.subTest(bad):
                row = {"message_id": 799999, "user_id": "imp", "body": "x", **bad}
                document = self.expect_problem(self.client.bulk("messages", [row]), 400)
                self.assertEqual((document["accepted"], document["rejected"]), (0, 1))
                self.assertEqual(document["errors"][0]["line"], 1)
        # Without an id, the next ones are given out.
        document = self.client.load(
            "messages", [{"user_id": "noid", "body": "a"}, {"user_id": "noid", "body": "b"}])
        self.assertEqual(document["accepted"], 2)
        ids = [int(item["message_id"]) for item in self.client.walk_feed(user="noid")]
        self.assertEqual(len(set(ids)), 2)
        self.assertGreater(min(ids), int(after["message_id"]))

    def test_an_id_twice_in_one_load(self):
        rows = [{"message_id": 810000, "user_id": "twice", "body": "first"},
                {"message_id": 810000, "user_id": "twice", "body": "second"}]
        document = self.expect_problem(self.client.bulk("messages", rows), 400)
        self.assertEqual((document["accepted"], document["rejected"]), (0, 1))
        self.assertEqual(document["errors"][0]["line"], 2)
        self.assertIn('"message_id":810000', document["errors"][0]["snippet"])
        self.assertEqual(self.client.walk_feed(user="twice"), [])
        answer = self.expect(self.client.bulk("messages", rows, "?on_error=dead_letter"), 200)
        self.assertEqual((answer.json()["accepted"], answer.json()["rejected"]), (1, 1))
        self.assertEqual([item["body"] for item in self.client.walk_feed(user="twice")],
                         ["first"])

    def test_a_large_load_of_views(self):
        number = int(self.client.message("ana", "popular")["message_id"])
        line = (b'{"message_id":%d,"user_id":"u%%d","viewed_at":"2026-01-%%02dT00:00:00Z",'
                b'"device":"mobile","geo":"Madrid","watch_ms":%%d}\n' % number)
        body = b"".join(line % (n % 97, n % 28 + 1, n) for n in range(80000))
        answer = self.client.bulk("views", gzip.compress(body, 1),
                                  headers={"Content-Encoding": "gzip"})
        self.expect(answer, 200)
        self.assertEqual(answer.json()["accepted"], 80000)
        self.assertEqual(self.counters(number), (0, 80000))
        self.assertEqual(
            self.client.sql("SELECT count(*), sum(watch_ms), count(DISTINCT user_id) FROM views"
                            " WHERE message_id = %d" % number),
            [[80000, 80000 * 79999 // 2, 97]])
        self.client.move(self.server.restart().port)
        self.assertEqual(self.counters(number), (0, 80000))

    def test_a_large_load_with_one_bad_row(self):
        number = int(self.client.message("ana", "unpopular")["message_id"])
        good = b'{"message_id":%d,"user_id":"u","watch_ms":1}\n' % number
        body = good * 70000 + b'{"message_id":"x"}\n' + good * 100
        document = self.expect_problem(self.client.bulk("views", body), 400)
        self.assertEqual((document["accepted"], document["rejected"]), (0, 1))
        self.assertEqual(document["errors"][0]["line"], 70001)
        self.assertEqual(self.counters(number), (0, 0))
        answer = self.expect(self.client.bulk("views", body, "?on_error=dead_letter"), 200)
        self.assertEqual((answer.json()["accepted"], answer.json()["rejected"]), (70100, 1))
        self.assertEqual(self.counters(number), (0, 70100))


class Proxies(unittest.TestCase):
    """What `plaza import` says when somebody in between answers."""

    def import_through(self, status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                done = plaza.run_plaza("import", "--table", "t", "--url",
                                       "http://127.0.0.1:%d" % server.server_port, "-",
                                       data=b'{"id":1}\n')
            finally:
                server.shutdown()
                thread.join()
        return done.returncode, done.stderr.decode()

    def test_a_lost_answer_is_not_a_refusal(self):
        for status in (500, 502, 504, 520):
            with self.subTest(status):
                code, said = self.import_through(status)
                self.assertEqual(code, 74, said)
                self.assertIn("not known whether", said)

    def test_a_foreign_yes_is_not_an_answer(self):
        code, said = self.import_through(200)
        self.assertEqual(code, 70, said)
        self.assertIn("not known whether", said)

    def test_a_refusal_is_one(self):
        for status, wanted in ((400, 65), (404, 1), (413, 65), (507, 74)):
            with self.subTest(status):
                code, said = self.import_through(status)
                self.assertEqual(code, wanted, said)
                self.assertIn("Nothing was stored", said)


if __name__ == "__main__":
    plaza.main()
