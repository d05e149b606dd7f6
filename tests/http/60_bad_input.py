#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whatever comes in, the answer is a clear problem document, nothing is stored, nothing falls."""

import json
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza

JSON = {"Content-Type": "application/json"}


class Messages(plaza.Case):
    def setUp(self):
        super().setUp()
        self.before = self.counts()

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.counts(), self.before, "something was stored")

    def counts(self):
        with self.server.client() as client:
            return [client.value("SELECT count(*) FROM " + table)
                    for table in ("messages", "likes", "views", "dead_letters")]

    def test_malformed_json(self):
        for body in (
            b"", b" ", b"{", b"}", b"{]", b'{"user_id"', b'{"user_id":}', b'{"user_id":"a",}',
            b"{'user_id':'a','body':'b'}", b'{user_id:"a"}', b'{"user_id":"a" "body":"b"}',
            b'{"user_id":"a","body":"b"}{"more":1}', b'{"user_id":"a","body":"b"}]',
            b'{"user_id":"a","body":"b"} x', b'{"user_id":"a","body":"\x01"}',
            b'{"user_id":"a","body":"\\x"}', b'{"user_id":"a","body":"\\u12"}',
            b'{"user_id":"a","body":"\\ud800"}', b'{"user_id":"a","body":"open',
            b'{"user_id":"a","body":nul}', b'{"user_id":"a","body":+1}',
            b'{"user_id":"a","body":01}', b'{"user_id":"a","body":.5}', b"nonsense", b"\x00",
            b'\xef\xbb\xbf{"user_id":"a","body":"b"}', b'{"user_id":"a","user_id":"b","body":"c"}',
            b"[" * 100000, b'{"a":' * 100000, b"[" * 60 + b"1" + b"]" * 70,
        ):
            with self.subTest(body[:40]):
                self.expect_problem(self.client.post("/v1/messages", body, JSON), 400)

    def test_invalid_utf8(self):
        for bad in (b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                    b"\xe2\x82", b"\x80"):
            for template in (b'{"user_id":"a","body":"x%sx"}', b'{"user_id":"x%sx","body":"b"}',
                             b'{"user_id":"a","body":"b","x%sx":1}'):
                with self.subTest(bad):
                    answer = self.client.post("/v1/messages", template % bad, JSON)
                    self.expect_problem(answer, 400)

    def test_not_acceptable(self):
        for document in (
            {}, {"user_id": "a"}, {"body": "b"}, {"user_id": 7, "body": "b"},
            {"user_id": "a", "body": 7}, {"user_id": None, "body": "b"},
            {"user_id": "a", "body": None}, {"user_id": ["a"], "body": "b"},
            {"user_id": {}, "body": "b"}, {"user_id": True, "body": "b"},
            {"user_id": "a", "body": False}, {"user_id": "", "body": "b"},
            {"user_id": "a\u0001", "body": "b"}, {"user_id": "a\nb", "body": "b"},
            {"user_id": "u" * 257, "body": "b"}, {"user_id": "a", "body": "b", "extra": 1},
            {"user_id": "a", "body": "b", "likes": 5},
            {"user_id": "a", "body": "b", "created_at": "soon"},
            {"user_id": "a", "body": "b", "created_at": ""},
            {"user_id": "a", "body": "b", "created_at": "2023-13-01T00:00:00Z"},
            {"user_id": "a", "body": "b", "created_at": "2023-02-29T00:00:00Z"},
            {"user_id": "a", "body": "b", "created_at": "2023-01-01T25:00:00Z"},
            {"user_id": "a", "body": "b", "created_at": []},
            {"user_id": "a", "body": "b", "created_at": 1e300},
            [], [{"user_id": "a", "body": "b"}], "text", 7, None, True,
        ):
            with self.subTest(str(document)[:60]):
                answer = self.client.post("/v1/messages", json.dumps(document).encode(), JSON)
                self.expect_problem(answer, 422)

    def test_messages_name_the_member(self):
        answer = self.client.post("/v1/messages", {"user_id": 7, "body": "b"})
        self.assertIn("user_id", self.expect_problem(answer, 422)["detail"]
                      + json.dumps(answer.json()))
        answer = self.client.post("/v1/messages", {"user_id": "a"})
        self.assertIn("body", answer.body.decode())

    def test_media_types(self):
        body = b'{"user_id":"a","body":"b"}'
        for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                      "application/xml", "application/jsonx", "x"):
            with self.subTest(media):
                answer = self.client.post("/v1/messages", body, {"Content-Type": media})
                self.expect_problem(answer, 415)

    def test_foreign_host_and_origin(self):
        answer = self.client.get("/v1/messages", {"Host": "evil.example"})
        self.expect_problem(answer, (400, 403, 421))
        for origin in ("http://evil.example", "null"):
            answer = self.client.post("/v1/messages", {"user_id": "a", "body": "b"},
                                      {"Origin": origin})
            self.expect_problem(answer, 403)
            answer = self.client.put("/v1/messages/1/likes/a", headers={"Origin": origin})
            self.expect_problem(answer, 403)
            answer = self.client.post("/v1/sql", "SELECT 1",
                                      {"Origin": origin, "Content-Type": "text/plain"})
            self.expect_problem(answer, 403)

    def test_random_bytes(self):
        random = plaza.rng("bytes")
        paths = ("/v1/messages", "/v1/sql", "/v1/tables/views/rows", "/v1/tables/likes/rows",
                 "/v1/messages/1/views")
        medias = ("application/json", "application/x-ndjson", "text/csv", "application/sql")
        for _ in range(300):
            body = random.randbytes(random.randint(0, 300))
            answer = self.client.post(random.choice(paths), body,
                                      {"Content-Type": random.choice(medias)})
            if answer.status == 200:  # an empty load, or a body that is blank
                self.assertEqual(answer.json().get("accepted", 0), 0)
            else:
                self.expect_problem(answer, (400, 404, 415, 422))

    def test_mutated_documents(self):
        random = plaza.rng("mutations")
        seeds = (
            ("/v1/messages", b'{"user_id":"a","body":"b","message_id":"x"}', JSON),
            ("/v1/messages/1/views",
             b'{"user_id":"a","device":"d","geo":"g","watch_ms":"1"}', JSON),
            ("/v1/sql", b"SELECT nope, count(*) FROM views WHERE x = 'a' GROUP BY 1 ORDER BY 2",
             {"Content-Type": "application/sql"}),
            ("/v1/tables/views/rows", b'{"message_id":"x","user_id":"a","watch_ms":1}\n',
             {"Content-Type": "application/x-ndjson"}),
        )
        for _ in range(600):
            path, body, headers = random.choice(seeds)
            body = bytearray(body)
            for _ in range(random.randint(1, 4)):
                place = random.randrange(len(body))
                kind = random.randint(0, 3)
                if kind == 0:
                    body[place] = random.randrange(256)
                elif kind == 1:
                    del body[place]
                elif kind == 2:
                    body[place:place] = random.choice([b'"', b"{", b"}", b"\\", b"0", b"(", b"'"])
                else:
                    body[place:place] = body[place : place + random.randint(1, 10)]
            answer = self.client.post(path, bytes(body), headers)
            self.assertIn(answer.status, (200, 201, 400, 404, 422), answer)
            if answer.status >= 400:
                self.expect_problem(answer, answer.status)
        self.before = self.counts()  # a mutation may make a document that is fine


class Raw(plaza.Case):
    """Requests as bytes: whatever is ambiguous is refused and the connection closed."""

    HEAD = b"Host: 127.0.0.1\r\n"
    BODY = b'{"user_id":"smuggler","body":"x"}'

    def send(self, data, timeout=5.0):
        return plaza.raw(self.server.port, data, timeout)

    def expect_refused(self, data, statuses=(400,)):
        received = self.send(data)
        self.assertFalse(received.endswith(b"<timeout>"), "not closed: %r" % received)
        status = plaza.raw_status(received)
        if received:  # a library may close without a word on what it cannot parse
            self.assertIn(status, statuses, received)
        self.assertNotIn(b"HTTP/1.1 2", received)
        self.assertEqual(
            self.client.value("SELECT count(*) FROM messages WHERE user_id = 'smuggler'"), 0)

    def test_smuggling_shapes(self):
        length = b"Content-Length: %d\r\n" % len(self.BODY)
        post = b"POST /v1/messages HTTP/1.1\r\n" + self.HEAD + b"Content-Type: application/json\r\n"
        inner = post + length + b"\r\n" + self.BODY
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(self.BODY), self.BODY)
        for name, data in (
            ("two lengths", post + length + b"Content-Length: 0\r\n\r\n" + self.BODY + inner),
            ("two equal lengths", post + length + length + b"\r\n" + self.BODY),
            ("list of lengths", post + b"Content-Length: 33, 33\r\n\r\n" + self.BODY),
            ("length and chunks", post + length + b"Transfer-Encoding: chunked\r\n\r\n" + chunk),
            ("chunks and length", post + b"Transfer-Encoding: chunked\r\n" + length + b"\r\n"
             + chunk),
            ("two transfer encodings", post + b"Transfer-Encoding: chunked\r\n"
             b"Transfer-Encoding: identity\r\n\r\n" + chunk),
            ("unknown transfer encoding", post + b"Transfer-Encoding: xchunked\r\n\r\n" + chunk),
            ("gzip, chunked", post + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk),
            ("plus in length", post + b"Content-Length: +33\r\n\r\n" + self.BODY),
            ("minus in length", post + b"Content-Length: -1\r\n\r\n" + self.BODY),
            ("hex length", post + b"Content-Length: 0x21\r\n\r\n" + self.BODY),
            ("huge length", post + b"Content-Length: 99999999999999999999\r\n\r\n" + self.BODY),
            ("two hosts", b"GET /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil\r\n\r\n"),
            ("no host", b"GET /v1/messages HTTP/1.1\r\n\r\n"),
        ):
            with self.subTest(name):
                self.expect_refused(data, (400, 403, 411, 413, 421, 501))

    def test_paths(self):
        for path in (b"/v1/messages/%00", b"/v1/messages/1%00", b"/v1%2Fmessages",
                     b"/v1/messages%2f1", b"/../etc/passwd", b"/v1/../v1/messages",
                     b"/v1/./messages", b"/v1/%2e%2e/v1/messages", b"/v1/messages/..",
                     b"//v1/messages", b"/v1//messages", b"/console/../../LOCK",
                     b"/v1/messages/%", b"/v1/messages/%g0", b"/%c0%ae%c0%ae/"):
            with self.subTest(path):
                received = self.send(
                    b"GET " + path + b" HTTP/1.1\r\n" + self.HEAD + b"Connection: close\r\n\r\n")
                self.assertIn(plaza.raw_status(received), (400, 404), received)
                self.assertIn(b"application/problem+json", received)

    def test_odd_heads(self):
        for data in (
            b"\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 100, b"\xff" * 3000,
            b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + self.HEAD + b": nameless\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + self.HEAD + b"X: a\x00b\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + self.HEAD + b"X" * 40000 + b": 1\r\n\r\n",
            b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n" + self.HEAD + b"\r\n",
            b"GET / HTTP/1.1\r\n" + self.HEAD + b"X: y\r\n" * 5000 + b"\r\n",
            b"BREW /v1/messages HTTP/1.1\r\n" + self.HEAD + b"\r\n",
            b"TRACE / HTTP/1.1\r\n" + self.HEAD + b"\r\n",
            b"CONNECT evil.example:80 HTTP/1.1\r\n" + self.HEAD + b"\r\n",
            b"GET http://evil.example/ HTTP/1.1\r\n" + self.HEAD + b"\r\n",
        ):
            with self.subTest(data[:40]):
                sock = socket.create_connection(("127.0.0.1", self.server.port), timeout=0.6)
                with sock:
                    received = b""
                    try:
                        sock.sendall(data)
                        received = sock.recv(4096)
                    except OSError:
                        pass
                status = plaza.raw_status(received)
                if status is not None:
                    self.assertTrue(status == 200 or 400 <= status < 600, received)
                    # (What follows a NUL in a header's value never leaves the HTTP library.)
                    if b"evil.example/" in data or b"BREW" in data:
                        self.assertNotEqual(status, 200, received)
        self.expect(self.client.get("/livez"), 200)

    def test_bad_chunks(self):
        post = (b"POST /v1/messages HTTP/1.1\r\n" + self.HEAD
                + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for chunks in (b"zz\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n",
                       b"5\r\nabcdefgh\r\n0\r\n\r\n", b"0x5\r\nabcde\r\n0\r\n\r\n"):
            with self.subTest(chunks):
                received = plaza.raw(self.server.port, post + chunks, 1.0)
                status = plaza.raw_status(received)
                self.assertIn(status, (None, 400, 408, 413), received)

    def test_bodies_that_stop(self):
        for data in (
            b"POST /v1/messages HTTP/1.1\r\n" + self.HEAD
            + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
            b"POST /v1/tables/views/rows HTTP/1.1\r\n" + self.HEAD
            + b"Content-Type: application/x-ndjson\r\nContent-Length: 5000\r\n\r\n"
            + b'{"message_id":1,"user_id":"smuggler"}\n' * 20,
            b"POST /v1/tables/views/rows HTTP/1.1\r\n" + self.HEAD
            + b"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b'26\r\n{"message_id":1,"user_id":"smuggler"}\n\r\n',
        ):
            for linger in (False, True):
                sock = socket.create_connection(("127.0.0.1", self.server.port))
                sock.sendall(data)
                if linger:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    plaza.struct_linger(True, 0))
                sock.close()
        plaza.time.sleep(0.3)
        for table in ("messages", "views"):
            self.assertEqual(self.client.value(
                "SELECT count(*) FROM %s WHERE user_id = 'smuggler'" % table), 0)

    def test_pipelining_is_in_order(self):
        one = b"GET /v1/messages/%d HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n"
        ids = [int(self.client.message("pipe", "p%d" % n)["message_id"]) for n in range(5)]
        data = b"".join(one % (number, b"") for number in ids[:-1])
        data += one % (ids[-1], b"Connection: close\r\n")
        received = self.send(data)
        places = [received.find(b'"message_id":"%d"' % number) for number in ids]
        self.assertNotIn(-1, places, received)
        self.assertEqual(places, sorted(places))


if __name__ == "__main__":
    plaza.main()
