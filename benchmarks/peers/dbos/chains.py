"""DBOS's side of the durable steps: workflows of ten steps that do nothing, on PostgreSQL.

usage: chains.py URL throughput WORKFLOWS   prints steps a second, 64 workflows at once in two processes
       chains.py URL alone WORKFLOWS        prints the median time of one workflow, in milliseconds
       chains.py URL idle                   prints "ready" once DBOS runs, and waits for SIGTERM
"""

import multiprocessing
import signal
import statistics
import sys
import time
from collections import deque
from multiprocessing.synchronize import Barrier

from dbos import DBOS, DBOSConfig, WorkflowHandle

STEPS = 10
AT_ONCE = 64
EXECUTORS = 2  # a process of Python uses one core; the machine has two
WARMUP = 20


@DBOS.step()
def nothing(number: int) -> dict[str, bool]:
    return {"done": True}


@DBOS.workflow()
def chain() -> int:
    return sum(nothing(number)["done"] for number in range(STEPS))


def launch(url: str, executor: str, at_once: int) -> None:
    config: DBOSConfig = {
        "name": "bench",
        "application_version": "bench",
        "executor_id": executor,
        "system_database_url": url,
        "sys_db_pool_size": 10,
        "max_executor_threads": at_once,
        "log_level": "ERROR",
    }
    DBOS(config=config)
    DBOS.launch()


def end(handle: WorkflowHandle[int]) -> None:
    if handle.get_result() != STEPS:
        raise SystemExit("chains.py: a workflow did not do its steps")


def run(workflows: int, at_once: int) -> None:
    """Keeps so many workflows going, until all have ended."""
    handles: deque[WorkflowHandle[int]] = deque()
    for _ in range(workflows):
        if len(handles) == at_once:
            end(handles.popleft())
        handles.append(DBOS.start_workflow(chain))
    while handles:
        end(handles.popleft())


def execute(url: str, executor: str, workflows: int, at_once: int, together: Barrier) -> None:
    launch(url, executor, at_once)
    run(WARMUP, at_once)
    together.wait()
    run(workflows, at_once)
    together.wait()
    DBOS.destroy()


def throughput(url: str, workflows: int) -> float:
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(EXECUTORS + 1, timeout=120)
    share, at_once = workflows // EXECUTORS, AT_ONCE // EXECUTORS
    executors = [
        spawn.Process(target=execute, args=(url, f"bench-{number}", share, at_once, together), daemon=True)
        for number in range(EXECUTORS)
    ]
    for executor in executors:
        executor.start()
    together.wait()
    start = time.perf_counter()
    together.wait()
    elapsed = time.perf_counter() - start
    for executor in executors:
        executor.join(10)
    return share * EXECUTORS * STEPS / elapsed


def alone(url: str, workflows: int) -> float:
    launch(url, "bench", 1)
    durations = []
    for _ in range(WARMUP + workflows):
        start = time.perf_counter()
        if chain() != STEPS:
            raise SystemExit("chains.py: a workflow did not do its steps")
        durations.append(time.perf_counter() - start)
    DBOS.destroy()
    return statistics.median(durations[WARMUP:]) * 1000


def idle(url: str) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    launch(url, "bench", AT_ONCE)
    print("ready", flush=True)
    signal.sigwait({signal.SIGTERM})
    DBOS.destroy()


def main() -> None:
    match sys.argv[1:]:
        case [url, "throughput", workflows]:
            print(f"{throughput(url, int(workflows)):.1f}")
        case [url, "alone", workflows]:
            print(f"{alone(url, int(workflows)):.3f}")
        case [url, "idle"]:
            idle(url)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
