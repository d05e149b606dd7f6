#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the server at random moments under mixed load and looks whether it kept its word.

Each round: start on the directory of the round before, verify the ledger, load, SIGKILL. Now and
then the start itself is killed as well. Rows are few before they are sealed, so that sealing,
folding and publishing are under way all the time.
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ledger as ledgers
import plaza

SERVE = ("--seal-rows", "400")


def kill_while_starting(server, random):
    server.launch()
    time.sleep(random.uniform(0.0, 0.15))
    server.kill()
    server.check_log()


def run_directory(number, rounds, random):
    """One data directory through its rounds. Returns (kills, requests)."""
    kills = 0
    server = plaza.Server(*SERVE)
    book = ledgers.Ledger()
    try:
        for turn in range(rounds):
            server.start()
            with server.client() as client:
                book.prepare(client)
                book.verify(client)
            book.large_wanted = 1 if random.random() < 0.25 else 0
            load = ledgers.Load(book, server.port)
            time.sleep(random.uniform(0.03, 0.3))
            server.kill()
            kills += 1
            load.join()
            server.check_log()
            if random.random() < 0.1:
                kill_while_starting(server, random)
                kills += 1
        server.start()
        with server.client() as client:
            book.verify(client)
        server.stop()
        done = plaza.run_plaza("check", "--data", server.data)
        if done.returncode != 0:
            raise ledgers.Wrong("plaza check: %r" % done)
    except BaseException:
        print("directory %d, turn %d; %s" % (number, turn, server.data))
        print(server.log()[-6000:])
        raise
    finally:
        server.kill()
        server.clean()
    return kills, book.requests


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=25, help="kills of one data directory")
    options, _ = plaza.arguments(parser)
    random = plaza.rng("kill_loop")
    began = time.monotonic()
    kills = requests = number = 0
    while kills < options.kills:
        more = run_directory(number, min(options.rounds, options.kills - kills), random)
        kills += more[0]
        requests += more[1]
        number += 1
        print("%d kills, %d answers, %.0f s" % (kills, requests, time.monotonic() - began),
              flush=True)


if __name__ == "__main__":
    main()
