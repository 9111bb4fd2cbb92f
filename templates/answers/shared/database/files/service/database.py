"""PostgreSQL through psycopg2: a few connections kept, each lent for one transaction."""

import logging
import queue
import threading
import time
from contextlib import contextmanager

import psycopg2
from psycopg2.extras import RealDictCursor

log = logging.getLogger("database")


class Unavailable(Exception):
    """The database does not answer now; asking again may help."""


class Database:
    def __init__(self, url, size=4):
        self.url = url
        self.places = queue.LifoQueue()
        self.is_ready = threading.Event()
        for _ in range(size):
            self.places.put(None)

    def connect(self):
        connection = psycopg2.connect(self.url, connect_timeout=5, application_name="application")
        with connection, connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '30s'")
        return connection

    @contextmanager
    def transaction(self):
        """A cursor whose statements are kept together, or not at all where the block raises."""
        try:
            connection = self.places.get(timeout=8)
        except queue.Empty:
            raise Unavailable("every connection is in use") from None
        try:
            if connection is None or connection.closed:
                connection = self.connect()
            with connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
                yield cursor
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as fault:
            if connection is not None:
                connection.close()
            self.drop_idle()
            raise Unavailable(str(fault).strip()) from fault
        finally:
            self.places.put(connection if connection is not None and not connection.closed else None)

    def drop_idle(self):
        """Closes what is not in use: where one connection broke, the others of its time are likely to be broken."""
        for _ in range(self.places.qsize()):
            try:
                connection = self.places.get_nowait()
            except queue.Empty:
                return
            if connection is not None:
                connection.close()
            self.places.put(None)

    def rows(self, sql, *values):
        with self.transaction() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def row(self, sql, *values):
        rows = self.rows(sql, *values)
        return rows[0] if rows else None

    def prepare(self, steps):
        """Runs each step in one transaction, again and again until the database is there and they succeed."""
        delay = 0.25
        while not self.is_ready.is_set():
            try:
                with self.transaction() as cursor:
                    # One instance at a time; the others find the tables made.
                    cursor.execute("SELECT pg_advisory_xact_lock(729144)")
                    for step in steps:
                        step(cursor)
                self.is_ready.set()
                log.info("the database is ready")
            except (Unavailable, psycopg2.Error) as fault:
                log.warning("the database is not ready, trying again: %s", str(fault).splitlines()[:1])
                time.sleep(delay)
                delay = min(delay * 2, 5)
