# SPDX-License-Identifier: Apache-2.0
"""Starts, asks and stops a plaza server for the black-box tests.

Only the standard library is used. A server that a test started is always ended, and whatever it
wrote to standard error is searched for reports of the sanitizers and of our own assertions.

    with Server() as server:
        client = server.client()
        answer = client.post("/v1/messages", {"user_id": "ana", "body": "hello"})
"""

import argparse
import atexit
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
READY = re.compile(r"plaza is ready at (http://127\.0\.0\.1:(\d+))")
# What a healthy server never writes.
REPORTS = re.compile(
    r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|WARNING: ThreadSanitizer|runtime error:"
    r"|AddressSanitizer:DEADLYSIGNAL|assertion failed|unreachable:"
)
START_SECONDS = 60
STOP_SECONDS = 60

TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")

_running = []  # servers that must not outlive this process


def _end_all():
    for server in list(_running):
        server.kill()
        server.clean()


atexit.register(_end_all)


def find_binary():
    """The program under test: PLAZA_BIN, or the newest build in the tree."""
    path = os.environ.get("PLAZA_BIN")
    if path:
        return path
    found = [
        os.path.join(ROOT, "build", preset, "plaza")
        for preset in ("dev", "release", "tsan")
        if os.path.exists(os.path.join(ROOT, "build", preset, "plaza"))
    ]
    if not found:
        sys.exit("no plaza binary: build one, or set PLAZA_BIN")
    return max(found, key=os.path.getmtime)


def clean_environment(extra=None):
    """The environment without settings of plaza that a developer may have."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PLAZA_")
    }
    environment.setdefault("TZ", "America/New_York")  # the host's zone must never matter
    environment.update(extra or {})
    return environment


def run_plaza(*arguments, data=None, timeout=120, environment=None):
    """Runs a subcommand to its end; returns the completed process with bytes."""
    return subprocess.run(
        [find_binary(), *arguments],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=timeout,
        env=clean_environment(environment),
        check=False,
    )


def report_in(text):
    """The first line of `text` that only a faulty program writes, or None."""
    for line in text.splitlines():
        if REPORTS.search(line):
            return line
    return None


class ServerFailed(AssertionError):
    """The server did not start, did not stop, or wrote a report."""


class Server:
    """One `plaza serve` over a data directory of its own (or a given one)."""

    def __init__(self, *arguments, data=None, environment=None):
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.scratch = tempfile.mkdtemp(prefix="plaza-test-")
        self.data = data or os.path.join(self.scratch, "data")
        self.process = None
        self.port = None
        self.url = None
        self._log_path = os.path.join(self.scratch, "stderr")
        self._log_from = 0
        _running.append(self)

    # -- life ----------------------------------------------------------------------------------

    def launch(self, environment=None):
        """Starts the process without waiting for it to be ready."""
        assert self.process is None, "already running"
        self._log_from = os.path.getsize(self._log_path) if os.path.exists(self._log_path) else 0
        with open(self._log_path, "ab") as log:
            self.process = subprocess.Popen(
                [find_binary(), "serve", "--data", self.data, "--http", "127.0.0.1:0"]
                + self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=clean_environment({**self.environment, **(environment or {})}),
                start_new_session=True,
            )
        return self

    def await_ready(self):
        """Waits for the ready line and for /readyz. False when the process ended instead."""
        deadline = time.monotonic() + START_SECONDS
        seen = b""
        stream = self.process.stdout.fileno()
        while True:
            match = READY.search(seen.decode("utf-8", "replace"))
            if match and b"\n" in seen[match.end() :]:
                break
            left = deadline - time.monotonic()
            if left <= 0:
                raise ServerFailed("no ready line in time\n" + self.log()[-4000:])
            if select.select([stream], [], [], min(left, 0.5))[0]:
                piece = os.read(stream, 65536)
                if not piece:
                    self.process.wait(STOP_SECONDS)
                    return False
                seen += piece
        self.url, self.port = match.group(1), int(match.group(2))
        while time.monotonic() < deadline:
            try:
                with self.client() as client:
                    if client.get("/readyz").status == 200:
                        return True
            except OSError:
                pass
            if self.process.poll() is not None:
                return False
            time.sleep(0.005)
        raise ServerFailed("/readyz was not 200 in time\n" + self.log()[-4000:])

    def start(self, environment=None):
        self.launch(environment)
        if not self.await_ready():
            code = self.process.returncode
            text = self.log()[-4000:]
            self._closed()
            raise ServerFailed("plaza serve ended with %s while starting\n%s" % (code, text))
        return self

    def stop(self):
        """SIGTERM; the exit code must be 0 and standard error clean."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed("no end after SIGTERM\n" + self.log()[-4000:]) from None
        self._closed()
        self.check_log()
        if code != 0:
            raise ServerFailed("exit code %d after SIGTERM\n%s" % (code, self.log()[-4000:]))

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is said."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._closed()

    def await_end(self, timeout=STOP_SECONDS):
        """Waits for a process that ends by itself; returns its exit code."""
        code = self.process.wait(timeout)
        self._closed()
        return code

    def restart(self):
        self.stop()
        return self.start()

    def _closed(self):
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def clean(self):
        if self in _running:
            _running.remove(self)
        shutil.rmtree(self.scratch, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            if kind is None and self.process is not None:
                self.stop()
            elif kind is not None:
                sys.stderr.write("---- the server's last words\n" + self.log()[-4000:] + "----\n")
        finally:
            self.kill()
            self.clean()

    # -- asking --------------------------------------------------------------------------------

    def client(self, timeout=60):
        return Client(self.port, timeout)

    def log(self):
        """What was written to standard error since the last start."""
        if not os.path.exists(self._log_path):
            return ""
        with open(self._log_path, "rb") as log:
            log.seek(self._log_from)
            return log.read().decode("utf-8", "replace")

    def check_log(self):
        line = report_in(self.log())
        if line:
            raise ServerFailed("the server reported: %s\n%s" % (line, self.log()[-8000:]))


class Answer:
    """One HTTP answer, read to its end."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    @property
    def commit(self):
        return int(self.headers["Plaza-Commit"])

    def __repr__(self):
        return "<%d %r>" % (self.status, self.body[:600])


class Client:
    """A keep-alive connection."""

    def __init__(self, port, timeout=60):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()

    def close(self):
        self.connection.close()

    def move(self, port):
        """Goes on with the server at another port."""
        self.connection.close()
        self.port = self.connection.port = port

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        elif isinstance(body, str):
            body = body.encode()
        try:
            self.connection.request(method, path, body=body, headers=headers)
            response = self.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except BaseException:
            self.connection.close()
            raise
        media = answer.headers.get("Content-Type", "")
        if answer.body and re.match(r"application/(problem\+)?json\b", media):
            assert re.search(rb"[^\n]\n\Z", answer.body), "not one line feed at the end: %r" % answer
        return answer

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def put(self, path, body=None, headers=None):
        return self.request("PUT", path, body, headers)

    def delete(self, path, headers=None):
        return self.request("DELETE", path, headers=headers)

    def post_sql(self, sql, accept=None, content_type="application/sql"):
        headers = {"Content-Type": content_type}
        if accept:
            headers["Accept"] = accept
        return self.post("/v1/sql", sql, headers)

    def sql(self, sql):
        """The rows of a statement that must succeed."""
        answer = self.post_sql(sql)
        if answer.status != 200:
            raise AssertionError("%s\n-> %r" % (sql, answer))
        document = answer.json()
        if document.get("complete") is not True:
            raise AssertionError("incomplete answer to %s: %r" % (sql, answer))
        return document["rows"]

    def value(self, sql):
        return self.sql(sql)[0][0]

    def write_sql(self, sql):
        """The `affected` of a statement that must succeed."""
        answer = self.post_sql(sql)
        if answer.status != 200:
            raise AssertionError("%s\n-> %r" % (sql, answer))
        return answer.json()["affected"]

    def message(self, user, body, **more):
        """Posts a message that must be taken; returns its document."""
        answer = self.post("/v1/messages", {"user_id": user, "body": body, **more})
        if answer.status != 201:
            raise AssertionError("post: %r" % answer)
        return answer.json()

    def bulk(self, table, rows, query="", headers=None):
        """Sends bytes as they are, or a list of rows as NDJSON."""
        headers = dict(headers or {})
        headers.setdefault("Content-Type", "application/x-ndjson")
        if isinstance(rows, list):
            rows = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        return self.post("/v1/tables/%s/rows%s" % (table, query), rows, headers)

    def load(self, table, rows, query=""):
        """A bulk load that must be taken; returns its document."""
        answer = self.bulk(table, rows, query)
        if answer.status != 200:
            raise AssertionError("load into %s: %r" % (table, answer))
        return answer.json()

    def walk_feed(self, user=None, limit=100):
        """Every item of the feed, page after page."""
        items = []
        cursor = None
        while True:
            path = "/v1/messages?limit=%d" % limit
            if user is not None:
                path += "&user_id=" + user
            if cursor is not None:
                path += "&cursor=" + cursor
            answer = self.get(path)
            if answer.status != 200:
                raise AssertionError("feed: %r" % answer)
            page = answer.json()
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                return items


class FastClient:
    """A lean keep-alive connection for load: small requests, answers with a Content-Length.

    Raises OSError when the connection breaks, which leaves the outcome of the request open.
    """

    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def close(self):
        self.socket.close()

    def request(self, method, path, body=b"", content_type="application/json"):
        """Returns (status, head, body), all bytes but the status."""
        head = "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n" % (method, path)
        if body or method == "POST":
            head += "Content-Type: %s\r\nContent-Length: %d\r\n" % (content_type, len(body))
        self.socket.sendall(head.encode() + b"\r\n" + body)
        data = self.rest
        while True:
            end = data.find(b"\r\n\r\n")
            if end >= 0:
                break
            data += self._receive()
        head = data[:end]
        status = int(head[9:12])
        match = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if match:
            length = int(match.group(1))
        elif status == 204:
            length = 0
        else:
            raise ServerFailed("an answer without Content-Length: %r" % head)
        start = end + 4
        while len(data) < start + length:
            data += self._receive()
        self.rest = data[start + length :]
        return status, head, data[start : start + length]

    def _receive(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionResetError("the server closed the connection")
        return piece


def raw(port, data, timeout=10.0, pause=None):
    """Sends bytes as they are; returns all that comes until the server closes (or `timeout`).

    With `pause`, the bytes go out one by one with that many seconds between them.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
        try:
            if pause is None:
                sock.sendall(data)
            else:
                for index in range(len(data)):
                    sock.sendall(data[index : index + 1])
                    time.sleep(pause)
            while True:
                piece = sock.recv(65536)
                if not piece:
                    break
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        except socket.timeout:
            received += b"<timeout>"
    return received


def raw_status(received):
    """The status code of the first answer in `received`, or None."""
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", received)
    return int(match.group(1)) if match else None


def struct_linger(is_on, seconds):
    """The value of SO_LINGER; on with 0 seconds makes close() send a reset."""
    return struct.pack("ii", int(is_on), seconds)


def zstd(data, *arguments):
    """Compresses (or with "-d" unpacks) bytes by the zstd program."""
    return subprocess.run(
        ["zstd", "-q", "-c", *arguments], input=data, stdout=subprocess.PIPE, check=True
    ).stdout


class Case(unittest.TestCase):
    """A scenario against one server, shared by the tests of the class."""

    serve_arguments = ()
    environment = {}
    maxDiff = 4000
    server = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.serve_arguments, environment=cls.environment)
        try:
            cls.server.start()
        except BaseException:
            cls.server.kill()
            cls.server.clean()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            if cls.server.process is not None:
                cls.server.stop()
        finally:
            cls.server.kill()
            cls.server.clean()

    def setUp(self):
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    def tearDown(self):
        code = self.server.process.poll() if self.server.process else None
        if code is not None:
            log = self.server.log()[-6000:]
            self.server._closed()
            self.server.start()  # the other tests go on
            self.fail("the server ended with %s\n%s" % (code, log))

    # -- what answers must look like -----------------------------------------------------------

    def expect(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        return answer

    def expect_problem(self, answer, status, code=None):
        """A problem document with that status (one, or one of several)."""
        allowed = (status,) if isinstance(status, int) else tuple(status)
        self.assertIn(answer.status, allowed, answer)
        media = answer.headers.get("Content-Type", "")
        self.assertTrue(media.startswith("application/problem+json"), (media, answer))
        document = answer.json()
        for member in ("type", "title", "status", "detail", "code"):
            self.assertIn(member, document, answer)
        self.assertEqual(document["status"], answer.status)
        for member in ("type", "title", "detail", "code"):
            self.assertIsInstance(document[member], str, answer)
            self.assertTrue(document[member], answer)
        if code is not None:
            self.assertEqual(document["code"], code, answer)
        return document

    def expect_sql_error(self, sql, code, position=None):
        document = self.expect_problem(self.client.post_sql(sql), 400, code)
        for member in ("position", "line", "column"):
            if member in document:
                self.assertIsInstance(document[member], int, document)
        if position is not None:
            self.assertEqual(document.get("position"), position, document)
        return document

    def expect_compact(self, answer, pairs):
        """The body is exactly this JSON object, members in this order, without spaces."""
        wanted = json.dumps(dict(pairs), separators=(",", ":"), ensure_ascii=False)
        self.assertEqual(answer.body.decode("utf-8"), wanted + "\n")


_seed = 1


def seed():
    return _seed


def rng(name=""):
    """A random generator that follows from the seed and a name."""
    return random.Random("%d/%s" % (_seed, name))


def arguments(parser=None):
    """Parses --seed (and what the test adds), prints the seed, returns the rest too."""
    global _seed
    parser = parser or argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(os.environ.get("PLAZA_TEST_SEED", "1")))
    parsed, rest = parser.parse_known_args()
    _seed = parsed.seed
    print("seed %d" % _seed, flush=True)
    return parsed, rest


def main():
    """Runs the unit tests of the calling script."""
    _, rest = arguments()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
