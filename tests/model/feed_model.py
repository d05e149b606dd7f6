#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random operations against the server and against a naive model in memory; they must agree.

One client does one thing at a time, so that every answer has exactly one right value: status,
body, order of the feed, counters, SQL. Now and then the server is restarted or killed.
"""

import argparse
import bisect
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


class Model:
    """The feed as a few dictionaries."""

    def __init__(self):
        self.messages = {}  # id -> document without counters
        self.used = set()  # every id ever stored
        self.order = []  # (created_at, id), ascending
        self.likes = {}  # id -> users
        self.like_rows = []  # (id, user, delta)
        self.views = {}  # id -> count
        self.view_rows = []  # (id, user, device, watch_ms)

    def next_id(self):
        return max(self.used, default=0) + 1

    def post(self, number, user, created_at, body):
        self.used.add(number)
        self.messages[number] = {"message_id": str(number), "user_id": user,
                                 "created_at": created_at, "body": body}
        bisect.insort(self.order, (created_at, number))

    def delete(self, number):
        document = self.messages.pop(number)
        self.order.remove((document["created_at"], number))

    def document(self, number):
        return {**self.messages[number], "likes": len(self.likes.get(number, ())),
                "views": self.views.get(number, 0), "sentiment": None}

    def page(self, before, user, limit):
        """(documents, next key): what follows `before`, newest first."""
        keys = [key for key in reversed(self.order)
                if (before is None or key < before)
                and (user is None or self.messages[key[1]]["user_id"] == user)]
        items = [self.document(key[1]) for key in keys[:limit]]
        return items, (keys[limit - 1] if len(keys) > limit else None)

    def like(self, number, user, delta):
        """Whether it changed anything."""
        users = self.likes.setdefault(number, set())
        if (user in users) == (delta > 0):
            return False
        (users.add if delta > 0 else users.remove)(user)
        self.like_rows.append((number, user, delta))
        return True

    def view(self, number, user, device, watch):
        self.views[number] = self.views.get(number, 0) + 1
        self.view_rows.append((number, user, device, watch))


class Run:
    """The model and the server side by side."""

    USERS = ["ana", "eva", "tom", "Jürgen", "a b", "x/y".replace("/", "-"), "日本", "u7"]

    def __init__(self, server, random):
        self.server = server
        self.random = random
        self.model = Model()
        self.client = server.client()
        self.walks = []  # cursor walks under way: [before key, cursor, user, limit]
        self.step_number = 0

    def check(self, is_true, what):
        if not is_true:
            raise AssertionError("step %d: %s" % (self.step_number, what))

    def expect(self, answer, status, document=None):
        self.check(answer.status == status, "%r is not %d" % (answer, status))
        if document is not None:
            self.check(answer.json() == document, "%r is not %r" % (answer.json(), document))

    def some_id(self):
        model = self.model
        if model.order and self.random.random() < 0.9:
            if self.random.random() < 0.5:
                return model.order[-self.random.randint(1, min(20, len(model.order)))][1]
            return self.random.choice(model.order)[1]
        return self.random.choice(list(model.used) + [10**9 + self.random.randint(1, 9)])

    def some_time(self):
        return "2024-%02d-%02dT%02d:00:00.%06dZ" % (
            self.random.randint(1, 3), self.random.randint(1, 28), self.random.randint(0, 2),
            self.random.choice((0, 0, 1, 999999)))

    # -- operations ----------------------------------------------------------------------------

    def post(self):
        user = self.random.choice(self.USERS)
        body = "body %d" % self.step_number
        request = {"user_id": user, "body": body}
        if self.random.random() < 0.6:
            request["created_at"] = self.some_time()
        number = self.model.next_id()
        kind = self.random.random()
        if kind < 0.1:
            number += self.random.randint(0, 30)
            request["message_id"] = self.random.choice((number, str(number)))
        elif kind < 0.15 and self.model.messages:
            request["message_id"] = self.random.choice(list(self.model.messages))
            answer = self.client.post("/v1/messages", request)
            self.check(answer.status in (409, 422), repr(answer))
            return
        answer = self.client.post("/v1/messages", request)
        self.expect(answer, 201)
        found = answer.json()
        self.check(found["message_id"] == str(number), "%r: not the id %d" % (found, number))
        if "created_at" in request:
            self.check(found["created_at"] == request["created_at"], repr(found))
        self.model.post(number, user, found["created_at"], body)
        self.check(found == self.model.document(number), repr(found))

    def load(self):
        rows = []
        number = self.model.next_id()
        for index in range(self.random.randint(1, 30)):
            row = {"user_id": self.random.choice(self.USERS), "created_at": self.some_time(),
                   "body": "load %d-%d" % (self.step_number, index)}
            rows.append((number + index, row))
        answer = self.client.bulk("messages", [row for _, row in rows])
        self.expect(answer, 200)
        self.check(answer.json()["accepted"] == len(rows), repr(answer))
        for number, row in rows:
            self.model.post(number, row["user_id"], row["created_at"], row["body"])

    def delete(self):
        number = self.some_id()
        answer = self.client.delete("/v1/messages/%d" % number)
        if number in self.model.messages:
            self.expect(answer, 204)
            self.model.delete(number)
        else:
            self.expect(answer, 404)

    def read(self):
        number = self.some_id()
        answer = self.client.get("/v1/messages/%d" % number)
        if number in self.model.messages:
            self.expect(answer, 200, self.model.document(number))
        else:
            self.expect(answer, 404)

    def like(self):
        number, user = self.some_id(), self.random.choice(self.USERS)
        path = "/v1/messages/%d/likes/%s" % (number, urllib.parse.quote(user, safe=""))
        if self.random.random() < 0.65:
            answer = self.client.put(path)
            if number not in self.model.messages:
                self.expect(answer, 404)
                return
            status = 201 if self.model.like(number, user, 1) else 200
            likes = len(self.model.likes[number])
            self.expect(answer, status, {"message_id": str(number), "likes": likes})
        else:
            answer = self.client.delete(path)
            if number not in self.model.messages:
                self.expect(answer, 404)
                return
            self.expect(answer, 204)
            self.model.like(number, user, -1)

    def load_likes(self):
        """In bulk, also for messages that are gone or not there yet."""
        rows, changed = [], 0
        for _ in range(self.random.randint(1, 40)):
            number = self.some_id()
            user, delta = self.random.choice(self.USERS), self.random.choice((1, 1, -1))
            rows.append({"message_id": number, "user_id": user, "delta": delta})
            changed += self.model.like(number, user, delta)
        answer = self.client.bulk("likes", rows)
        self.expect(answer, 200)
        found = answer.json()
        self.check((found["accepted"], found["ignored"]) == (changed, len(rows) - changed),
                   "%r, not %d of %d" % (found, changed, len(rows)))

    def view(self):
        number = self.some_id()
        row = (number, self.random.choice(self.USERS), self.random.choice(("mobile", "desktop")),
               self.random.randint(0, 10**6))
        answer = self.client.post("/v1/messages/%d/views" % number, {
            "user_id": row[1], "device": row[2], "geo": "Lugo", "watch_ms": row[3]})
        if number in self.model.messages:
            self.expect(answer, 201)
            self.model.view(*row)
        else:
            self.expect(answer, 404)

    def load_views(self):
        rows = []
        for _ in range(self.random.randint(1, 60)):
            row = (self.some_id(), self.random.choice(self.USERS), "other",
                   self.random.randint(0, 10**6))
            rows.append({"message_id": row[0], "user_id": row[1], "device": row[2],
                         "geo": None, "watch_ms": row[3]})
            self.model.view(*row)
        self.expect(self.client.bulk("views", rows), 200)

    def begin_walk(self):
        user = self.random.choice([None, None, *self.USERS])
        self.walks.append([None, None, user, self.random.randint(1, 25)])

    def walk(self):
        """One page further on one of the walks, with writes in between."""
        if not self.walks:
            self.begin_walk()
        index = self.random.randrange(len(self.walks))
        before, cursor, user, limit = self.walks[index]
        path = "/v1/messages?limit=%d" % limit
        if user is not None:
            path += "&user_id=" + urllib.parse.quote(user)
        if cursor is not None:
            path += "&cursor=" + cursor
        items, key = self.model.page(before, user, limit)
        answer = self.client.get(path)
        self.expect(answer, 200)
        found = answer.json()
        self.check(found["items"] == items, "page after %r of %r: %r is not %r" % (
            before, user, found["items"], items))
        self.check((found["next"] is None) == (key is None), "next is %r" % found["next"])
        if key is None:
            del self.walks[index]
        else:
            self.walks[index] = [key, found["next"], user, limit]

    def questions(self):
        model = self.model
        sums, views = {}, {}
        for number, _, delta in model.like_rows:
            sums[number] = sums.get(number, 0) + delta
        for number, _, _, watch in model.view_rows:
            count, total = views.get(number, (0, 0))
            views[number] = (count + 1, total + watch)
        for sql, wanted in (
            ("SELECT message_id, user_id, created_at, body FROM messages ORDER BY 1",
             [[number, document["user_id"], document["created_at"], document["body"]]
              for number, document in sorted(model.messages.items())]),
            ("SELECT message_id, sum(delta) FROM likes GROUP BY 1 ORDER BY 1",
             [list(pair) for pair in sorted(sums.items())]),
            ("SELECT message_id, user_id, delta, count(*) FROM likes GROUP BY 1, 2, 3"
             " ORDER BY 1, 2, 3",
             [[*row, model.like_rows.count(row)] for row in sorted(
                 set(model.like_rows), key=lambda row: (row[0], row[1].encode(), row[2]))]),
            ("SELECT message_id, count(*), sum(watch_ms) FROM views GROUP BY 1 ORDER BY 1",
             [[number, *pair] for number, pair in sorted(views.items())]),
        ):
            found = self.client.sql(sql)
            self.check(found == wanted, "%s: %r is not %r" % (sql, found, wanted))
        feed = self.client.walk_feed(limit=100)
        wanted = [model.document(key[1]) for key in reversed(model.order)]
        self.check(feed == wanted, "the feed differs")

    def restart(self):
        self.client.close()
        if self.random.random() < 0.5:
            self.server.kill()
            self.server.start()
        else:
            self.server.restart()
        self.client = self.server.client()

    OPERATIONS = ((post, 20), (load, 1), (delete, 4), (read, 12), (like, 25), (load_likes, 2),
                  (view, 12), (load_views, 2), (begin_walk, 2), (walk, 12), (questions, 0.6),
                  (restart, 0.25))

    def step(self):
        self.step_number += 1
        names = [operation for operation, _ in self.OPERATIONS]
        weights = [weight for _, weight in self.OPERATIONS]
        self.random.choices(names, weights)[0](self)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=4000)
    options, _ = plaza.arguments(parser)
    for seal_rows in ("50", "100000"):
        server = plaza.Server("--seal-rows", seal_rows)
        with server:
            run = Run(server, plaza.rng("model" + seal_rows))
            for _ in range(options.steps // 2):
                run.step()
            run.questions()
            run.restart()
            run.questions()
        print("seal-rows %s: %d steps, %d messages, %d like rows, %d view rows" % (
            seal_rows, run.step_number, len(run.model.messages), len(run.model.like_rows),
            len(run.model.view_rows)), flush=True)


if __name__ == "__main__":
    main()
