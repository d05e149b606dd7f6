#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stopping: gracefully under load, at once when asked twice, and coming back with everything."""

import json
import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza


class Stop(plaza.unittest.TestCase):
    def make(self, *arguments):
        server = plaza.Server(*arguments)
        self.addCleanup(server.clean)
        self.addCleanup(server.kill)
        return server.start()

    def test_restart_keeps_everything(self):
        server = self.make("--seal-rows", "50")
        with server.client() as client:
            ids = [client.message("ana", "m%d" % n)["message_id"] for n in range(120)]
            for n, number in enumerate(ids):
                for user in range(n % 4):
                    client.put("/v1/messages/%s/likes/u%d" % (number, user))
            client.delete("/v1/messages/" + ids[7])
            client.write_sql("CREATE TABLE t (at TIMESTAMP, n BIGINT, s SYMBOL)")
            client.load("t", [{"at": 1600000000 + n, "n": n, "s": "s%d" % (n % 9)}
                              for n in range(400)])
            client.write_sql("DELETE FROM t WHERE n % 3 = 0")
            feed = client.walk_feed()
            table = client.sql("SELECT * FROM t ORDER BY n")
            likes = client.sql("SELECT message_id, user_id, delta FROM likes ORDER BY 1, 2")
        for _ in range(3):
            server.restart()
            with server.client() as client:
                self.assertEqual(client.walk_feed(), feed)
                self.assertEqual(client.sql("SELECT * FROM t ORDER BY n"), table)
                self.assertEqual(
                    client.sql("SELECT message_id, user_id, delta FROM likes ORDER BY 1, 2"),
                    likes)
                newest = client.message("ana", "one more")["message_id"]
                self.assertGreater(int(newest), int(ids[-1]))
                client.delete("/v1/messages/" + newest)

    def test_stop_under_load(self):
        server = self.make("--seal-rows", "100")
        port = server.port
        taken = [[] for _ in range(6)]

        def work(index):
            number = 0
            try:
                client = plaza.FastClient(port)
                while True:
                    body = json.dumps({"user_id": "w%d" % index, "body": str(number)}).encode()
                    status, _, answer = client.request("POST", "/v1/messages", body)
                    if status == 201:
                        taken[index].append(json.loads(answer)["message_id"])
                    elif status != 503:
                        taken[index].append("status %d" % status)
                    number += 1
            except OSError:
                pass

        threads = [threading.Thread(target=work, args=(index,)) for index in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(0.7)
        server.stop()
        for thread in threads:
            thread.join()
        server.start()
        with server.client() as client:
            there = {str(row[0]) for row in client.sql("SELECT message_id FROM messages")}
        acknowledged = {number for numbers in taken for number in numbers}
        self.assertGreater(len(acknowledged), 50)
        self.assertEqual(acknowledged - there, set())
        server.stop()

    def test_stop_with_open_connections(self):
        server = self.make()
        socks = []
        for _ in range(20):
            sock = socket.create_connection(("127.0.0.1", server.port))
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            sock.recv(1000)
            socks.append(sock)
        half = socket.create_connection(("127.0.0.1", server.port))
        half.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")
        body = socket.create_connection(("127.0.0.1", server.port))
        body.sendall(b"POST /v1/tables/views/rows HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                     b"Content-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n{")
        time.sleep(0.1)
        began = time.monotonic()
        server.stop()
        self.assertLess(time.monotonic() - began, 15)
        for sock in [*socks, half, body]:
            sock.close()

    def test_stop_with_running_queries(self):
        server = self.make()
        with server.client() as client:
            client.write_sql("CREATE TABLE t (n BIGINT, s TEXT)")
            rows = b"".join(b'{"n":%d,"s":"%s"}\n' % (n, b"a" * 60) for n in range(400000))
            client.bulk("t", rows)
        sql = "SELECT count(*) FROM t WHERE " + " AND ".join(
            "s LIKE '%" + "a%" * length + "'" for length in range(1, 16))
        answers = []

        def ask():
            try:
                with server.client() as client:
                    answers.append(client.post_sql(sql).status)
            except OSError:
                answers.append(None)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        began = time.monotonic()
        server.stop()
        self.assertLess(time.monotonic() - began, 15)
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 4)

    def test_stop_while_clients_come(self):
        """New connections arrive at the very moment of stopping."""
        for _ in range(8):
            server = plaza.Server().start()
            port = server.port
            over = threading.Event()

            def come():
                while not over.is_set():
                    try:
                        with socket.create_connection(("127.0.0.1", port), 5) as sock:
                            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                            sock.recv(100)
                    except OSError:
                        pass

            threads = [threading.Thread(target=come) for _ in range(6)]
            for thread in threads:
                thread.start()
            try:
                time.sleep(0.05)
                server.stop()
            finally:
                over.set()
                for thread in threads:
                    thread.join()
                server.kill()
                server.clean()

    def test_interrupt_is_graceful_too(self):
        server = self.make()
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.await_end(), 0)
        server.check_log()

    def test_hangup_is_graceful_too(self):
        server = self.make()
        with server.client() as client:
            client.message("ana", "kept")
        server.process.send_signal(signal.SIGHUP)
        self.assertEqual(server.await_end(), 0)
        server.check_log()
        self.assertIn("SIGHUP: stopping", server.log())

    def test_a_closed_terminal_says_so_twice(self):
        server = plaza.Server(environment={"PLAZA_FAULT": "answer_before=delay:2000@1"})
        self.addCleanup(server.clean)
        self.addCleanup(server.kill)
        server.start()
        answers = []

        def post():
            with server.client() as client:
                answers.append(client.post("/v1/messages", {"user_id": "ana", "body": "kept"}))

        thread = threading.Thread(target=post)
        thread.start()
        with server.client() as client:
            while client.value("SELECT count(*) FROM messages") == 0:
                pass  # its answer waits from here on
        server.process.send_signal(signal.SIGHUP)
        while "SIGHUP: stopping" not in server.log():
            time.sleep(0.01)
        server.process.send_signal(signal.SIGHUP)
        self.assertEqual(server.await_end(), 0)
        thread.join()
        self.assertEqual([answer.status for answer in answers], [201])
        server.check_log()

    def test_nohup_goes_on(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # inherited by the server
        try:
            server = self.make()
        finally:
            signal.signal(signal.SIGHUP, before)
        server.process.send_signal(signal.SIGHUP)
        with server.client() as client:
            client.message("ana", "still here")
        server.stop()
        self.assertNotIn("SIGHUP", server.log())

    def test_twice_means_now(self):
        server = self.make()
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.send_signal(signal.SIGTERM)
        except ProcessLookupError:
            pass
        server.await_end(15)
        server.start()
        server.stop()

    def test_the_directory_is_free_afterwards(self):
        server = self.make()
        with server.client() as client:
            client.message("ana", "kept")
        server.kill()
        server.start()
        with server.client() as client:
            self.assertEqual(client.value("SELECT count(*) FROM messages"), 1)
        server.stop()
        done = plaza.run_plaza("check", "--data", server.data)
        self.assertEqual(done.returncode, 0, done)


if __name__ == "__main__":
    plaza.main()
