#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Messages: posting, reading, deleting, and the feed with its cursors."""

import datetime
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


class Post(plaza.Case):
    def test_answer_byte_for_byte(self):
        answer = self.client.post(
            "/v1/messages",
            {"user_id": "ana", "body": "hello", "created_at": "2026-11-20T09:00:00Z"},
        )
        self.expect(answer, 201)
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/json")
        document = answer.json()
        self.assertRegex(document["message_id"], r"^[1-9][0-9]*$")
        self.assertEqual(answer.headers["Location"], "/v1/messages/" + document["message_id"])
        self.assertRegex(answer.headers["Plaza-Commit"], r"^[1-9][0-9]*$")
        self.expect_compact(
            answer,
            [
                ("message_id", document["message_id"]),
                ("user_id", "ana"),
                ("created_at", "2026-11-20T09:00:00.000000Z"),
                ("body", "hello"),
                ("likes", 0),
                ("views", 0),
                ("sentiment", None),
            ],
        )
        again = self.expect(self.client.get(answer.headers["Location"]), 200)
        self.assertEqual(again.body, answer.body)

    def test_time_defaults_to_now(self):
        document = self.client.message("ana", "now")
        self.assertRegex(document["created_at"], plaza.TIMESTAMP)
        at = datetime.datetime.strptime(document["created_at"], "%Y-%m-%dT%H:%M:%S.%fZ")
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.assertLess(abs((now - at).total_seconds()), 30)

    def test_every_form_of_time(self):
        noon = "2023-01-01T12:00:00.000000Z"
        for given, stored in (
            ("2023-01-01T12:00:00Z", noon),
            ("2023-01-01T12:00:00.000Z", noon),
            ("2023-01-01 12:00:00", noon),
            ("2023-01-01T14:00:00+02:00", noon),
            ("2023-01-01T14:00:00+0200", noon),
            ("2023-01-01T07:30:00-04:30", noon),
            ("2023-01-01T12:00", noon),
            ("2022-11-20 09:12:31.797926", "2022-11-20T09:12:31.797926Z"),
            ("2022-11-20 09:12:31.5", "2022-11-20T09:12:31.500000Z"),
            ("Wed Oct 10 20:19:24 +0000 2018", "2018-10-10T20:19:24.000000Z"),
            ("Sun, 01 Jan 2023 12:00:00 +0000", noon),
            (1672574400, noon),
            (1672574400000, noon),
            (1672574400000000, noon),
            (1672574400.25, "2023-01-01T12:00:00.250000Z"),
            ("1950-02-28T23:59:59.999999Z", "1950-02-28T23:59:59.999999Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"),
        ):
            with self.subTest(given):
                document = self.client.message("ana", "timed", created_at=given)
                self.assertEqual(document["created_at"], stored)

    def test_body_is_text_of_any_kind(self):
        for body in ("ünïcode ✓", "emoji 🌍🏳️‍🌈", 'quotes " and \\ and /', "line\nbreak\ttab",
                     "\u0001\u001f", "<script>alert(1)</script>", "'; DROP TABLE messages; --",
                     "x" * 20000, "\u2028\u2029", "\U0010ffff", " leading and trailing "):
            with self.subTest(body[:20]):
                document = self.client.message("ana", body)
                self.assertEqual(document["body"], body)
                path = "/v1/messages/" + document["message_id"]
                self.assertEqual(self.client.get(path).json()["body"], body)
                rows = self.client.sql(
                    "SELECT body FROM messages WHERE message_id = " + document["message_id"]
                )
                self.assertEqual(rows, [[body]])

    def test_escapes_are_decoded(self):
        answer = self.client.post(
            "/v1/messages",
            rb'{"user_id":"\u0061na","body":"\ud83c\udf0d \u00e9 \/ \b"}',
            {"Content-Type": "application/json"},
        )
        self.expect(answer, 201)
        self.assertEqual(answer.json()["user_id"], "ana")
        self.assertEqual(answer.json()["body"], "\U0001f30d \u00e9 / \b")

    def test_media_type_may_have_parameters(self):
        for media in ("application/json; charset=utf-8", "Application/JSON"):
            answer = self.client.post(
                "/v1/messages", b'{"user_id":"ana","body":"x"}', {"Content-Type": media}
            )
            self.expect(answer, 201)

    def test_commits_rise(self):
        last = 0
        for number in range(5):
            answer = self.client.post("/v1/messages", {"user_id": "ana", "body": str(number)})
            self.assertGreater(answer.commit, last)
            last = answer.commit


class Identity(plaza.Case):
    def test_given_ids(self):
        first = self.client.message("ana", "given as text", message_id="5000")
        self.assertEqual(first["message_id"], "5000")
        second = self.client.message("ana", "given as a number", message_id=5005)
        self.assertEqual(second["message_id"], "5005")
        third = self.client.message("ana", "a generated one follows the largest")
        self.assertEqual(third["message_id"], "5006")
        between = self.client.message("ana", "a hole may be filled", message_id="5002")
        self.assertEqual(between["message_id"], "5002")
        fourth = self.client.message("ana", "and the largest still counts")
        self.assertEqual(fourth["message_id"], "5007")

    def test_an_id_in_use_is_refused(self):
        mine = self.client.message("ana", "mine")["message_id"]
        answer = self.client.post(
            "/v1/messages", {"user_id": "eva", "body": "theirs", "message_id": mine}
        )
        self.expect_problem(answer, (409, 422))
        self.assertEqual(self.client.get("/v1/messages/" + mine).json()["user_id"], "ana")
        count = self.client.value("SELECT count(*) FROM messages WHERE message_id = " + mine)
        self.assertEqual(count, 1)

    def test_ids_that_are_none(self):
        before = self.client.value("SELECT count(*) FROM messages")
        for bad in (0, -1, "0", "-5", "abc", "", "1.5", 1.5, "9223372036854775808", True, [], {},
                    "1 ", "0x10", "１"):
            with self.subTest(bad):
                answer = self.client.post(
                    "/v1/messages", {"user_id": "ana", "body": "no", "message_id": bad}
                )
                self.expect_problem(answer, 422)
        self.assertEqual(self.client.value("SELECT count(*) FROM messages"), before)

    def test_paths_with_no_id(self):
        for bad in ("abc", "-1", "1x", "0", "9223372036854775808", "99999999999999999999999"):
            with self.subTest(bad):
                self.expect_problem(self.client.get("/v1/messages/" + bad), (400, 404))
                self.expect_problem(self.client.delete("/v1/messages/" + bad), (400, 404))
        self.expect_problem(self.client.get("/v1/messages/9223372036854775807"), 404)


class Delete(plaza.Case):
    def test_delete(self):
        document = self.client.message("ana", "to go")
        number = document["message_id"]
        path = "/v1/messages/" + number
        self.expect(self.client.put(path + "/likes/eva"), 201)
        self.expect(
            self.client.post(
                path + "/views",
                {"user_id": "eva", "device": "mobile", "geo": "Madrid", "watch_ms": 10},
            ),
            201,
        )
        answer = self.expect(self.client.delete(path), 204)
        self.assertEqual(answer.body, b"")
        self.assertGreater(answer.commit, 0)
        self.expect_problem(self.client.get(path), 404)
        self.expect_problem(self.client.delete(path), 404)
        self.expect_problem(self.client.put(path + "/likes/tom"), 404)
        self.expect_problem(self.client.delete(path + "/likes/eva"), 404)
        self.assertNotIn(number, [item["message_id"] for item in self.client.walk_feed()])
        where = " WHERE message_id = " + number
        self.assertEqual(self.client.value("SELECT count(*) FROM messages" + where), 0)
        self.assertEqual(self.client.value("SELECT count(*) FROM likes" + where), 1)
        self.assertEqual(self.client.value("SELECT count(*) FROM views" + where), 1)

    def test_delete_of_none(self):
        self.expect_problem(self.client.delete("/v1/messages/123456789"), 404)

    def test_delete_by_sql_is_the_same(self):
        number = self.client.message("ana", "gone by SQL")["message_id"]
        affected = self.client.write_sql("DELETE FROM messages WHERE message_id = " + number)
        self.assertEqual(affected, 1)
        self.expect_problem(self.client.get("/v1/messages/" + number), 404)
        self.assertNotIn(number, [item["message_id"] for item in self.client.walk_feed()])


class Feed(plaza.Case):
    serve_arguments = ("--seal-rows", "100")

    def test_empty(self):
        server = plaza.Server()
        with server:
            with server.client() as client:
                answer = self.expect(client.get("/v1/messages"), 200)
                self.assertEqual(answer.body.rstrip(b"\n"), b'{"items":[],"next":null}')

    def test_order_limit_and_cursor(self):
        server = plaza.Server("--seal-rows", "100")
        with server:
            self.client.move(server.port)
            self.order_limit_and_cursor(plaza.rng("feed"))

    def order_limit_and_cursor(self, random):
        known = {}
        users = ["ana", "eva", "tom"]
        for number in range(260):
            # Few distinct times, so that the id decides among equals.
            at = "2021-03-%02dT0%d:00:00Z" % (random.randint(1, 9), random.randint(0, 3))
            document = self.client.message(random.choice(users), "f%d" % number, created_at=at)
            known[document["message_id"]] = document
        wanted = sorted(
            known.values(), key=lambda d: (d["created_at"], int(d["message_id"])), reverse=True
        )
        for limit in (1, 7, 20, 99, 100):
            self.assertEqual(self.client.walk_feed(limit=limit), wanted, "limit %d" % limit)
        for user in users:
            self.assertEqual(
                self.client.walk_feed(user=user, limit=9),
                [document for document in wanted if document["user_id"] == user],
            )
        page = self.client.get("/v1/messages").json()
        self.assertEqual(len(page["items"]), 20)
        self.assertEqual(list(page), ["items", "next"])
        page = self.client.get("/v1/messages?limit=100000").json()
        self.assertEqual(len(page["items"]), 100)

    def test_link_header(self):
        for number in range(3):
            self.client.message("ana", "l%d" % number)
        answer = self.client.get("/v1/messages?limit=2")
        self.assertRegex(answer.headers["Link"], r'^<.*>; *rel="?next"?$')
        target = re.match(r"<(.*)>", answer.headers["Link"]).group(1)
        self.assertIn(answer.json()["next"], target)
        self.assertNotIn("://", target)
        target = urllib.parse.urljoin("/v1/messages", target)
        self.assertEqual(len(self.expect(self.client.get(target), 200).json()["items"]), 2)

    def test_nobody(self):
        answer = self.expect(self.client.get("/v1/messages?user_id=nobody-here"), 200)
        self.assertEqual(answer.json(), {"items": [], "next": None})

    def test_bad_parameters(self):
        for query in ("limit=abc", "limit=1.5", "limit=0", "limit=-1", "cursor=garbage", "cursor=AAAA",
                      "cursor=%F0%9F%8C%8D", "cursor=" + "A" * 2000, "user_id=%ff"):
            with self.subTest(query):
                self.expect_problem(self.client.get("/v1/messages?" + query), 400)

    def test_altered_cursors(self):
        for number in range(5):
            self.client.message("ana", "c%d" % number)
        cursor = self.client.get("/v1/messages?limit=2").json()["next"]
        for place in range(len(cursor)):
            wrong = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
            answer = self.client.get("/v1/messages?limit=2&cursor=" + wrong)
            self.expect_problem(answer, 400)
        for wrong in (cursor[:-1], cursor + "A", cursor[1:]):
            self.expect_problem(self.client.get("/v1/messages?cursor=" + wrong), 400)

    def test_stable_while_posting(self):
        user = "walker"
        for number in range(60):
            self.client.message(user, "w%d" % number)
        before = [item["message_id"] for item in self.client.walk_feed(user=user)]
        seen = []
        cursor = ""
        while cursor is not None:
            page = self.client.get(
                "/v1/messages?limit=7&user_id=" + user + ("&cursor=" + cursor if cursor else "")
            ).json()
            seen += [item["message_id"] for item in page["items"]]
            cursor = page["next"]
            for _ in range(5):
                self.client.message(user, "newer")
            self.client.delete("/v1/messages/" + before[len(seen) // 2])  # seen already
        self.assertEqual(seen, before)

    def test_deleting_the_cursors_message(self):
        user = "lost"
        for number in range(12):
            self.client.message(user, "d%d" % number)
        ids = [item["message_id"] for item in self.client.walk_feed(user=user)]
        page = self.client.get("/v1/messages?limit=5&user_id=" + user).json()
        self.expect(self.client.delete("/v1/messages/" + ids[4]), 204)
        rest = self.client.get(
            "/v1/messages?limit=50&user_id=%s&cursor=%s" % (user, page["next"])
        ).json()
        self.assertEqual([item["message_id"] for item in rest["items"]], ids[5:])


class LongBodies(plaza.Case):
    def test_pages_are_bounded(self):
        # Imports may bring longer bodies than the feed takes; a page must not gather them all.
        for number in range(12):
            body = b"%02d" % number + b"y" * (3 << 20)
            self.expect(self.client.bulk(
                "messages", b'{"user_id":"big","body":"%s"}\n' % body), 200)
        answer = self.expect(self.client.get("/v1/messages?limit=100"), 200)
        self.assertEqual(len(answer.json()["items"]), 3)
        self.assertIsNotNone(answer.json()["next"])
        for path in ({}, {"user": "big"}):
            bodies = [item["body"][:2] for item in self.client.walk_feed(**path)]
            self.assertEqual(bodies, ["%02d" % number for number in reversed(range(12))])


if __name__ == "__main__":
    plaza.main()
