"""How long a program takes until it says that it is ready, and what memory it then needs.

usage: cold_start.py [--line TEXT | --url URL] [--idle SECONDS] -- COMMAND…

Starts COMMAND, asks URL every millisecond until it answers 200 (or reads the program's output until a line has TEXT),
lets it be for a while, and prints milliseconds and MiB: the resident memory of it and of all its descendants. Pages
that several of them share are counted once a process. Then everything it started is ended.
"""

import argparse
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 90.0


def answers(host: str, port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_for_url(process: subprocess.Popen[bytes], url: str, deadline: float) -> None:
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    while not answers(parts.hostname, parts.port, parts.path):
        if process.poll() is not None:
            raise SystemExit(f"cold_start.py: the program ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise SystemExit(f"cold_start.py: {url} did not answer within {PATIENCE:.0f} seconds")
        time.sleep(0.001)


def wait_for_line(process: subprocess.Popen[bytes], text: str) -> None:
    assert process.stdout
    signal.alarm(int(PATIENCE))
    for line in process.stdout:
        if text.encode() in line:
            signal.alarm(0)
            return
    raise SystemExit("cold_start.py: the program ended without saying that it is ready")


def processes(session: int) -> Iterator[Path]:
    """The folders in /proc of a session's processes."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The command's name may contain anything but ends with the last parenthesis.
            if int((folder / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                yield folder
        except OSError:
            continue  # it has ended


def resident(session: int) -> float:
    pages = sum(int((folder / "statm").read_text().split()[1]) for folder in processes(session))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def end(process: subprocess.Popen[bytes]) -> None:
    """The program is asked first, for it may have others to take down; what is left of its session goes after it."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for folder in list(processes(process.pid)):
        try:
            os.kill(int(folder.name), signal.SIGKILL)
        except ProcessLookupError:
            continue


def main() -> None:
    parser = argparse.ArgumentParser()
    ready = parser.add_mutually_exclusive_group(required=True)
    ready.add_argument("--url")
    ready.add_argument("--line")
    parser.add_argument("--idle", type=float, default=1.0)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    start = time.monotonic()
    process = subprocess.Popen(
        arguments.command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if arguments.line else sys.stderr,
        start_new_session=True,
    )
    try:
        if arguments.line:
            wait_for_line(process, arguments.line)
        else:
            wait_for_url(process, arguments.url, start + PATIENCE)
        elapsed = time.monotonic() - start
        time.sleep(arguments.idle)
        if process.poll() is not None:
            raise SystemExit(f"cold_start.py: the program ended with {process.returncode}")
        print(f"{elapsed * 1000:.1f} {resident(process.pid):.1f}")
    finally:
        end(process)


if __name__ == "__main__":
    main()
