# SPDX-License-Identifier: Apache-2.0
"""Mixed load against a server that may die at any moment, and the ledger of what it promised.

Each worker is one client with one request under way. What was answered is entered as certain;
what was sent and not answered (or answered by a 5xx that leaves it open) is uncertain: it may be
there once, or not at all. `Ledger.verify` holds the server to that after a restart, and then
settles what was uncertain by what it finds.
"""

import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza

COMMIT = re.compile(rb"(?i)\r\nplaza-commit: *(\d+)")
LARGE_ROWS = 66000  # views of one large load: more than one block, so that it becomes segments
WIDE_ROWS = 9000  # views of as many messages in one group: more than the feed takes in one step
MANY = {"L": LARGE_ROWS, "W": WIDE_ROWS}
REFUSED = (429, 503, 507)  # nothing was applied
OPEN = (500, 502, 504)  # may have been applied


class Broken(Exception):
    """The connection broke: the server is gone, or going."""


class Wrong(AssertionError):
    """The server answered what it must not answer."""


class Worker:
    """A client of one kind. Subclasses make requests; this class does the talking."""

    def __init__(self, ledger, index):
        self.ledger = ledger
        self.index = index
        self.random = plaza.rng("worker%d" % index)
        self.client = None
        self.failure = None
        self.requests = 0

    def send(self, method, path, body=b"", content_type="application/json"):
        """(status, body); raises Broken when there is no whole answer."""
        try:
            status, head, answer = self.client.request(method, path, body, content_type)
        except OSError as error:
            raise Broken from error
        self.requests += 1
        if status < 300:
            commit = COMMIT.search(head)
            if commit is None:
                raise Wrong("no Plaza-Commit on %s %s: %r" % (method, path, head))
            self.ledger.saw_commit(int(commit.group(1)))
        elif status in OPEN:
            self.ledger.saw_failure()
        return status, answer

    def run(self, port, stop):
        try:
            self.client = plaza.FastClient(port)
            try:
                while not stop.is_set():
                    self.step()
            finally:
                self.client.close()
        except (Broken, OSError):
            pass
        except BaseException as failure:  # noqa: B902: raised again by Load.join
            self.failure = failure

    def step(self):
        raise NotImplementedError

    def unexpected(self, what, status, answer):
        raise Wrong("%s: %d %r" % (what, status, answer[:500]))


class Poster(Worker):
    """Posts messages, each with a body of its own, and deletes some of its own."""

    def step(self):
        ledger = self.ledger
        mine = ledger.posted.setdefault(self.index, [])
        if len(mine) > 20 and self.random.random() < 0.06:
            return self.remove(mine.pop(self.random.randrange(len(mine))))
        body = "post %d-%d" % (self.index, ledger.serial())
        document = {"user_id": "poster%d" % self.index, "body": body}
        if self.random.random() < 0.3:  # history falls into its place
            document["created_at"] = "20%02d-%02d-%02dT00:00:00.%06dZ" % (
                self.random.randint(10, 25), self.random.randint(1, 12),
                self.random.randint(1, 28), self.random.randint(0, 999999))
        ledger.posts_open.add(body)
        status, answer = self.send("POST", "/v1/messages", json.dumps(document).encode())
        if status == 201:
            found = json.loads(answer)
            ledger.posts[body] = found
            ledger.posts_open.discard(body)
            mine.append(body)
            ledger.likeable.append(int(found["message_id"]))
        elif status in REFUSED:
            ledger.posts_open.discard(body)
        elif status not in OPEN:
            self.unexpected("post", status, answer)
        return None

    def remove(self, body):
        ledger = self.ledger
        number = int(ledger.posts[body]["message_id"])
        ledger.deletes_open.add(body)
        ledger.deleting.add(number)
        status, answer = self.send("DELETE", "/v1/messages/%d" % number)
        if status == 204:
            ledger.deletes_open.discard(body)
            ledger.deleted.add(body)
        elif status in REFUSED:
            ledger.deletes_open.discard(body)
        elif status not in OPEN:
            self.unexpected("delete", status, answer)


class Liker(Worker):
    """Likes and unlikes as users of its own, so that it knows what stands."""

    def step(self):
        ledger = self.ledger
        if not ledger.likeable:
            time.sleep(0.001)
            return
        newest = self.random.random() < 0.8
        numbers = ledger.likeable[-40:] if newest else ledger.likeable
        number = self.random.choice(numbers)
        pair = (number, "liker%d-%d" % (self.index, self.random.randint(0, 4)))
        if pair in ledger.likes_open:
            return
        rows, stands = ledger.likes.get(pair, (0, False))
        wants = not stands if self.random.random() < 0.85 else stands
        ledger.likes_open[pair] = wants
        status, answer = self.send(
            "PUT" if wants else "DELETE", "/v1/messages/%d/likes/%s" % pair)
        if status in OPEN:
            return
        del ledger.likes_open[pair]
        if status == (204 if not wants else 200 if stands else 201):
            ledger.likes[pair] = (rows + (wants != stands), wants)
        elif status == 404 and number in ledger.deleting:
            pass
        elif status not in REFUSED:
            self.unexpected("like %s of %r, %r" % (wants, pair, (rows, stands)), status, answer)


class Viewer(Worker):
    """Views with a watch time that no other has."""

    def step(self):
        ledger = self.ledger
        if not ledger.likeable:
            time.sleep(0.001)
            return
        number = self.random.choice(ledger.likeable)
        watch = ledger.serial()
        body = json.dumps({"user_id": "viewer", "device": "one", "geo": "here",
                           "watch_ms": watch}).encode()
        ledger.views_open[watch] = number
        status, answer = self.send("POST", "/v1/messages/%d/views" % number, body)
        if status in OPEN:
            return
        del ledger.views_open[watch]
        if status == 201:
            ledger.views[watch] = number
        elif status not in REFUSED and not (status == 404 and number in ledger.deleting):
            self.unexpected("view", status, answer)


class Batcher(Worker):
    """Rows in batches: bulk with dead letters, SQL INSERT and DELETE, many views at once."""

    def step(self):
        kind = self.random.random()
        ledger = self.ledger
        if ledger.large_wanted > 0:
            ledger.large_wanted -= 1
            self.many_views("L", ledger.large_body)
        elif kind < 0.02:
            self.many_views("W", ledger.wide_body)
        elif kind < 0.45:
            self.bulk()
        elif kind < 0.75 or not ledger.batches:
            self.insert()
        else:
            self.remove()

    def finish(self, batch, size, letters, status, answer, what):
        ledger = self.ledger
        if status in OPEN:
            return
        del ledger.batches_open[batch]
        if status == 200:
            ledger.batches[batch] = (size, letters)
        elif status not in REFUSED:
            self.unexpected(what, status, answer)

    def bulk(self):
        ledger = self.ledger
        batch = ledger.serial()
        size = self.random.randint(1, 30)
        letters = self.random.choice((0, 0, 1, 3))
        lines = ['{"batch":%d,"row":%d,"at":%d,"kind":"k%d","note":"bulk"}'
                 % (batch, row, 1700000000 + batch, row % 5) for row in range(size)]
        lines += ['{"batch":%d,"row":"bad %d"}' % (batch, row) for row in range(letters)]
        self.random.shuffle(lines)
        ledger.batches_open[batch] = (size, letters)
        status, answer = self.send("POST", "/v1/tables/events/rows?on_error=dead_letter",
                                   "\n".join(lines).encode(), "application/x-ndjson")
        if status == 200:
            document = json.loads(answer)
            if (document["accepted"], document["rejected"]) != (size, letters):
                self.unexpected("bulk of %d and %d" % (size, letters), status, answer)
        self.finish(batch, size, letters, status, answer, "bulk")

    def insert(self):
        ledger = self.ledger
        batch = ledger.serial()
        size = self.random.randint(1, 8)
        values = ", ".join("(%d, %d, '2026-01-01T00:00:00Z', 'sql', NULL)" % (batch, row)
                           for row in range(size))
        ledger.batches_open[batch] = (size, 0)
        status, answer = self.send(
            "POST", "/v1/sql",
            ("INSERT INTO events (batch, row, at, kind, note) VALUES " + values).encode(),
            "application/sql")
        self.finish(batch, size, 0, status, answer, "insert")

    def remove(self):
        ledger = self.ledger
        batch = self.random.choice(list(ledger.batches))
        size, letters = ledger.batches.pop(batch)
        ledger.removals_open[batch] = (size, letters)
        status, answer = self.send(
            "POST", "/v1/sql", b"DELETE FROM events WHERE batch = %d" % batch, "application/sql")
        if status in OPEN:
            return
        del ledger.removals_open[batch]
        if status == 200:
            if json.loads(answer)["affected"] != size:
                self.unexpected("delete of %d" % size, status, answer)
            ledger.removed[batch] = letters
        elif status in REFUSED:
            ledger.batches[batch] = (size, letters)
        else:
            self.unexpected("delete", status, answer)

    def many_views(self, letter, body):
        """Large: a load that becomes segments on the side, over message ids that all exist or not.
        Wide: a group of ids that never exist."""
        ledger = self.ledger
        name = "%s%07d" % (letter, ledger.serial())
        ledger.large_open.add(name)
        status, answer = self.send("POST", "/v1/tables/views/rows",
                                   body.replace(b"LNNNNNNN", name.encode()),
                                   "application/x-ndjson")
        if status in OPEN:
            return
        ledger.large_open.discard(name)
        if status == 200:
            ledger.large.add(name)
        elif status not in REFUSED:
            self.unexpected("many views", status, answer)


WORKERS = (Poster, Poster, Liker, Liker, Viewer, Batcher)


class Ledger:
    """What one data directory must hold."""

    large_body = wide_body = None

    def __init__(self):
        if Ledger.large_body is None:
            Ledger.large_body = b"".join(
                b'{"message_id":%d,"user_id":"m%d","viewed_at":%d,"device":"many",'
                b'"geo":"LNNNNNNN","watch_ms":%d}\n'
                % (row % 60 + 1, row % 501, 1700000000 + row * 7, row)
                for row in range(LARGE_ROWS))
            Ledger.wide_body = b"".join(
                b'{"message_id":%d,"user_id":"w","viewed_at":%d,"device":"many",'
                b'"geo":"LNNNNNNN","watch_ms":%d}\n'
                % (10000000 + row * 7 % WIDE_ROWS, 1700000000 + row, row)
                for row in range(WIDE_ROWS))
        self._serial = 1
        self._lock = threading.Lock()
        self.commit = 0  # the newest that an answer named
        self.failures = 0  # answers that left the outcome open
        self.posts, self.posts_open = {}, set()  # body -> document
        self.posted = {}  # worker -> bodies it may delete
        self.deleted, self.deletes_open = set(), set()  # bodies
        self.deleting = set()  # message ids whose deletion was sent, ever
        self.likeable = []  # message ids
        self.likes, self.likes_open = {}, {}  # (message, user) -> (rows, stands); -> wanted
        self.views, self.views_open = {}, {}  # watch_ms -> message
        self.batches, self.batches_open = {}, {}  # batch -> (rows, dead letters)
        self.removals_open, self.removed = {}, {}  # the same; batch -> dead letters
        self.large, self.large_open = set(), set()  # of many views: names in geo
        self.large_wanted = 0
        self.workers = [kind(self, index) for index, kind in enumerate(WORKERS)]

    def serial(self):
        with self._lock:
            self._serial += 1
            return self._serial

    def saw_commit(self, commit):
        self.commit = max(self.commit, commit)

    def saw_failure(self):
        with self._lock:
            self.failures += 1

    @property
    def requests(self):
        return sum(worker.requests for worker in self.workers)

    @staticmethod
    def prepare(client):
        client.write_sql("CREATE TABLE IF NOT EXISTS events (batch BIGINT NOT NULL, row BIGINT,"
                         " at TIMESTAMP, kind SYMBOL, note TEXT)")

    # -- verification --------------------------------------------------------------------------

    def verify(self, client):
        """Holds the server to the ledger; raises Wrong with all that differs."""
        problems = []
        messages = self._verify_messages(client, problems)
        like_sums = self._verify_likes(client, problems)
        view_counts = self._verify_views(client, problems)
        self._verify_feed(client, messages, like_sums, view_counts, problems)
        self._verify_batches(client, problems)
        answer = client.post_sql("SELECT 1")
        commit = answer.json()["stats"]["commit"]
        if commit < self.commit:
            problems.append("commit %d after %d was answered" % (commit, self.commit))
        if problems:
            raise Wrong("\n".join(problems[:30]))

    def _verify_messages(self, client, problems):
        rows = client.sql("SELECT message_id, user_id, created_at, body FROM messages")
        found = {}
        for row in rows:
            if row[3] in found:
                problems.append("message %r is there twice: %r, %r" % (row[3], found[row[3]], row))
            found[row[3]] = row
        for body, document in list(self.posts.items()):
            row = found.get(body)
            if body in self.deletes_open:
                self.deletes_open.discard(body)
                if row is None:
                    self.deleted.add(body)
                    continue
            if body in self.deleted:
                if row is not None:
                    problems.append("message %r is back after its deletion" % body)
            elif row is None:
                problems.append("acknowledged message %r is lost" % document)
            elif [str(row[0]), row[1], row[2]] != [
                    document["message_id"], document["user_id"], document["created_at"]]:
                problems.append("message %r changed to %r" % (document, row))
        for body in self.posts_open:
            if body in found:  # it was stored, only the answer was lost
                row = found[body]
                self.posts[body] = {"message_id": str(row[0]), "user_id": row[1],
                                    "created_at": row[2], "body": body}
        self.posts_open.clear()
        for body in found.keys() - self.posts.keys():
            problems.append("message %r was never sent" % found[body])
        ids = [row[0] for row in rows]
        if len(ids) != len(set(ids)):
            problems.append("an id was given twice")
        gone = {int(self.posts[body]["message_id"]) for body in self.deleted}
        self.likeable = [number for number in self.likeable if number not in gone]
        return found

    def _verify_likes(self, client, problems):
        sums = {}
        found = {}
        for number, user, rows, total in client.sql(
                "SELECT message_id, user_id, count(*), sum(delta) FROM likes GROUP BY 1, 2"):
            found[number, user] = (rows, total)
            sums[number] = sums.get(number, 0) + total
        for pair in found.keys() | self.likes.keys() | self.likes_open.keys():
            rows, stands = self.likes.get(pair, (0, False))
            got = found.get(pair, (0, 0))
            allowed = {(rows, int(stands)): stands}
            if pair in self.likes_open:
                wanted = self.likes_open[pair]
                allowed[rows + (wanted != stands), int(wanted)] = wanted
            if got not in allowed:
                problems.append("likes of %r: %r, not %r" % (pair, got, list(allowed)))
            else:
                self.likes[pair] = (got[0], allowed[got])
        self.likes_open.clear()
        return sums

    def _verify_views(self, client, problems):
        counts = dict(client.sql("SELECT message_id, count(*) FROM views GROUP BY 1"))
        found = {}
        for watch, number in client.sql(
                "SELECT watch_ms, message_id FROM views WHERE device = 'one'"):
            if watch in found:
                problems.append("view %d is there twice" % watch)
            found[watch] = number
        for watch, number in self.views.items():
            if found.get(watch) != number:
                problems.append("view %d of %d: %r" % (watch, number, found.get(watch)))
        for watch, number in self.views_open.items():
            if watch in found:
                self.views[watch] = number
        self.views_open.clear()
        for watch in found.keys() - self.views.keys():
            problems.append("view %d was never sent" % watch)
        large = dict(client.sql("SELECT geo, count(*) FROM views WHERE device = 'many' GROUP BY 1"))
        for name in self.large:
            if large.get(name) != MANY[name[0]]:
                problems.append("views %s: %r rows" % (name, large.get(name)))
        for name in self.large_open:
            if name in large:
                if large[name] != MANY[name[0]]:
                    problems.append("views %s in part: %r rows" % (name, large[name]))
                self.large.add(name)
        self.large_open.clear()
        for name in large.keys() - self.large:
            problems.append("views %s were never sent" % name)
        return counts

    @staticmethod
    def _verify_feed(client, messages, like_sums, view_counts, problems):
        items = client.walk_feed()
        wanted = sorted(messages.values(), key=lambda row: (row[2], row[0]), reverse=True)
        got = [[int(item["message_id"]), item["user_id"], item["created_at"], item["body"]]
               for item in items]
        if got != wanted:
            problems.append("the feed has %d items and SQL %d, first difference: %r" % (
                len(got), len(wanted),
                next((pair for pair in zip(got, wanted) if pair[0] != pair[1]), "length")))
        for item in items:
            number = int(item["message_id"])
            sql = (like_sums.get(number, 0), view_counts.get(number, 0))
            if (item["likes"], item["views"]) != sql:
                problems.append("message %d: likes, views are %r in the feed and %r in SQL" % (
                    number, (item["likes"], item["views"]), sql))

    def _verify_batches(self, client, problems):
        found = dict(client.sql("SELECT batch, count(*) FROM events GROUP BY 1"))
        distinct = dict(client.sql("SELECT batch, count(DISTINCT row) FROM events GROUP BY 1"))
        letters = {}
        for (raw,) in client.sql("SELECT raw FROM dead_letters WHERE table_name = 'events'"):
            batch = json.loads(raw)["batch"]
            letters[batch] = letters.get(batch, 0) + 1
        for batch, (size, dead) in self.removals_open.items():
            if batch in found:
                self.batches[batch] = (size, dead)
            else:
                self.removed[batch] = dead
        self.removals_open.clear()
        for batch, (size, dead) in self.batches_open.items():
            if batch in found or batch in letters:
                self.batches[batch] = (size, dead)
        self.batches_open.clear()
        for batch, (size, dead) in self.batches.items():
            got = (found.get(batch, 0), distinct.get(batch, 0), letters.get(batch, 0))
            if got != (size, size, dead):
                problems.append("batch %d: rows, distinct, letters are %r, not %r" % (
                    batch, got, (size, size, dead)))
        for batch, dead in self.removed.items():
            got = (found.get(batch, 0), letters.get(batch, 0))
            if got != (0, dead):
                problems.append("deleted batch %d: %r" % (batch, got))
        for batch in (found.keys() | letters.keys()) - self.batches.keys() - self.removed.keys():
            problems.append("batch %d was never sent" % batch)


class Load:
    """The workers of a ledger at work."""

    def __init__(self, ledger, port):
        self.ledger = ledger
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=worker.run, args=(port, self.stop), daemon=True)
            for worker in ledger.workers
        ]
        for thread in self.threads:
            thread.start()

    def is_over(self):
        return not any(thread.is_alive() for thread in self.threads)

    def join(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                raise Wrong("a request hangs")
        for worker in self.ledger.workers:
            if worker.failure is not None:
                raise worker.failure
