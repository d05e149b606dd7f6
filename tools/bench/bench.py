#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures plaza: load, bytes, questions, restart, likes; SQLite (and DuckDB, if there) beside it.

Prints a table in Markdown with the machine, the commit and the build. Never fails on time.
"""

import argparse
import glob
import json
import os
import platform
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))
import plaza

LOAD_BEFORE = os.getloadavg()[0]  # what else the machine was doing
HEAVIEST = ("SELECT count(*), max(n) FROM (SELECT CAST(viewed_at AS DATE) AS d, user_id,"
            " count(*) AS n FROM views GROUP BY 1, 2) g")
# name, SQL, and what it should stay under in ms
QUESTIONS = (
    ("views and watch time per day",
     "SELECT CAST(viewed_at AS DATE), count(*), sum(watch_ms) FROM views GROUP BY 1", 5),
    ("views per user, top 100",
     "SELECT user_id, count(*) AS n FROM views GROUP BY user_id ORDER BY n DESC, user_id LIMIT 100",
     25),
    ("views per day and user: groups, largest", HEAVIEST, 80),
    ("watch time per message, top 100",
     "SELECT message_id, sum(watch_ms) AS w, avg(watch_ms) AS m FROM views GROUP BY message_id"
     " ORDER BY w DESC, message_id LIMIT 100", None),
    ("views by device, province, hour",
     "SELECT device, geo, extract(hour FROM viewed_at) AS h, count(*) FROM views GROUP BY 1, 2, 3",
     None),
    ("viewers per day",
     "SELECT CAST(viewed_at AS DATE), count(DISTINCT user_id) FROM views GROUP BY 1", None),
    ("one user, one day",
     "SELECT count(*), sum(watch_ms) FROM views WHERE user_id = '{user}'"
     " AND viewed_at >= '{day}T00:00:00Z' AND viewed_at < '{next}T00:00:00Z'", None),
    ("likes per message, top 100",
     "SELECT message_id, sum(delta) AS n FROM likes GROUP BY message_id"
     " ORDER BY n DESC, message_id LIMIT 100", None),
    ("messages per day", "SELECT CAST(created_at AS DATE), count(*) FROM messages GROUP BY 1",
     None),
    ("messages that hold a word", "SELECT count(*) FROM messages WHERE body LIKE '%coffee%'",
     None),
)


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file
                      if line.startswith("model name")), "unknown")
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) // (1 << 20)
    return "%s, %d cores, %d GiB, Linux %s, load average %.1f before" % (
        model, len(os.sched_getaffinity(0)), memory, platform.release(), LOAD_BEFORE)


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode().strip() or "unknown"


def build_flags():
    path = os.path.join(os.path.dirname(plaza.find_binary()), "CMakeCache.txt")
    found = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, _, value = line.strip().partition("=")
                found[name.split(":")[0]] = value
    kind = found.get("CMAKE_BUILD_TYPE", "unknown build")
    flags = found.get("CMAKE_C_FLAGS_" + kind.upper(), "")
    return " ".join(part for part in (kind, flags, found.get("PLAZA_SANITIZE", "")) if part)


def folder_bytes(path):
    return sum(os.path.getsize(name) for name in glob.glob(path + "/**", recursive=True)
               if os.path.isfile(name))


class Report:
    def __init__(self):
        self.rows = []

    def add(self, what, figure, note=""):
        self.rows.append((what, figure, note))
        say("  %-48s %-22s %s" % (what, figure, note))

    def print(self):
        print("plaza %s, %s; %s\n" % (commit(), build_flags(), machine()))
        print("| what | figure | note |\n| --- | ---: | --- |")
        for row in self.rows:
            print("| %s | %s | %s |" % row)


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.report = Report()
        self.runs = 0  # of wrk

    def run_plaza(self, *arguments):
        done = plaza.run_plaza(*arguments, timeout=3600)
        if done.returncode != 0:
            sys.exit("plaza %s: %s" % (" ".join(arguments), done.stderr.decode()[-2000:]))

    # -- analytics -----------------------------------------------------------------------------

    def make_rows(self):
        options = self.options
        sizes = [options.users, options.messages, options.likes, options.views, options.days]
        folder = os.path.join(self.work, "rows-" + "-".join(str(size) for size in sizes))
        if not os.path.exists(folder):
            began = time.monotonic()
            self.run_plaza("simulate", "--users", str(sizes[0]), "--messages", str(sizes[1]),
                           "--likes", str(sizes[2]), "--views", str(sizes[3]), "--days",
                           str(sizes[4]), "--seed", "42", "--out", folder + ".part")
            os.rename(folder + ".part", folder)
            self.report.add("simulate to files", "%.1f s" % (time.monotonic() - began))
        return folder

    def load(self, rows, data):
        counts = {}
        for table in ("messages", "likes", "views"):
            path = os.path.join(rows, table + ".ndjson")
            with open(path, "rb") as file:
                counts[table] = sum(piece.count(b"\n") for piece in iter(
                    lambda file=file: file.read(1 << 22), b""))
            began = time.monotonic()
            self.run_plaza("import", "--table", table, "--data", data, path)
            took = time.monotonic() - began
            self.report.add(
                "import %s, %s rows, NDJSON, durable" % (table, format(counts[table], ",")),
                "%s rows/s" % format(int(counts[table] / took), ","),
                "%.1f s%s" % (took, "; goal 1,000,000" if table == "views" else ""))
        return counts

    def settle(self, server):
        """Waits until nothing is left to fold."""
        for _ in range(1200):
            with server.client() as client:
                text = client.get("/metrics").text
            left = [line.split()[-1] for line in text.splitlines()
                    if line.startswith("plaza_") and "unfolded" in line.split(" ")[0]]
            if not left or float(left[0]) == 0:
                return
            time.sleep(0.1)

    def questions(self, server, counts):
        with server.client() as client:
            user, day = client.sql(
                "SELECT user_id, CAST(viewed_at AS DATE) AS d, count(*) AS n FROM views"
                " GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT 1")[0][:2]
            following = client.value("SELECT DATE '%s' + 1" % day)
            self.questions_asked = []
            for name, sql, goal in QUESTIONS:
                sql = sql.replace("{user}", user).replace("{day}", day)
                sql = sql.replace("{next}", following)
                times = []
                for turn in range(self.options.repeat + 3):
                    began = time.perf_counter()
                    answer = client.post_sql(sql)
                    took = (time.perf_counter() - began) * 1000
                    if answer.status != 200:
                        sys.exit("%s: %r" % (sql, answer))
                    if turn >= 3:
                        times.append(took)
                stats = answer.json()["stats"]
                note = "slowest %.1f ms; blocks %s scanned, %s from statistics" % (
                    max(times), stats.get("blocks_scanned"), stats.get("blocks_from_stats"))
                if goal:
                    note += "; goal %d ms" % goal
                self.report.add(name, "%.2f ms" % statistics.median(times), note)
                self.questions_asked.append((name, sql, goal))

    def kill_and_start(self, server):
        with server.client() as client:
            for number in range(50):
                client.message("bench", "before the kill %d" % number)
        times = []
        for _ in range(3):
            server.kill()
            began = time.monotonic()
            server.start()
            times.append(time.monotonic() - began)
        self.report.add("start after kill -9, until ready", "%.2f s" % statistics.median(times),
                        "goal 1 s")

    def analytics(self):
        say("analytics: %s views" % format(self.options.views, ","))
        rows = self.make_rows()
        data = os.path.join(self.work, "analytics")
        shutil.rmtree(data, ignore_errors=True)
        server = plaza.Server(data=data)
        counts = self.load(rows, data)
        server.start()
        try:
            self.settle(server)
            stored = folder_bytes(os.path.join(data, "segments", "3"))  # the table views
            if stored > 0:
                self.report.add("bytes a view row, in segments",
                                "%.2f B" % (stored / counts["views"]), "goal 12 B")
            else:
                self.report.add("bytes a view row, in segments", "-", "too few rows to be sealed")
            self.questions(server, counts)
            self.kill_and_start(server)
            server.stop()
        finally:
            server.kill()
            server.clean()
        if not self.options.skip_peers:
            self.peer_sqlite(rows)
            self.peer_duckdb(rows)

    # -- peers ---------------------------------------------------------------------------------

    def peer_sqlite(self, rows):
        say("SQLite %s" % sqlite3.sqlite_version)
        path = os.path.join(self.work, "peer.sqlite")
        if os.path.exists(path):
            os.remove(path)
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE views (message_id INTEGER, user_id TEXT, viewed_at TEXT,"
                   " device TEXT, geo TEXT, watch_ms INTEGER)")
        began = time.monotonic()
        with open(os.path.join(rows, "views.ndjson"), encoding="utf-8") as file:
            db.executemany("INSERT INTO views VALUES (:message_id, :user_id, :viewed_at, :device,"
                           " :geo, :watch_ms)", map(json.loads, file))
        db.commit()
        took = time.monotonic() - began
        count = db.execute("SELECT count(*) FROM views").fetchone()[0]
        self.report.add("SQLite: load views", "%s rows/s" % format(int(count / took), ","),
                        "through Python's json; %.0f B a row" % (os.path.getsize(path) / count))
        for name, sql, goal in self.questions_asked:
            if goal is None:
                continue
            sql = sql.replace("CAST(viewed_at AS DATE)", "substr(viewed_at, 1, 10)")
            began = time.monotonic()
            db.execute(sql).fetchall()
            self.report.add("SQLite: " + name, "%.0f ms" % ((time.monotonic() - began) * 1000),
                            "one run")
        db.close()
        os.remove(path)

    def peer_duckdb(self, rows):
        try:
            import duckdb
        except ImportError:
            say("DuckDB's Python module is not installed: left out")
            return
        db = duckdb.connect(os.path.join(self.work, "peer.duckdb"))
        db.execute("SET threads TO %d" % len(os.sched_getaffinity(0)))
        began = time.monotonic()
        db.execute("CREATE OR REPLACE TABLE views AS SELECT * FROM read_json('%s',"
                   " columns={message_id:'BIGINT', user_id:'VARCHAR', viewed_at:'TIMESTAMP',"
                   " device:'VARCHAR', geo:'VARCHAR', watch_ms:'BIGINT'})"
                   % os.path.join(rows, "views.ndjson"))
        db.execute("CHECKPOINT")
        took = time.monotonic() - began
        count = db.execute("SELECT count(*) FROM views").fetchone()[0]
        self.report.add("DuckDB %s: load views" % duckdb.__version__,
                        "%s rows/s" % format(int(count / took), ","))
        for name, sql, _ in self.questions_asked:
            if "FROM views" not in sql:
                continue
            times = []
            for turn in range(self.options.repeat + 3):
                began = time.perf_counter()
                db.execute(sql).fetchall()
                if turn >= 3:
                    times.append((time.perf_counter() - began) * 1000)
            self.report.add("DuckDB: " + name, "%.2f ms" % statistics.median(times))
        db.close()

    # -- likes ---------------------------------------------------------------------------------

    def prepare_likes(self):
        data = os.path.join(self.work, "likes")
        shutil.rmtree(data, ignore_errors=True)
        count = self.options.like_messages
        path = os.path.join(self.work, "messages-%d.ndjson" % count)
        if not os.path.exists(path):
            choose = random.Random(7)
            with open(path + ".part", "w", encoding="utf-8") as file:
                for number in range(1, count + 1):
                    file.write('{"message_id":%d,"user_id":"user%d","created_at":%d,"body":"message'
                               ' number %d of the crowd"}\n' % (
                                   number, choose.randint(1, 10000), 1760000000 + number * 7,
                                   number))
            os.rename(path + ".part", path)
        self.run_plaza("import", "--table", "messages", "--data", data, path)
        if self.options.views:
            rows = self.make_rows()
            self.run_plaza("import", "--table", "views", "--data", data,
                           os.path.join(rows, "views.ndjson"))
        return data

    def wrk(self, server, seconds):
        self.runs += 1
        done = subprocess.run(
            ["wrk", "-t1", "-c%d" % self.options.connections, "-d%ds" % seconds, "--timeout", "10s",
             "-s", os.path.join(ROOT, "tools", "bench", "likes.lua"), server.url, "--",
             str(self.options.like_messages), "100000", str(self.runs)],
            stdout=subprocess.PIPE, check=True)
        for line in done.stdout.decode().splitlines():
            if line.startswith("BENCH "):
                return json.loads(line[6:])
        sys.exit("wrk said: " + done.stdout.decode())

    def like_figures(self, name, found, goals):
        self.report.add(
            "%s, %d connections" % (name, self.options.connections),
            "%s/s" % format(int(found["requests"] / found["seconds"]), ","),
            "p50 %.1f ms, p99 %.1f ms, worst %.0f ms over %.0f s; %d refused, %d broken; goal %s" % (
                found["p50_ms"], found["p99_ms"], found["max_ms"], found["seconds"],
                found["refused"], found["broken"], goals))

    def likes(self):
        say("likes: %s messages" % format(self.options.like_messages, ","))
        server = plaza.Server(data=self.prepare_likes())
        server.start()
        try:
            self.settle(server)
            self.wrk(server, 2)
            found = self.wrk(server, self.options.seconds)
            self.like_figures("durable likes", found, "25,000/s, p99 20 ms")
            stop = threading.Event()
            times = []

            def loop():
                with server.client() as client:
                    while not stop.is_set():
                        began = time.perf_counter()
                        client.sql(HEAVIEST)
                        times.append((time.perf_counter() - began) * 1000)

            asking = threading.Thread(target=loop)
            asking.start()
            try:
                found = self.wrk(server, self.options.seconds)
            finally:
                stop.set()
                asking.join()
            self.like_figures("the same beside the heaviest question", found,
                              "10,000/s, p99 50 ms")
            self.report.add("the heaviest question meanwhile",
                            "%.0f ms" % statistics.median(times), "%d runs" % len(times))
            self.agree(server)
            server.stop()
        finally:
            server.kill()
            server.clean()

    def agree(self, server):
        """What was measured was also right: the feed's counters are SQL's sums."""
        time.sleep(1)  # requests that wrk left behind
        with server.client() as client:
            sums = dict(client.sql("SELECT message_id, sum(delta) FROM likes GROUP BY 1"))
            items, cursor = [], ""
            while cursor is not None and len(items) < 5000:
                page = client.get("/v1/messages?limit=100" + cursor).json()
                items += page["items"]
                cursor = page["next"] and "&cursor=" + page["next"]
        wrong = [(item["message_id"], item["likes"], sums.get(int(item["message_id"]), 0))
                 for item in items if item["likes"] != sums.get(int(item["message_id"]), 0)]
        self.report.add("likes stored", format(sum(sums.values()), ","),
                        "%d counters equal SQL" % len(items) if not wrong
                        else "%d COUNTERS DIFFER: %r" % (len(wrong), wrong[:5]))


def main():
    parser = argparse.ArgumentParser(
        prog="tools/bench/run", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, what in (
            ("users", 10000, "in the rows of analytics"),
            ("messages", 100000, "in the rows of analytics"),
            ("likes", 1000000, "in the rows of analytics"),
            ("views", 10000000, "in the rows of analytics"),
            ("days", 90, "that these rows cover"),
            ("repeat", 15, "warm runs of each question"),
            ("like-messages", 1000000, "messages that the part likes begins with"),
            ("connections", 64, "that like at the same time"),
            ("seconds", 60, "of each likes run")):
        parser.add_argument("--" + name, type=int, default=default, metavar="N",
                            help="%s (default %s)" % (what, format(default, ",")))
    parser.add_argument("--only", choices=("analytics", "likes"), help="one part (default: both)")
    parser.add_argument("--skip-peers", action="store_true", help="no SQLite, no DuckDB")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, 10 s of likes")
    parser.add_argument("--work", help="folder for rows and data, kept (default: a new one, removed)")
    options = parser.parse_args()
    if options.quick:
        for name in ("users", "messages", "likes", "views", "like_messages"):
            setattr(options, name, getattr(options, name) // 10)
        options.seconds = min(options.seconds, 10)
    work = options.work or tempfile.mkdtemp(prefix="plaza-bench-")
    os.makedirs(work, exist_ok=True)
    bench = Bench(options, work)
    try:
        if options.only != "likes":
            bench.analytics()
        if options.only != "analytics":
            bench.likes()
    finally:
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)
    bench.report.print()


if __name__ == "__main__":
    main()
