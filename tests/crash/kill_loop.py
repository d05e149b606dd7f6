#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the server at random moments under mixed load and looks whether it kept its word.

Each round: start on the directory of the round before, verify the ledger, load, SIGKILL. Now and
then the start itself is killed as well. Rows are few before they are sealed and folded, so that
sealing, folding, trimming and loading are under way all the time; the server's log tells which were
when it was killed, and the test fails when kills met none of a kind.
"""

import argparse
import collections
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ledger as ledgers
import plaza

SERVE = ("--seal-rows", "400", "--log-level", "debug")
STAGE = re.compile(r'msg="(seal|fold|trim|load) (begins|ends)')
STAGES = ("seal", "fold", "trim", "load")
ENOUGH_KILLS = 100  # to hold the test to all stages
AIM_SECONDS = 60  # for a stage that no kill met in the first half


def stages_under_way(log):
    """What had begun and not ended."""
    count = collections.Counter()
    for stage, what in STAGE.findall(log):
        count[stage] += 1 if what == "begins" else -1
    return [stage for stage in STAGES if count[stage] > 0]


def await_moment(server, stage, patience, random):
    """Lets the load run for a random time, and with `stage` until that has begun, or that long."""
    time.sleep(random.uniform(0.03, 0.3) if random.random() < 0.97 else 2.5)
    deadline = time.monotonic() + patience
    while stage and stage not in stages_under_way(server.log()) and time.monotonic() < deadline:
        time.sleep(0.0003)
    if stage:
        time.sleep(random.uniform(0, 0.003))


def kill_while_starting(server, random):
    server.launch()
    time.sleep(random.uniform(0.0, 0.15))
    server.kill()
    server.check_log()


def choose_stage(is_late, met, random):
    """(stage to kill in or None, seconds to wait for it): late, what has not been met yet."""
    missed = [stage for stage in STAGES if met[stage] == 0]
    if is_late and missed:
        return missed[0], AIM_SECONDS
    return random.choice((None, None, None, "seal", "fold", "trim")), 0.4


def run_directory(number, rounds, is_late, random, met):
    """One data directory through its rounds. Returns (kills, requests); counts in `met` what the
    kills fell into."""
    kills = 0
    server = plaza.Server(*SERVE)
    book = ledgers.Ledger()
    try:
        for turn in range(rounds):
            server.start()
            with server.client() as client:
                book.prepare(client)
                book.verify(client)
            stage, patience = choose_stage(is_late, met, random)
            book.large_wanted = 1 if stage == "load" or random.random() < 0.25 else 0
            load = ledgers.Load(book, server.port)
            await_moment(server, stage, patience, random)
            server.kill()
            kills += 1
            met.update(stages_under_way(server.log()) or ["none"])
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
    met = collections.Counter()
    while kills < options.kills:
        rounds = min(options.rounds, options.kills - kills)
        more = run_directory(number, rounds, kills * 2 >= options.kills, random, met)
        kills += more[0]
        requests += more[1]
        number += 1
        print("%d kills, %d answers, %.0f s" % (kills, requests, time.monotonic() - began),
              flush=True)
    print("killed in %s" % ", ".join("%s %d" % (s, met[s]) for s in (*STAGES, "none")))
    missed = [stage for stage in STAGES if met[stage] == 0]
    if missed and kills >= ENOUGH_KILLS:
        raise ledgers.Wrong("no kill fell into: %s" % ", ".join(missed))


if __name__ == "__main__":
    main()
