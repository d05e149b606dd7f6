#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of README.md and docs/ against a server, so that they stay true.

An `sh` block below a line `<!-- run -->` is run; a `text` block below `<!-- prints -->` must be the
end of what the example before it printed ("…" stands for anything within a line). All examples of a
page share one server, in order.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import plaza

BLOCK = re.compile(r"^<!-- (run|prints) -->\n+```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEFAULT_URL = "http://127.0.0.1:7780"


def pages():
    yield os.path.join(plaza.ROOT, "README.md")
    yield from sorted(glob.glob(os.path.join(plaza.ROOT, "docs", "**", "*.md"), recursive=True))
    yield from sorted(glob.glob(os.path.join(plaza.ROOT, "*", "README.md")))


def run_block(text, server, folder):
    """Runs one example in a folder of its own; returns what it printed."""
    # The commands name the default address; the test's server has a port of its own.
    text = text.replace(DEFAULT_URL, server.url)
    tools = os.path.join(folder, "bin")
    os.makedirs(tools, exist_ok=True)
    wrapper = os.path.join(tools, "plaza")
    with open(wrapper, "w", encoding="utf-8") as file:
        # A client command that names no server means the default one.
        file.write('#!/bin/sh\nverb=$1; shift\ncase "$verb $*" in\n'
                   '*--url*|*--data*|*--out*|*--help*|*--version*) ;;\n'
                   'sql*|import*|simulate*) set -- --url %s "$@" ;;\nesac\n'
                   'exec %s "$verb" "$@"\n' % (server.url, plaza.find_binary()))
    os.chmod(wrapper, 0o755)
    environment = plaza.clean_environment()
    environment["PATH"] = tools + ":" + environment["PATH"]
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    output = done.stdout.decode()
    if done.returncode != 0:
        raise AssertionError("ended with %d\n%s\n%s%s" % (
            done.returncode, text, output, done.stderr.decode()))
    if '"status":4' in output or '"status":5' in output:
        raise AssertionError("answered with a problem\n%s\n%s" % (text, output))
    return output


def expect_end(output, wanted):
    lines = output.replace("\r\n", "\n").strip().split("\n")
    patterns = [".*".join(map(re.escape, line.split("…"))) for line in wanted.strip().split("\n")]
    tail = lines[-len(patterns):]
    if len(tail) != len(patterns) or not all(
            re.fullmatch(pattern, line) for pattern, line in zip(patterns, tail)):
        raise AssertionError("printed\n%s\nnot\n%s" % (output, wanted))


def run_page(path):
    with open(path, encoding="utf-8") as file:
        blocks = BLOCK.findall(file.read())
    if not blocks:
        return 0
    count = 0
    folder = tempfile.mkdtemp(prefix="plaza-test-")
    try:
        os.symlink(os.path.join(plaza.ROOT, "tests"), os.path.join(folder, "tests"))
        with plaza.Server() as server:
            output = ""
            for kind, language, text in blocks:
                if kind == "run":
                    if language != "sh":
                        raise AssertionError("only sh blocks are run, not " + language)
                    output = run_block(text, server, folder)
                    count += 1
                else:
                    expect_end(output, text)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("%s: %d examples" % (os.path.relpath(path, plaza.ROOT), count), flush=True)
    return count


def check_links(path):
    """Links to files of the tree lead somewhere."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for target in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in target:
            there = os.path.join(os.path.dirname(path), target)
            if not os.path.exists(there):
                raise AssertionError("%s links to %s, which is not there" % (
                    os.path.relpath(path, plaza.ROOT), target))


def main():
    count = 0
    for path in pages():
        check_links(path)
        count += run_page(path)
    if count < 5:
        sys.exit("only %d examples were found" % count)


if __name__ == "__main__":
    main()
