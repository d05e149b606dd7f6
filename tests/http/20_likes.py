#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Likes: once each, taken back, and always equal to what SQL counts."""

import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


class Likes(plaza.Case):
    def path(self, number, user):
        return "/v1/messages/%s/likes/%s" % (number, urllib.parse.quote(user, safe=""))

    def test_first_and_again(self):
        number = self.client.message("ana", "likeable")["message_id"]
        answer = self.expect(self.client.put(self.path(number, "eva")), 201)
        self.expect_compact(answer, [("message_id", number), ("likes", 1)])
        self.assertEqual(answer.headers["Content-Type"].split(";")[0], "application/json")
        first = answer.commit
        answer = self.expect(self.client.put(self.path(number, "eva")), 200)
        self.expect_compact(answer, [("message_id", number), ("likes", 1)])
        self.assertGreaterEqual(answer.commit, first)
        answer = self.expect(self.client.put(self.path(number, "tom")), 201)
        self.expect_compact(answer, [("message_id", number), ("likes", 2)])
        self.assertEqual(self.client.get("/v1/messages/" + number).json()["likes"], 2)

    def test_unlike(self):
        number = self.client.message("ana", "unlikeable")["message_id"]
        answer = self.expect(self.client.delete(self.path(number, "eva")), 204)
        self.assertEqual(answer.body, b"")
        self.assertIn("Plaza-Commit", answer.headers)
        self.expect(self.client.put(self.path(number, "eva")), 201)
        answer = self.expect(self.client.delete(self.path(number, "eva")), 204)
        self.assertGreater(answer.commit, 0)
        self.expect(self.client.delete(self.path(number, "eva")), 204)
        self.assertEqual(self.client.get("/v1/messages/" + number).json()["likes"], 0)
        answer = self.expect(self.client.put(self.path(number, "eva")), 201)
        self.expect_compact(answer, [("message_id", number), ("likes", 1)])
        rows = self.client.sql(
            "SELECT user_id, delta FROM likes WHERE message_id = %s ORDER BY created_at" % number
        )
        self.assertEqual(rows, [["eva", 1], ["eva", -1], ["eva", 1]])

    def test_no_such_message(self):
        for number in ("77777777", "9223372036854775807"):
            self.expect_problem(self.client.put(self.path(number, "eva")), 404)
            self.expect_problem(self.client.delete(self.path(number, "eva")), 404)
        for number in ("abc", "0", "-3", "1e3", "18446744073709551617"):
            self.expect_problem(self.client.put(self.path(number, "eva")), (400, 404))
        self.assertEqual(self.client.value("SELECT count(*) FROM likes WHERE message_id > 77777"), 0)

    def test_names_of_any_kind(self):
        number = self.client.message("ana", "for all")["message_id"]
        names = ["Jürgen", "a b", "x+y", "100%", "you & me", "日本", "q?mark", "hash#tag", "semi;colon",
                 "…", ".hidden", "..more", "a:b@c", "<b>", '"', "'", "u" * 256]
        for index, name in enumerate(names):
            with self.subTest(name[:20]):
                answer = self.expect(self.client.put(self.path(number, name)), 201)
                self.assertEqual(answer.json()["likes"], index + 1)
        rows = self.client.sql("SELECT user_id FROM likes WHERE message_id = " + number)
        self.assertEqual(sorted(row[0] for row in rows), sorted(names))

    def test_plus_is_plus(self):
        number = self.client.message("ana", "plus")["message_id"]
        self.expect(self.client.put("/v1/messages/%s/likes/a+b" % number), 201)
        self.expect(self.client.put("/v1/messages/%s/likes/a%%2Bb" % number), 200)

    def test_bad_names(self):
        number = self.client.message("ana", "not these")["message_id"]
        for name in ("%00", "a%00b", "%0a", "%1f", "%7f", "%c2%85", "%ff", "%c3", "%ed%a0%80", "a%2Fb", "%2e%2e",
                     "%2E", "u" * 257, "%", "%zz", "%4"):
            with self.subTest(name[:20]):
                path = "/v1/messages/%s/likes/%s" % (number, name)
                self.expect_problem(self.client.put(path), (400, 404, 414, 422))
        self.assertEqual(
            self.client.value("SELECT count(*) FROM likes WHERE message_id = " + number), 0
        )

    def test_counters_equal_sql(self):
        random = plaza.rng("likes")
        numbers = [self.client.message("ana", "m%d" % n)["message_id"] for n in range(8)]
        state = set()
        for _ in range(600):
            pair = (random.choice(numbers), "u%d" % random.randint(0, 11))
            if random.random() < 0.6:
                answer = self.client.put(self.path(*pair))
                self.expect(answer, 200 if pair in state else 201)
                state.add(pair)
                count = sum(1 for number, _ in state if number == pair[0])
                self.expect_compact(answer, [("message_id", pair[0]), ("likes", count)])
            else:
                self.expect(self.client.delete(self.path(*pair)), 204)
                state.discard(pair)
        for number in numbers:
            count = sum(1 for pair in state if pair[0] == number)
            self.assertEqual(self.client.get("/v1/messages/" + number).json()["likes"], count)
            self.assertEqual(
                self.client.sql(
                    "SELECT coalesce(sum(delta), 0) FROM likes WHERE message_id = " + number
                ),
                [[count]],
            )


if __name__ == "__main__":
    plaza.main()
