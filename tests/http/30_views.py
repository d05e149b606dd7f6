#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Views: each one counts, with who, where, on what and for how long."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza

VIEW = {"user_id": "eva", "device": "mobile", "geo": "A Coruña", "watch_ms": 1500}


class Views(plaza.Case):
    def test_view(self):
        number = self.client.message("ana", "watch this")["message_id"]
        path = "/v1/messages/%s/views" % number
        answer = self.expect(
            self.client.post(path, {**VIEW, "viewed_at": "2022-11-20 09:12:31.797926"}), 201
        )
        self.assertGreater(answer.commit, 0)
        self.expect(self.client.post(path, VIEW), 201)
        self.expect(self.client.post(path, {**VIEW, "watch_ms": 0, "device": "desktop"}), 201)
        self.assertEqual(self.client.get("/v1/messages/" + number).json()["views"], 3)
        rows = self.client.sql(
            "SELECT user_id, viewed_at, device, geo, watch_ms FROM views WHERE message_id = %s"
            " ORDER BY viewed_at LIMIT 1" % number
        )
        self.assertEqual(
            rows, [["eva", "2022-11-20T09:12:31.797926Z", "mobile", "A Coruña", 1500]]
        )
        rows = self.client.sql(
            "SELECT device, count(*), sum(watch_ms) FROM views WHERE message_id = %s"
            " GROUP BY 1 ORDER BY 1" % number
        )
        self.assertEqual(rows, [["desktop", 1, 0], ["mobile", 2, 3000]])

    def test_time_defaults_to_now(self):
        number = self.client.message("ana", "now")["message_id"]
        self.expect(self.client.post("/v1/messages/%s/views" % number, VIEW), 201)
        rows = self.client.sql(
            "SELECT v FROM (SELECT viewed_at >= now() - INTERVAL '60 seconds'"
            " AND viewed_at <= now() + INTERVAL '60 seconds' AS v"
            " FROM views WHERE message_id = %s) s" % number
        )
        self.assertEqual(rows, [[True]])

    def test_no_such_message(self):
        before = self.client.value("SELECT count(*) FROM views")
        self.expect_problem(self.client.post("/v1/messages/888888/views", VIEW), 404)
        self.expect_problem(self.client.post("/v1/messages/abc/views", VIEW), (400, 404))
        self.assertEqual(self.client.value("SELECT count(*) FROM views"), before)

    def test_not_acceptable(self):
        number = self.client.message("ana", "strict")["message_id"]
        path = "/v1/messages/%s/views" % number
        for bad in (
            {name: value for name, value in VIEW.items() if name != "user_id"},
            {name: value for name, value in VIEW.items() if name != "device"},
            {name: value for name, value in VIEW.items() if name != "geo"},
            {name: value for name, value in VIEW.items() if name != "watch_ms"},
            {**VIEW, "watch_ms": "long"},
            {**VIEW, "watch_ms": 1.5},
            {**VIEW, "watch_ms": 9223372036854775808},
            {**VIEW, "watch_ms": None},
            {**VIEW, "device": 7},
            {**VIEW, "user_id": ""},
            {**VIEW, "user_id": None},
            {**VIEW, "viewed_at": "yesterday"},
            {**VIEW, "viewed_at": "2023-02-30T00:00:00Z"},
            {**VIEW, "viewed_at": True},
            {**VIEW, "extra": 1},
            [],
            [VIEW],
            "text",
        ):
            with self.subTest(str(bad)[:60]):
                body = plaza.json.dumps(bad)
                answer = self.client.post(path, body, {"Content-Type": "application/json"})
                self.expect_problem(answer, 422)
        self.assertEqual(self.client.get("/v1/messages/" + number).json()["views"], 0)

    def test_counters_equal_sql(self):
        random = plaza.rng("views")
        numbers = [self.client.message("ana", "m%d" % n)["message_id"] for n in range(6)]
        watched = dict.fromkeys(numbers, 0)
        times = dict.fromkeys(numbers, 0)
        for _ in range(300):
            number = random.choice(numbers)
            watch = random.randint(0, 300000)
            view = {**VIEW, "watch_ms": watch, "device": random.choice(["mobile", "other"])}
            self.expect(self.client.post("/v1/messages/%s/views" % number, view), 201)
            watched[number] += watch
            times[number] += 1
        for number in numbers:
            self.assertEqual(self.client.get("/v1/messages/" + number).json()["views"],
                             times[number])
            if times[number]:
                self.assertEqual(
                    self.client.sql(
                        "SELECT count(*), sum(watch_ms) FROM views WHERE message_id = " + number
                    ),
                    [[times[number], watched[number]]],
                )


if __name__ == "__main__":
    plaza.main()
