#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many clients at once: nothing counted twice, snapshots whole, writers and readers apart."""

import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


def together(count, work):
    """Runs work(index) on so many threads; passes the first failure on."""
    failures = []

    def run(index):
        try:
            work(index)
        except BaseException as failure:  # noqa: B902: passed on below
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


class Together(plaza.Case):
    serve_arguments = ("--seal-rows", "300")

    def test_one_like_each(self):
        """Several clients put the same likes at once: one of them is first, each time."""
        number = self.client.message("ana", "contested")["message_id"]
        firsts = []

        def like(index):
            client = plaza.FastClient(self.server.port)
            for user in range(80):
                status, _, body = client.request(
                    "PUT", "/v1/messages/%s/likes/u%d" % (number, user))
                self.assertIn(status, (200, 201), body)
                if status == 201:
                    firsts.append(user)
            client.close()

        together(8, like)
        self.assertEqual(sorted(firsts), list(range(80)))
        self.assertEqual(self.client.get("/v1/messages/" + number).json()["likes"], 80)
        self.assertEqual(
            self.client.sql("SELECT count(*), sum(delta) FROM likes WHERE message_id = " + number),
            [[80, 80]])

    def test_toggles_end_equal(self):
        numbers = [self.client.message("ana", "t%d" % n)["message_id"] for n in range(5)]

        def toggle(index):
            random = plaza.rng("toggle%d" % index)
            client = plaza.FastClient(self.server.port)
            for _ in range(250):
                method = random.choice(("PUT", "PUT", "DELETE"))
                path = "/v1/messages/%s/likes/u%d" % (random.choice(numbers), random.randint(0, 9))
                status, _, body = client.request(method, path)
                self.assertIn(status, (200, 201, 204), body)
            client.close()

        together(6, toggle)
        sums = dict(self.client.sql("SELECT message_id, sum(delta) FROM likes GROUP BY 1"))
        for number in numbers:
            likes = self.client.get("/v1/messages/" + number).json()["likes"]
            self.assertEqual(likes, sums.get(int(number), 0))
        self.assertEqual(
            self.client.value("SELECT count(*) FROM (SELECT message_id, user_id, sum(delta) AS s"
                              " FROM likes GROUP BY 1, 2 HAVING sum(delta) < 0"
                              " OR sum(delta) > 1) bad"), 0)

    def test_ids_are_given_once(self):
        given = []

        def post(index):
            client = plaza.FastClient(self.server.port)
            for number in range(100):
                body = json.dumps({"user_id": "p%d" % index, "body": str(number)}).encode()
                status, _, answer = client.request("POST", "/v1/messages", body)
                self.assertEqual(status, 201, answer)
                given.append(int(json.loads(answer)["message_id"]))
            client.close()

        together(6, post)
        self.assertEqual(len(set(given)), 600)

    def test_snapshots_are_whole(self):
        """Loads of rows that sum to zero: every query sees all of a load or none."""
        self.client.write_sql("CREATE TABLE ledger (at TIMESTAMP, who SYMBOL, amount BIGINT)")
        until = time.monotonic() + 4
        seen = []

        def write(index):
            random = plaza.rng("ledger%d" % index)
            with self.server.client() as client:
                while time.monotonic() < until:
                    amounts = [random.randint(-1000, 1000) for _ in range(random.randint(1, 40))]
                    amounts.append(-sum(amounts))
                    client.load("ledger", [
                        {"at": 1700000000 + random.randint(0, 10**6), "who": "w%d" % index,
                         "amount": amount} for amount in amounts])

        def read(index):
            with self.server.client() as client:
                last = 0
                while time.monotonic() < until:
                    rows = client.sql("SELECT count(*), coalesce(sum(amount), 0) FROM ledger")
                    self.assertEqual(rows[0][1], 0)
                    self.assertGreaterEqual(rows[0][0], last)
                    last = rows[0][0]
                    whose = client.sql("SELECT who, sum(amount), count(*) FROM ledger GROUP BY who")
                    self.assertEqual([row for row in whose if row[1] != 0], [])
                    seen.append(last)

        together(5, lambda index: write(index) if index < 2 else read(index))
        self.assertGreater(len(seen), 20)
        self.assertGreater(seen[-1], 0)

    def test_read_your_writes(self):
        def work(index):
            with self.server.client() as client:
                for number in range(40):
                    document = client.message("r%d" % index, "r")
                    path = "/v1/messages/" + document["message_id"]
                    self.assertEqual(client.get(path).json(), document)
                    feed = client.get("/v1/messages?limit=1&user_id=r%d" % index).json()["items"]
                    self.assertEqual(feed, [document])
                    self.assertEqual(client.put(path + "/likes/x").json()["likes"], 1)
                    self.assertEqual(client.get(path).json()["likes"], 1)
                    self.assertEqual(client.value(
                        "SELECT count(*) FROM messages WHERE user_id = 'r%d'" % index), number + 1)
                    self.assertEqual(client.value(
                        "SELECT sum(delta) FROM likes WHERE message_id = "
                        + document["message_id"]), 1)

        together(4, work)

    def test_feed_walks_during_writes(self):
        """A walk meets every message that stood before it, once, newest first."""
        base = [self.client.message("walk", "b%d" % n)["message_id"] for n in range(150)]
        stop = threading.Event()

        def post():
            client = plaza.FastClient(self.server.port)
            while not stop.is_set():
                status, _, body = client.request(
                    "POST", "/v1/messages", b'{"user_id":"walk","body":"n"}')
                self.assertEqual(status, 201, body)
            client.close()

        writer = threading.Thread(target=post)
        writer.start()
        try:
            for _ in range(5):
                items = self.client.walk_feed(user="walk", limit=50)
                keys = [(item["created_at"], int(item["message_id"])) for item in items]
                self.assertEqual(keys, sorted(keys, reverse=True))
                ids = [item["message_id"] for item in items]
                self.assertEqual(len(ids), len(set(ids)))
                self.assertTrue(set(base) <= set(ids))
        finally:
            stop.set()
            writer.join()

    def test_requests_that_wait_do_not_stick(self):
        """Thousands of suspended and quick requests side by side, all answered."""
        number = self.client.message("ana", "mixed")["message_id"]

        def work(index):
            client = plaza.FastClient(self.server.port, timeout=30)
            for step in range(300):
                kind = (index + step) % 4
                if kind == 0:
                    status, _, _ = client.request("PUT", "/v1/messages/%s/likes/m%d-%d" % (
                        number, index, step))
                elif kind == 1:
                    status, _, _ = client.request("GET", "/v1/messages/" + number)
                elif kind == 2:
                    status, _, _ = client.request("GET", "/livez")
                else:
                    status, _, _ = client.request(
                        "POST", "/v1/sql", b"SELECT count(*) FROM likes WHERE message_id = "
                        + number.encode(), "application/sql")
                self.assertIn(status, (200, 201, 503))
            client.close()

        together(10, work)


if __name__ == "__main__":
    plaza.main()
