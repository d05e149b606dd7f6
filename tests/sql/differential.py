# SPDX-License-Identifier: Apache-2.0
"""Random queries, answered by plaza and by SQLite over the same rows, must agree.

plaza answers twice: with rows partly in segments, whole vectors and two threads; and with all rows in
the tail, vectors of 7 rows and one thread. These two must agree byte for byte.

Each piece of a query is made twice, once for each dialect, and carries its type:
    I BIGINT, R DOUBLE, T TEXT, B BOOLEAN, S TIMESTAMP, D DATE
Only what both know with the same meaning is generated: no division by zero, no overflow, ASCII in
functions of case, NULLS FIRST or LAST always said, and a LIMIT only over a total order.

    differential.py SQL_SHELL [--seed N] [--queries N]
"""

import argparse
import math
import random
import re
import sqlite3
import subprocess
import sys
import time

COLUMNS = {
    "id": "I", "a": "I", "b": "I", "x": "R", "y": "R", "s": "T", "k": "T", "u": "T",
    "at": "S", "d": "D", "f": "B",
}
PLAZA_TABLE = (
    "CREATE TABLE t (id BIGINT NOT NULL, a BIGINT, b BIGINT, x DOUBLE, y DOUBLE, s SYMBOL,"
    " k SYMBOL, u TEXT, at TIMESTAMP, d DATE, f BOOLEAN)"
)
SQLITE_TABLE = (
    "CREATE TABLE t (id INTEGER, a INTEGER, b INTEGER, x REAL, y REAL, s TEXT, k TEXT, u TEXT,"
    " at TEXT, d TEXT, f INTEGER)"
)
WORDS = ["ana", "bob", "cy", "dee", "Eve", "", "a%b", "x_y", "zz top", "ana bob"]


class Shell:
    """plaza's sql_shell behind a pipe."""

    def __init__(self, path, *options):
        self.process = subprocess.Popen(
            [path, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, sql):
        self.process.stdin.write(sql.replace("\n", " ") + "\n")
        self.process.stdin.flush()
        head = self.process.stdout.readline()
        if not head:
            raise SystemExit(f"sql_shell ended: {self.process.wait()}\n  {sql}")
        kind, _, rest = head.rstrip("\n").partition(" ")
        if kind == "rows":
            types, _, count = rest.rpartition(" ")
            rows = [self.process.stdout.readline().rstrip("\n") for _ in range(int(count))]
            return types, [row.split("\t") for row in rows]
        if kind == "ok":
            return "", int(rest)
        raise AnswerError(rest)

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


class AnswerError(Exception):
    pass


class Piece:
    """An expression in both dialects."""

    def __init__(self, plaza, sqlite, kind):
        self.plaza, self.sqlite, self.kind = plaza, sqlite, kind


class Maker:
    """Makes random pieces over the columns of a scope."""

    def __init__(self, rng):
        self.rng = rng
        self.scope = [Piece(name, name, kind) for name, kind in COLUMNS.items()]

    def column(self, kind):
        found = [piece for piece in self.scope if piece.kind == kind]
        return self.rng.choice(found) if found else self.literal(kind)

    def literal(self, kind):
        rng = self.rng
        if kind == "I":
            text = str(rng.randint(-20, 60))
            return Piece(text, text, kind)
        if kind == "R":
            text = str(rng.randint(-80, 400) / 8)
            return Piece(text, text, kind)
        if kind == "T":
            text = "'" + rng.choice(WORDS).replace("'", "''") + "'"
            return Piece(text, text, kind)
        if kind == "B":
            return rng.choice([Piece("true", "1", kind), Piece("false", "0", kind)])
        if kind == "D":
            text = f"2026-{rng.randint(1, 4):02d}-{rng.randint(1, 28):02d}"
            return Piece(f"DATE '{text}'", f"'{text}'", kind)
        text = f"2026-{rng.randint(1, 4):02d}-{rng.randint(1, 28):02d} {rng.randint(0, 23):02d}:00:00"
        return Piece(f"TIMESTAMP '{text}'", f"'{text}'", kind)

    def two(self, template, pieces, kind, sqlite=None):
        """A piece from a template with {0}, {1} …; another one for SQLite if it differs."""
        return Piece(
            template.format(*[piece.plaza for piece in pieces]),
            (sqlite or template).format(*[piece.sqlite for piece in pieces]),
            kind,
        )

    def make(self, kind, depth):
        rng = self.rng
        if depth <= 0 or rng.random() < 0.25:
            return self.column(kind) if rng.random() < 0.8 else self.literal(kind)
        if rng.random() < 0.12:
            return self.choice(kind, depth)
        return getattr(self, "make_" + kind.lower())(depth)

    def choice(self, kind, depth):
        rng = self.rng
        form = rng.randrange(4)
        one, two = self.make(kind, depth - 1), self.make(kind, depth - 1)
        if form == 0:
            return self.two("coalesce({0}, {1})", [one, two], kind)
        if form == 1:
            return self.two("nullif({0}, {1})", [one, two], kind)
        condition = self.make("B", depth - 1)
        if form == 2:
            return self.two("CASE WHEN {0} THEN {1} END", [condition, one], kind)
        return self.two("CASE WHEN {0} THEN {1} ELSE {2} END", [condition, one, two], kind)

    def make_i(self, depth):
        rng = self.rng
        sub = lambda kind: self.make(kind, depth - 1)
        form = rng.randrange(10)
        if form < 3:
            return self.two("({0} " + rng.choice("+-") + " {1})", [sub("I"), sub("I")], "I")
        if form == 3:
            return self.two("({0} * {1})", [sub("I"), self.literal("I")], "I")
        if form == 4:
            operator = rng.choice("/%")
            return self.two("({0} " + operator + " nullif({1}, 0))", [sub("I"), sub("I")], "I")
        if form == 5:
            return self.two("length({0})", [sub("T")], "I")
        if form == 6:
            return self.two("abs({0})", [sub("I")], "I")
        if form == 7:
            field, code = rng.choice([("year", "%Y"), ("month", "%m"), ("day", "%d"),
                                      ("hour", "%H"), ("doy", "%j"), ("dow", "%w")])
            return self.two("extract(" + field + " FROM {0})", [sub("S")], "I",
                            "CAST(strftime('" + code + "', {0}) AS INTEGER)")
        if form == 8:
            return self.two("({0} - {1})", [sub("D"), sub("D")], "I",
                            "CAST(julianday({0}) - julianday({1}) AS INTEGER)")
        return self.two("(- {0})", [self.column("I")], "I")

    def make_r(self, depth):
        rng = self.rng
        sub = lambda kind: self.make(kind, depth - 1)
        form = rng.randrange(6)
        if form < 2:
            return self.two("({0} " + rng.choice("+-") + " {1})", [sub("R"), sub(rng.choice("IR"))], "R")
        if form == 2:
            return self.two("({0} * {1})", [sub("R"), self.literal(rng.choice("IR"))], "R")
        if form == 3:
            return self.two("({0} / 4.0)", [sub(rng.choice("IR"))], "R")
        if form == 4:
            return self.two("abs({0})", [sub("R")], "R")
        return self.two("CAST({0} AS DOUBLE)", [sub("I")], "R", "CAST({0} AS REAL)")

    def make_t(self, depth):
        rng = self.rng
        sub = lambda: self.make("T", depth - 1)
        form = rng.randrange(7)
        if form == 0:
            return self.two("({0} || {1})", [sub(), sub()], "T")
        if form == 1:
            return self.two(rng.choice(["lower", "upper", "trim"]) + "({0})", [sub()], "T")
        if form == 2:
            begin, count = rng.randint(1, 4), rng.randint(0, 3)
            return self.two("substr({0}, " + f"{begin}, {count})", [sub()], "T")
        if form == 3:
            return self.two("replace({0}, 'a', 'oo')", [sub()], "T")
        if form == 4:
            return self.two("({0} || {1})", [sub(), self.make("I", depth - 1)], "T")
        if form == 5:
            return self.two("CAST({0} AS TEXT)", [self.make("I", depth - 1)], "T")
        return self.column("T")

    def make_s(self, depth):
        rng = self.rng
        form = rng.randrange(4)
        sub = self.make("S", depth - 1)
        if form == 0:
            unit, code = rng.choice([("year", "%Y-01-01 00:00:00"), ("month", "%Y-%m-01 00:00:00"),
                                     ("day", "%Y-%m-%d 00:00:00"), ("hour", "%Y-%m-%d %H:00:00")])
            return self.two("date_trunc('" + unit + "', {0})", [sub], "S",
                            "strftime('" + code + "', {0})")
        if form == 1:
            count, unit = rng.randint(1, 50), rng.choice(["hours", "days", "minutes"])
            return self.two("({0} + INTERVAL '" + f"{count} {unit}')", [sub], "S",
                            "datetime({0}, '+" + f"{count} {unit}')")
        if form == 2:
            return self.two("CAST({0} AS TIMESTAMP)", [self.make("D", depth - 1)], "S",
                            "datetime({0})")
        return sub

    def make_d(self, depth):
        rng = self.rng
        if rng.random() < 0.5:
            return self.two("CAST({0} AS DATE)", [self.make("S", depth - 1)], "D", "date({0})")
        days = rng.randint(-40, 40)
        return self.two("({0} + " + f"({days}))", [self.make("D", depth - 1)], "D",
                        "date({0}, '" + f"{days:+d} days')")

    def make_b(self, depth):
        rng = self.rng
        sub = lambda kind: self.make(kind, depth - 1)
        form = rng.randrange(13)
        kind = rng.choice("IIIRTTSDB")
        if form < 4:
            operator = rng.choice(["=", "<>", "<", "<=", ">", ">="])
            return self.two("({0} " + operator + " {1})", [sub(kind), sub(kind)], "B")
        if form == 4:
            return self.two("({0} AND {1})", [sub("B"), sub("B")], "B")
        if form == 5:
            return self.two("({0} OR {1})", [sub("B"), sub("B")], "B")
        if form == 6:
            return self.two("(NOT {0})", [sub("B")], "B")
        if form == 7:
            return self.two("({0} IS " + rng.choice(["", "NOT "]) + "NULL)", [sub(kind)], "B")
        if form == 8:
            items = [self.literal(kind) for _ in range(rng.randint(1, 4))]
            if rng.random() < 0.1:
                items.append(Piece("NULL", "NULL", kind))
            marks = ", ".join("{%d}" % (i + 1) for i in range(len(items)))
            no = rng.choice(["", "NOT "])
            return self.two("({0} " + no + "IN (" + marks + "))", [sub(kind)] + items, "B")
        if form == 9:
            no = rng.choice(["", "NOT "])
            return self.two("({0} " + no + "BETWEEN {1} AND {2})",
                            [sub(kind), self.literal(kind), self.literal(kind)], "B")
        if form == 10:
            pattern = rng.choice(["a%", "%b%", "_o%", "%", "", "ana", "%a", "a\\%b", "%_%"])
            no = rng.choice(["", "NOT "])
            return self.two("({0} " + no + "LIKE '" + pattern + "')", [sub("T")], "B",
                            "({0} " + no + "LIKE '" + pattern + "' ESCAPE '\\')")
        if form == 11:
            no = rng.choice(["", "NOT "])
            return self.two("({0} IS " + no + "DISTINCT FROM {1})", [sub(kind), sub(kind)], "B")
        test = rng.choice(["TRUE", "FALSE", "NOT TRUE", "NOT FALSE"])
        return self.two("({0} IS " + test + ")", [sub("B")], "B")

    def aggregate(self, depth):
        rng = self.rng
        form = rng.randrange(7)
        kind = rng.choice("IIRTSD")
        if form == 0:
            return Piece("count(*)", "count(*)", "I")
        if form == 1:
            return self.two("count({0})", [self.make(kind, depth)], "I")
        if form == 2:
            return self.two("count(DISTINCT {0})", [self.make(kind, depth)], "I")
        if form == 3:
            kind = rng.choice("IR")
            return self.two("sum({0})", [self.make(kind, depth)], kind)
        if form == 4:
            return self.two("avg({0})", [self.make(rng.choice("IR"), depth)], "R")
        return self.two(rng.choice(["min", "max"]) + "({0})", [self.make(kind, depth)], kind)


class Query:
    """A SELECT in both dialects, with the kinds of its columns."""

    def __init__(self, plaza, sqlite, kinds):
        self.plaza, self.sqlite, self.kinds = plaza, sqlite, kinds


def make_tail(rng, count):
    """ORDER BY all columns, and perhaps LIMIT and OFFSET: the same in both dialects."""
    order = list(range(1, count + 1))
    rng.shuffle(order)
    keys = [f"{n} {rng.choice(['ASC', 'DESC'])} NULLS {rng.choice(['FIRST', 'LAST'])}"
            for n in order]
    tail = " ORDER BY " + ", ".join(keys)
    if rng.random() < 0.4:
        tail += f" LIMIT {rng.randint(0, 30)}"
        if rng.random() < 0.4:
            tail += f" OFFSET {rng.randint(0, 20)}"
    return tail


def join(pieces, dialect):
    return ", ".join(getattr(piece, dialect) for piece in pieces)


def is_constant(piece):
    """Whether it names no column: in GROUP BY it is a position then, or refused."""
    without_texts = re.sub(r"'[^']*'", "", piece.sqlite)
    return not any(re.fullmatch(r"c\d", word) or word in COLUMNS
                   for word in re.findall(r"\w+", without_texts))


def make_query(rng, depth=0):
    maker = Maker(rng)
    source = {"plaza": "t", "sqlite": "t"}
    if depth < 2 and rng.random() < 0.3:
        inner = make_query(rng, depth + 1)
        names = [f"c{i}" for i in range(len(inner.kinds))]
        maker.scope = [Piece(name, name, kind) for name, kind in zip(names, inner.kinds)]
        source = {"plaza": f"({inner.plaza}) AS q", "sqlite": f"({inner.sqlite}) AS q"}
    where = maker.make("B", 3) if rng.random() < 0.6 else None
    form = rng.random()
    groups, having = [], None
    if form < 0.35:
        items = [maker.make(rng.choice("IIRTTSDB"), 2) for _ in range(rng.randint(1, 4))]
    elif form < 0.5:
        items = [maker.aggregate(2) for _ in range(rng.randint(1, 4))]
    else:
        simple = rng.random() < 0.6
        groups = [maker.column(rng.choice("IITTTDSB")) if simple
                  else maker.make(rng.choice("IITTSDB"), 2) for _ in range(rng.randint(1, 3))]
        items = groups + [maker.aggregate(1) for _ in range(rng.randint(0, 3))]
        if rng.random() < 0.25:
            total = maker.aggregate(1)
            having = maker.two("{0} > {1}", [total, maker.literal(total.kind)], "B")
    distinct = "DISTINCT " if rng.random() < 0.15 else ""
    texts = {}
    tail = make_tail(rng, len(items))
    by_position = rng.random() < 0.5 or any(is_constant(piece) for piece in groups)
    for dialect in ("plaza", "sqlite"):
        listed = ", ".join(f"{getattr(piece, dialect)} AS c{i}" for i, piece in enumerate(items))
        text = f"SELECT {distinct}{listed} FROM {source[dialect]}"
        if where:
            text += " WHERE " + getattr(where, dialect)
        if groups:
            # SQLite folds what it can and takes a number for a position: it always gets positions.
            positions = by_position or dialect == "sqlite"
            text += " GROUP BY " + (", ".join(str(i + 1) for i in range(len(groups))) if positions
                                    else join([Piece(f"({p.plaza})", f"({p.sqlite})", p.kind)
                                               for p in groups], dialect))
        if having:
            text += " HAVING " + getattr(having, dialect)
        texts[dialect] = text + tail
    return Query(texts["plaza"], texts["sqlite"], "".join(piece.kind for piece in items))



# ---- comparing -----------------------------------------------------------------------------


def plaza_value(text, kind):
    if text == "NULL":
        return None
    if kind == "I":
        return int(text)
    if kind == "R":
        return float(text)
    if kind == "B":
        return text == "true"
    if kind == "S":
        return text.replace("T", " ").replace(".000000Z", "")
    if kind == "T":
        return "" if text == "(empty)" else text.replace("\\\\", "\\")
    return text


def sqlite_value(value, kind):
    if value is None:
        return None
    if kind == "B":
        return bool(value)
    if kind == "R":
        return float(value)
    return value


def same(one, two):
    if isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=1e-9, abs_tol=1e-9)
    return one == two


def compare(shell, other, database, query):
    """None when all agree, or what to show."""
    try:
        found = database.execute(query.sqlite).fetchall()
    except sqlite3.Error as error:
        return f"SQLite fails: {error}"
    theirs = [
        [sqlite_value(value, kind) for value, kind in zip(row, query.kinds)] for row in found
    ]
    try:
        types, rows = shell.ask(query.plaza)
        again = other.ask(query.plaza)
    except AnswerError as error:
        return f"plaza fails: {error}"
    if again != (types, rows):
        return f"plaza disagrees with itself:\n  {rows[:50]}\n  {again[1][:50]}"
    if types != query.kinds:
        return f"types {types}, expected {query.kinds}"
    ours = [[plaza_value(text, kind) for text, kind in zip(row, types)] for row in rows]
    if len(ours) == len(theirs) and all(
        same(one, two) for a, b in zip(ours, theirs) for one, two in zip(a, b)
    ):
        return None
    lines = [f"plaza {len(ours)} rows, SQLite {len(theirs)} rows"]
    for a, b in list(zip(ours + [None] * len(theirs), theirs + [None] * len(ours)))[:200]:
        if (a is None) != (b is None) or (a and not all(same(x, y) for x, y in zip(a, b))):
            lines.append(f"  plaza {a}\n  SQLite {b}")
            break
    return "\n".join(lines)


# ---- rows ----------------------------------------------------------------------------------


def make_row(rng, number):
    maybe = lambda value: None if rng.random() < 0.12 else value
    when = f"2026-{rng.randint(1, 4):02d}-{rng.randint(1, 28):02d}"
    return (
        number, maybe(rng.randint(-20, 20)), maybe(rng.randint(-1000, 1000)),
        maybe(rng.randint(-400, 400) / 8), maybe(rng.randint(0, 40) / 4),
        maybe(rng.choice(WORDS)), maybe(rng.choice(WORDS[:3])),
        maybe(rng.choice(WORDS) + rng.choice(["", "!", " b"])),
        maybe(f"{when} {rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:00"),
        maybe(f"2026-{rng.randint(1, 3):02d}-{rng.randint(1, 28):02d}"),
        maybe(rng.random() < 0.5),
    )


def sql_literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def fill(rng, shells, database, first, count):
    rows = [make_row(rng, number) for number in range(first, first + count)]
    for begin in range(0, count, 100):
        part = rows[begin : begin + 100]
        values = ", ".join("(" + ", ".join(map(sql_literal, row)) + ")" for row in part)
        for shell in shells:
            shell.ask("INSERT INTO t VALUES " + values)
    database.executemany("INSERT INTO t VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queries", type=int, default=2000)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    shell = Shell(options.shell, "--threads", "2")
    other = Shell(options.shell, "--threads", "1", "--vector", "7")
    shells = [shell, other]
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA case_sensitive_like = ON")
    for each in shells:
        each.ask(PLAZA_TABLE)
    database.execute(SQLITE_TABLE)
    began = time.monotonic()
    failures = 0
    rows = 0
    for number in range(options.queries):
        if number % 400 == 0:
            # Rows partly in segments, partly in the tail, with some deleted now and then.
            fill(rng, shells, database, rows, 200)
            rows += 200
            if number % 800 == 0:
                shell.ask(".seal")
            else:
                for each in shells:
                    each.ask("DELETE FROM t WHERE id % 17 = 3")
                database.execute("DELETE FROM t WHERE id % 17 = 3")
        query = make_query(rng)
        problem = compare(shell, other, database, query)
        if problem:
            failures += 1
            print(f"query {number}:\n  {query.plaza}\n  {query.sqlite}\n{problem}\n")
            if failures >= 10:
                break
    status = shell.close() or other.close()
    seconds = time.monotonic() - began
    print(f"{options.queries} queries, seed {options.seed}, {failures} differ, {seconds:.1f} s")
    return 1 if failures or status != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
