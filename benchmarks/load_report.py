"""The record of benchmarks/load, for people and for programs."""
import json
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def percentiles(values):
    """p50, p99 and the largest, in milliseconds."""
    if not values:
        return None
    ordered = sorted(values)
    place = lambda share: round(ordered[int(share * (len(ordered) - 1))] * 1000, 1)
    return {"p50": place(0.5), "p99": place(0.99), "max": place(1), "count": len(ordered)}


def commit():
    run = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return run.stdout.strip() or "a tree without git"


def machine():
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return f"{model[1] if model else 'an unknown processor'}, {os.cpu_count()} cores, Linux {os.uname().release}"


def table(record):
    """The phases as rows of Markdown."""
    def pair(values):
        return f"{values['p50']:,.0f} / {values['p99']:,.0f}" if values else ""

    rows = [
        "| phase | GETs/s answered | GET p50 / p99, since due | POST p50 / p99 | step beyond its call p50 / p99 "
        "| runs completed | event p50 / p99 | canary's POST p50 / p99 | canary's run beyond its call p50 / p99 "
        "| MiB | files | threads | connections |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for phase in record["phases"]:
        gets, streams, canary, peak = phase.get("gets"), phase.get("streams"), phase["canary"], phase["peak"]
        cells = [
            phase["phase"], f"{gets['per_second']:,}" if gets else "", pair(gets and gets["since_due_ms"]),
            pair(phase.get("posts_ms")), pair(phase.get("steps_ms")),
            f"{phase['completed']} of {phase['runs']}" if "runs" in phase else "",
            pair(streams and streams["since_written_ms"]), pair(canary["post_ms"]), pair(canary["run_ms"]),
            *(str(peak[name]) for name in ("rss", "files", "threads", "database_connections")),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def report(record):
    answers = [
        f"- {phase['phase']}: " + ", ".join(
            f"{kind} {phase[kind]['statuses']}" for kind in ("gets", "streams", "posts") if kind in phase)
        + (f", {phase['gets']['not_sent']:,} of {phase['gets']['offered']:,} GETs not sent" if "gets" in phase else "")
        for phase in record["phases"] if "gets" in phase or "streams" in phase
    ]
    lines = [
        "# Load", "",
        "Written by `benchmarks/load`; what the columns mean is in [docs/load.md](../docs/load.md).",
        "Times are in milliseconds.", "", *table(record), "",
        f"- resident memory: {record['rss_at_start']} MiB at the start, {record['rss_after_first']} MiB after the first "
        f"round of everything, {record['rss_after_second']} MiB after the second, {record['rss_at_end']} MiB at the end",
        f"- a stream took {record['kib_a_stream']} KiB of it", *answers,
        f"- {record['date']} UTC, of {record['commit']}, by `{record['command']}`", f"- {record['machine']}",
        f"- load average before {record['load_before']}, after {record['load_after']}", "",
    ]
    (ROOT / "benchmarks/load.md").write_text("\n".join(lines))
    (ROOT / "benchmarks/load.json").write_text(json.dumps(record, indent=1) + "\n")
