#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The questions people ask of a feed, answered by plaza and by SQLite over the same rows.

Real messages are imported, simulated likes and views follow. The answers must be equal right
after the import, after more writes by every way in, after a restart, and after a kill.
"""

import datetime
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza

SAMPLES = (
    os.environ.get("PLAZA_TEST_SAMPLE", ""),
    os.path.join(plaza.ROOT, "tests", "data", "messages.ndjson.zst"),
)
MAP = "user_id=user,body=text,message_id=id"

# Each has a total order, so that rows compare one by one.
QUESTIONS = """
-- messages per day
SELECT CAST(created_at AS DATE) AS day, count(*) AS n FROM messages GROUP BY 1 ORDER BY 1;
-- messages per user
SELECT user_id, count(*) AS n FROM messages GROUP BY user_id ORDER BY n DESC, user_id;
-- messages per day and user
SELECT CAST(created_at AS DATE) AS day, user_id, count(*) AS n FROM messages GROUP BY 1, 2 ORDER BY 1, 2;
-- messages per day and user, in short
SELECT count(*) AS g, max(n) AS top, sum(n) AS total FROM (SELECT CAST(created_at AS DATE) AS day, user_id, count(*) AS n FROM messages GROUP BY 1, 2) s;
-- likes per message
SELECT message_id, sum(delta) AS likes, count(*) AS n FROM likes GROUP BY message_id ORDER BY likes DESC, message_id;
-- likes per day
SELECT CAST(created_at AS DATE) AS day, sum(delta) AS likes, count(*) AS n FROM likes GROUP BY 1 ORDER BY 1;
-- likes per user
SELECT user_id, sum(delta) AS likes FROM likes GROUP BY user_id ORDER BY likes DESC, user_id LIMIT 100;
-- likes per day and user
SELECT CAST(created_at AS DATE) AS day, user_id, sum(delta) AS likes FROM likes GROUP BY 1, 2 ORDER BY 1, 2;
-- views and watch time per day
SELECT CAST(viewed_at AS DATE) AS day, count(*) AS n, sum(watch_ms) AS watched, min(watch_ms) AS least, max(watch_ms) AS most FROM views GROUP BY 1 ORDER BY 1;
-- views and watch time per user
SELECT user_id, count(*) AS n, sum(watch_ms) AS watched, avg(watch_ms) AS mean FROM views GROUP BY user_id ORDER BY n DESC, user_id LIMIT 100;
-- views and watch time per message
SELECT message_id, count(*) AS n, sum(watch_ms) AS watched, avg(watch_ms) AS mean FROM views GROUP BY message_id ORDER BY watched DESC, message_id;
-- views and watch time per device
SELECT device, count(*) AS n, sum(watch_ms) AS watched, avg(watch_ms) AS mean FROM views GROUP BY device ORDER BY device NULLS LAST;
-- views per day and user, in short
SELECT count(*) AS g, max(n) AS top, sum(n) AS total FROM (SELECT CAST(viewed_at AS DATE) AS day, user_id, count(*) AS n FROM views GROUP BY 1, 2) s;
-- watch time per user and day
SELECT CAST(viewed_at AS DATE) AS day, user_id, sum(watch_ms) AS watched FROM views GROUP BY 1, 2 ORDER BY watched DESC, day, user_id LIMIT 200;
-- views by device, province and hour
SELECT device, geo, extract(hour FROM viewed_at) AS hour, count(*) AS n FROM views GROUP BY 1, 2, 3 ORDER BY 1 NULLS LAST, 2 NULLS LAST, 3;
-- viewers per day
SELECT CAST(viewed_at AS DATE) AS day, count(DISTINCT user_id) AS n FROM views GROUP BY 1 ORDER BY 1;
-- viewers per message
SELECT message_id, count(DISTINCT user_id) AS n FROM views GROUP BY 1 ORDER BY n DESC, message_id LIMIT 50;
-- messages per month
SELECT date_trunc('month', created_at) AS month, count(*) AS n, count(DISTINCT user_id) AS users FROM messages GROUP BY 1 ORDER BY 1;
-- views per week
SELECT date_trunc('week', viewed_at) AS week, count(*) AS n, sum(watch_ms) AS watched FROM views GROUP BY 1 ORDER BY 1;
-- messages per year and weekday
SELECT extract(year FROM created_at) AS year, extract(dow FROM created_at) AS dow, count(*) AS n FROM messages GROUP BY 1, 2 ORDER BY 1, 2;
-- one user, one day
SELECT count(*) AS n, coalesce(sum(watch_ms), 0) AS watched FROM views WHERE user_id = 'USER' AND viewed_at >= 'DAYT00:00:00.000000Z' AND viewed_at < 'NEXTT00:00:00.000000Z';
-- a range of days
SELECT device, count(*) AS n FROM views WHERE viewed_at >= 'DAYT06:30:00.000000Z' AND viewed_at < 'NEXTT18:45:00.000000Z' GROUP BY device ORDER BY device NULLS LAST;
-- days with much watching
SELECT CAST(viewed_at AS DATE) AS day, sum(watch_ms) AS watched FROM views GROUP BY 1 HAVING count(*) > 100 ORDER BY watched DESC, day LIMIT 10;
-- short, middling and long views
SELECT CASE WHEN watch_ms < 60000 THEN 'short' WHEN watch_ms < 200000 THEN 'middling' ELSE 'long' END AS length, count(*) AS n FROM views GROUP BY 1 ORDER BY 1;
-- messages that hold a word
SELECT user_id, count(*) AS n FROM messages WHERE lower(body) LIKE '%the%' GROUP BY user_id ORDER BY n DESC, user_id;
-- the longest messages
SELECT message_id, length(body) AS characters FROM messages ORDER BY characters DESC, message_id LIMIT 25;
-- the newest messages
SELECT message_id, user_id, created_at, body FROM messages ORDER BY created_at DESC, message_id DESC LIMIT 50;
-- all likes in order
SELECT message_id, user_id, created_at, delta FROM likes ORDER BY message_id, user_id, created_at, delta;
-- totals
SELECT count(*) AS n, count(device) AS devices, count(DISTINCT device) AS kinds, sum(watch_ms) AS watched, avg(watch_ms) AS mean, min(viewed_at) AS first, max(viewed_at) AS last FROM views;
"""


def instant(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(text):
    """A timestamp of the files, as plaza and this test's SQLite write it."""
    text = text.replace(" ", "T").rstrip("Z")
    whole, _, fraction = text.partition(".")
    return "%s.%sZ" % (whole, (fraction + "000000")[:6])


def date_trunc(unit, text):
    at = instant(text).replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "month":
        at = at.replace(day=1)
    elif unit == "week":
        at -= datetime.timedelta(days=at.weekday())
    return at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def extract(field, text):
    at = instant(text)
    return at.isoweekday() % 7 if field == "dow" else getattr(at, field)


class Mirror:
    """The same rows in SQLite, under the feed's rules."""

    def __init__(self):
        self.db = sqlite3.connect(":memory:")
        self.db.executescript("""
            CREATE TABLE messages (message_id INTEGER PRIMARY KEY, user_id, created_at, body);
            CREATE TABLE likes (message_id, user_id, created_at, delta);
            CREATE TABLE views (message_id, user_id, viewed_at, device, geo, watch_ms);
        """)
        self.db.create_function("date_trunc", 2, date_trunc, deterministic=True)
        self.db.create_function("extract", 2, extract, deterministic=True)
        self.liked = set()

    def message(self, number, user, at, body):
        self.db.execute("INSERT INTO messages VALUES (?, ?, ?, ?)", (number, user, at, body))

    def like(self, number, user, at, delta):
        """Whether the row is stored."""
        if ((number, user) in self.liked) == (delta > 0):
            return False
        (self.liked.add if delta > 0 else self.liked.remove)((number, user))
        self.db.execute("INSERT INTO likes VALUES (?, ?, ?, ?)", (number, user, at, delta))
        return True

    def view(self, *row):
        self.db.execute("INSERT INTO views VALUES (?, ?, ?, ?, ?, ?)", row)

    def ask(self, sql):
        sql = re.sub(r"CAST\((\w+) AS DATE\)", r"substr(\1, 1, 10)", sql)
        sql = re.sub(r"extract\((\w+) FROM (\w+)\)", r"extract('\1', \2)", sql)
        return [list(row) for row in self.db.execute(sql)]


def import_file(*arguments, data=None, code=0):
    done = plaza.run_plaza("import", *arguments, data=data)
    if done.returncode != code:
        raise AssertionError("import %r ended with %d\n%s%s" % (
            arguments, done.returncode, done.stdout.decode(), done.stderr.decode()))
    return done


class Answers:
    def __init__(self, folder):
        self.folder = folder
        self.mirror = Mirror()
        self.random = plaza.rng("answers")
        self.server = plaza.Server("--seal-rows", "7000")
        self.compared = 0

    # -- the rows ------------------------------------------------------------------------------

    def import_messages(self):
        sample = next(path for path in SAMPLES if path and os.path.exists(path))
        print("sample: %s" % os.path.normpath(sample))
        import_file("--table", "messages", "--map", MAP, "--ignore-unknown",
                    "--data", self.server.data, sample)
        text = subprocess.run(["zstd", "-dcq", sample], stdout=subprocess.PIPE, check=True).stdout
        for line in text.splitlines():
            row = json.loads(line)
            self.mirror.message(row["id"], row["user"], canonical(row["created_at"]), row["text"])
        self.ids = [row[0] for row in self.mirror.ask("SELECT message_id FROM messages ORDER BY 1")]

    def simulate(self):
        """Likes and views for the imported messages: the simulated ids are put in their places."""
        sizes = ("--users", "300", "--messages", str(len(self.ids)), "--likes", "15000",
                 "--views", "60000", "--days", "30", "--seed", str(plaza.seed()))
        done = plaza.run_plaza("simulate", *sizes, "--out", self.folder)
        if done.returncode != 0:
            raise AssertionError("simulate: %r" % done)
        for table in ("likes", "views"):
            path = os.path.join(self.folder, table + ".ndjson")
            placed = os.path.join(self.folder, table + "-placed.ndjson")
            with open(path, encoding="utf-8") as file, open(placed, "w", encoding="utf-8") as out:
                stored = ignored = 0
                for line in file:
                    row = json.loads(line)
                    row["message_id"] = self.ids[int(row["message_id"]) - 1]
                    out.write(json.dumps(row) + "\n")
                    if table == "likes":
                        at = canonical(row["created_at"])
                        if self.mirror.like(row["message_id"], row["user_id"], at, row["delta"]):
                            stored += 1
                        else:
                            ignored += 1
                    else:
                        self.mirror.view(row["message_id"], row["user_id"],
                                         canonical(row["viewed_at"]), row["device"], row["geo"],
                                         row["watch_ms"])
            import_file("--table", table, "--url", self.server.url, placed)
            if table == "likes" and ignored > stored // 10:
                raise AssertionError("%d of %d simulated likes are ignored" % (ignored, stored))

    def write_more(self, count):
        """By the feed's API, in bulk, and by SQL."""
        random = self.random
        with self.server.client() as client:
            for step in range(count):
                number = random.choice(self.ids)
                kind = random.randint(0, 6)
                user = "writer%d" % random.randint(0, 20)
                if kind == 0:
                    found = client.message(user, "written %d" % step)
                    self.mirror.message(int(found["message_id"]), user, found["created_at"],
                                        found["body"])
                    self.ids.append(int(found["message_id"]))
                elif kind == 1:
                    at = "2026-10-%02dT%02d:00:00.123456Z" % (step % 28 + 1, step % 24)
                    watch = random.randint(0, 400000)
                    answer = client.post("/v1/messages/%d/views" % number, {
                        "user_id": user, "device": "other", "geo": "Ávila", "watch_ms": watch,
                        "viewed_at": at})
                    if answer.status != 201:
                        raise AssertionError(repr(answer))
                    self.mirror.view(number, user, at, "other", "Ávila", watch)
                elif kind == 2:
                    rows = [(random.choice(self.ids), user,
                             "2026-09-01T00:00:%02d.000000Z" % (index % 60),
                             random.choice((1, 1, -1))) for index in range(20)]
                    stored = sum(self.mirror.like(*row) for row in rows)
                    found = client.load("likes", [
                        {"message_id": row[0], "user_id": row[1], "created_at": row[2],
                         "delta": row[3]} for row in rows])
                    if (found["accepted"], found["ignored"]) != (stored, 20 - stored):
                        raise AssertionError("%d of 20: %r" % (stored, found))
                elif kind == 3:
                    rows = [(random.choice(self.ids), user, "2026-08-%02dT10:00:00.000000Z"
                             % random.randint(1, 28), random.choice(("mobile", None)),
                             "Lugo", random.randint(0, 9999)) for _ in range(50)]
                    names = ("message_id", "user_id", "viewed_at", "device", "geo", "watch_ms")
                    client.load("views", [dict(zip(names, row)) for row in rows])
                    for row in rows:
                        self.mirror.view(*row)
                elif kind == 4:
                    sql = ("INSERT INTO views (message_id, user_id, viewed_at, device, geo,"
                           " watch_ms) VALUES (%d, 'sql', '2026-07-07T07:07:07Z', 'desktop',"
                           " 'Soria', %d)" % (number, step))
                    client.write_sql(sql)
                    self.mirror.view(number, "sql", "2026-07-07T07:07:07.000000Z", "desktop",
                                     "Soria", step)
                elif kind == 5 and len(self.ids) > 100:
                    self.ids.remove(number)
                    answer = client.delete("/v1/messages/%d" % number)
                    if answer.status != 204:
                        raise AssertionError(repr(answer))
                    self.mirror.db.execute("DELETE FROM messages WHERE message_id = ?", (number,))

    # -- the comparison ------------------------------------------------------------------------

    def compare(self, state):
        user, first = self.mirror.ask(
            "SELECT user_id, substr(viewed_at, 1, 10) FROM views"
            " GROUP BY 1, 2 ORDER BY count(*) DESC, 1, 2 LIMIT 1")[0]
        day = datetime.date.fromisoformat(first)
        following = (day + datetime.timedelta(days=1)).isoformat()
        with self.server.client() as client:
            for text in QUESTIONS.strip().split(";\n"):
                name, _, sql = text.partition("\n")
                sql = sql.rstrip(";").replace("USER", user).replace("DAY", first)
                sql = sql.replace("NEXT", following)
                got, wanted = client.sql(sql), self.mirror.ask(sql)
                if got != wanted:
                    differing = [pair for pair in zip(got, wanted) if pair[0] != pair[1]][:3]
                    raise AssertionError("%s, %s\n%s\n%d rows, SQLite has %d; differing: %r" % (
                        state, name, sql, len(got), len(wanted), differing))
                self.compared += 1
            self.compare_counters(client)
        print("%s: %d answers are equal" % (state, self.compared), flush=True)

    def compare_counters(self, client):
        """The feed's counters are the same counts again."""
        likes = dict(self.mirror.ask("SELECT message_id, sum(delta) FROM likes GROUP BY 1"))
        views = dict(self.mirror.ask("SELECT message_id, count(*) FROM views GROUP BY 1"))
        items = client.walk_feed()
        wanted = self.mirror.ask("SELECT message_id, user_id, created_at, body FROM messages"
                                 " ORDER BY created_at DESC, message_id DESC")
        got = [[int(item["message_id"]), item["user_id"], item["created_at"], item["body"]]
               for item in items]
        if got != wanted:
            raise AssertionError("the feed differs: %d and %d" % (len(got), len(wanted)))
        for item in items:
            number = int(item["message_id"])
            pair = (likes.get(number, 0), views.get(number, 0))
            if (item["likes"], item["views"]) != pair:
                raise AssertionError("counters of %d: %r, not %r" % (number, item, pair))

    def run(self):
        self.import_messages()
        with self.server:
            self.simulate()
            self.compare("after the import")
            self.write_more(500)
            self.compare("after more writes")
            self.server.restart()
            self.compare("after a restart")
            self.write_more(100)
            self.server.kill()
            self.server.start()
            self.compare("after a kill")


def main():
    plaza.arguments()
    with tempfile.TemporaryDirectory(prefix="plaza-test-") as folder:
        Answers(folder).run()


if __name__ == "__main__":
    main()
