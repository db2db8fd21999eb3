"""The SQLite file of the run store: one line a run, one line a reported step."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from dgm_core.runs.record import Run

COLUMNS = tuple(f.name for f in fields(Run))
BOOLEANS = frozenset({"touched", "keep"})
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs ({", ".join(COLUMNS)}, PRIMARY KEY (id));
CREATE INDEX IF NOT EXISTS runs_by_key ON runs (key);
CREATE TABLE IF NOT EXISTS metrics (run, step INTEGER, seconds REAL, vals TEXT, PRIMARY KEY (run, step)) WITHOUT ROWID;
"""


class Database:
    """Runs and metrics in one SQLite file in WAL mode, for any number of threads and processes.

    Args:
        path: the file; made when missing.
        on_damage: called, once the file cannot be read, before a fresh one is started; it moves the damaged one away.
        on_fresh: called after that, with the fresh database, to fill it again.
    """

    def __init__(self, path: Path, on_damage: Callable[[str], None], on_fresh: Callable[[Database], None]) -> None:
        self.path, self._on_damage, self._on_fresh = path, on_damage, on_fresh
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        with self._lock:
            existed = path.exists()
            self._query("SELECT count(*) FROM runs", ())
            if not existed:
                on_fresh(self)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def put(self, run: Run) -> None:
        """Write one run's line."""
        marks = ", ".join("?" * len(COLUMNS))
        self._query(f"INSERT OR REPLACE INTO runs VALUES ({marks})", _to_row(run))

    def get(self, run_id: str) -> Run | None:
        """One run, or None."""
        return next(iter(self._runs("WHERE id = ?", (run_id,))), None)

    def by_key(self, key: str) -> list[Run]:
        """The runs of one declaration, newest first."""
        return self._runs("WHERE key = ? ORDER BY created DESC, id DESC", (key,))

    def all(self) -> list[Run]:
        """Every run, newest first."""
        return self._runs("ORDER BY created DESC, id DESC", ())

    def delete(self, run_id: str) -> None:
        """Remove a run and its metrics."""
        self._query("DELETE FROM metrics WHERE run = ?", (run_id,))
        self._query("DELETE FROM runs WHERE id = ?", (run_id,))

    def put_metrics(self, run_id: str, points: Iterable[tuple[int, float, Mapping[str, float]]]) -> None:
        """Write reported steps: (step, seconds, values by name)."""
        rows = [(run_id, step, seconds, json.dumps(dict(values))) for step, seconds, values in points]
        self._query("INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?)", rows, many=True)

    def metrics(self, run_id: str) -> list[tuple[int, float, dict[str, float]]]:
        """What `put_metrics` wrote, by step."""
        rows = self._query("SELECT step, seconds, vals FROM metrics WHERE run = ? ORDER BY step", (run_id,))
        return [(step, seconds, json.loads(values)) for step, seconds, values in rows]

    def rewind(self, run_id: str, step: int) -> None:
        """Forget what was reported after ``step``."""
        self._query("DELETE FROM metrics WHERE run = ? AND step > ?", (run_id, step))

    def _runs(self, clause: str, args: Sequence[Any]) -> list[Run]:
        return [_from_row(row) for row in self._query(f"SELECT {', '.join(COLUMNS)} FROM runs {clause}", args)]

    def _query(self, sql: str, args: Sequence[Any], *, many: bool = False) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; a damaged file is replaced and the statement run again."""
        with self._lock:
            try:
                return self._attempt(sql, args, many)
            except sqlite3.OperationalError:  # locked for too long, disk full, no rights: not damage
                raise
            except sqlite3.DatabaseError as error:
                self.close()
                self._on_damage(str(error))
                self._attempt("SELECT count(*) FROM runs", (), False)
                self._on_fresh(self)
                return self._attempt(sql, args, many)

    def _attempt(self, sql: str, args: Sequence[Any], many: bool) -> list[tuple[Any, ...]]:
        connection = self._open()
        with connection:
            return (connection.executemany(sql, args) if many else connection.execute(sql, args)).fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            # Every use holds the lock, so one connection serves all threads.
            connection = sqlite3.connect(self.path, timeout=10, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise sqlite3.DatabaseError(verdict)
                connection.executescript(SCHEMA)
                found = tuple(row[1] for row in connection.execute("PRAGMA table_info(runs)"))
                if found != COLUMNS:
                    raise sqlite3.DatabaseError("its columns are those of another version")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _to_row(run: Run) -> tuple[Any, ...]:
    values = {name: getattr(run, name) for name in COLUMNS}
    return tuple(json.dumps(values["events"]) if name == "events" else values[name] for name in COLUMNS)


def _from_row(row: Sequence[Any]) -> Run:
    values: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    values["events"] = tuple(json.loads(values["events"]))
    values.update({name: bool(values[name]) for name in BOOLEANS})
    return Run(**values)
