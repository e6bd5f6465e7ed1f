#!/usr/bin/env python3
"""A store with very many messages: it takes sends as fast as an empty one, answers for its oldest messages at once, starts
quickly after a kill -9, and stays small.

    bench/soak.py [--messages 100000000] [--pairs 5] [--seconds 10]
    bench/soak.py --crash-test build/release/tests/rmq_crash_test      and random kills and power cuts, too
    bench/soak.py --messages 300000 --pairs 2 --seconds 3              whether it works at all: a minute

Results go to bench/results/soak.md; the exit code is 1 when something does not hold. 100 million messages take about 40 GB
below --directory (a new directory in build/), which are removed at the end; where the disk has less, fewer are sent. RMQ_BIN
names the executable. Needs the machine for itself.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

import soak_store
from soak_store import ROOT, TOPICS, Store, say

sys.path.insert(0, str(ROOT / "tests/cluster"))
import load  # noqa: E402

MIB = 1 << 20
RATE = 30_000  # sends a second, open loop
RATE_SHARE_MIN = 0.9
P99_RATIO_MAX = 1.5
FIRST_PULL_SECONDS_MAX = 0.1
READY_SECONDS_MAX = 2.0
MEMORY_BYTES_MAX = 200 * MIB
READER_MB = 50
WARM_UP_SECONDS = 2
KILLS = 2
KILL_SECONDS = 5.0  # the store's notes of what is on disk are a second apart
INDEX_BEHIND_MAX = 1 << 30  # it is noted every 30 s


@dataclasses.dataclass
class Row:
    what: str
    measured: str
    wanted: str = ""
    holds: bool | None = None  # None: nothing is wanted


class Report:
    """What was found, row by row; each is said as it comes."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.rows: list[Row] = []
        self.pairs: list[tuple[dict, dict]] = []  # of the empty store, of the full one
        self.notes: list[str] = []

    def add(self, what: str, measured: str, wanted: str = "", holds: bool | None = None) -> None:
        self.rows.append(Row(what, measured, wanted, holds))
        word = {None: "", True: ": holds", False: ": DOES NOT HOLD"}[holds]
        say(f"{what}: {measured}{f' (wanted: {wanted})' if wanted else ''}{word}")

    @property
    def holds(self) -> bool:
        return all(row.holds is not False for row in self.rows)

    def text(self) -> str:
        options = self.options
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
        machine = (f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}, "
                   f"{memory:.0f} GiB of memory")
        command = f"bench/soak.py --messages {options.messages} --pairs {options.pairs} --seconds {options.seconds:g}"
        if options.crash_test:
            command += f" --crash-test {options.crash_test} --crash-seeds {options.crash_seeds}"
        lines = ["# A store with very many messages", "",
                 f"{time.strftime('%Y-%m-%d')}, {machine}. Servers and load share the machine. Bodies of {soak_store.BODY_BYTES}",
                 f"bytes, {len(TOPICS)} topics with {soak_store.QUEUES} queues each, async flush.",
                 "", f"    {command}", "", "| what | measured | wanted | holds |", "| --- | ---: | ---: | --- |"]
        words = {None: "", True: "yes", False: "**no**"}
        lines += [f"| {row.what} | {row.measured} | {row.wanted} | {words[row.holds]} |" for row in self.rows]
        if self.pairs:
            lines += ["", f"{RATE:,} sends a second, open loop, {options.seconds:g} s each, in turn; latencies in microseconds:", "",
                      "| pair | empty: sends a second | p50 | p99 | full: sends a second | p50 | p99 |", "|" + " ---: |" * 7]
            lines += [f"| {number} | {figures(empty)} | {figures(full)} |" for number, (empty, full) in enumerate(self.pairs, 1)]
        if self.notes:
            lines += ["", *self.notes]
        return "\n".join(lines) + "\n"


def figures(result: dict) -> str:
    latency = result["latency_us"]
    return f"{result['messages_per_second']:,.0f} | {latency['p50']:,.0f} | {latency['p99']:,.0f}"


def open_loop(store: Store, seconds: float) -> dict:
    return store.produce(seconds, WARM_UP_SECONDS, "--rate", str(RATE))


def share(result: dict) -> float:
    return result["messages_per_second"] / RATE


def make_backlog(report: Report, full: Store, directory: pathlib.Path) -> None:
    options = report.options
    later = int(RATE * (2 * options.pairs + 2) * (options.seconds + WARM_UP_SECONDS))
    wanted = soak_store.messages_with_room(directory, options.messages, later)
    if wanted < options.messages:
        report.notes.append(f"{options.messages:,} messages were asked for; the disk had room for {wanted:,}.")
        say(report.notes[-1])
    if wanted == 0:
        raise RuntimeError(f"no room for messages in {directory}: name another one with --directory")
    begin = time.monotonic()
    acknowledged, failed = full.fill(wanted)
    seconds = time.monotonic() - begin
    os.sync()  # what follows begins with a quiet disk
    full.wait_dispatched()
    there = sum(full.ends().values())
    report.add("messages in the store", f"{there:,}", f"{acknowledged:,} acknowledged", there >= acknowledged)
    report.add("made by batches of 32", f"{seconds:.0f} s, {there / seconds:,.0f} a second, {failed} requests failed")
    size = full.disk_bytes()
    report.add("disk", f"{size / 1e9:.1f} GB, {size / there:,.0f} bytes a message")


def compare_with_empty(report: Report, empty: Store, full: Store) -> None:
    for number in range(report.options.pairs):
        order = [empty, full] if number % 2 == 0 else [full, empty]
        result = {store: open_loop(store, report.options.seconds) for store in order}
        report.pairs.append((result[empty], result[full]))
        say(f"pair {number + 1}: empty {figures(result[empty])}, full {figures(result[full])} (sends a second | p50 | p99, us)")
    lowest = min(share(full_result) for _, full_result in report.pairs)
    of_empty = min(share(empty_result) for empty_result, _ in report.pairs)
    report.add(f"share of {RATE:,} sends a second, the lowest of {report.options.pairs}", f"{lowest:.3f} (empty: {of_empty:.3f})",
               f">= {RATE_SHARE_MIN}", lowest >= RATE_SHARE_MIN)
    p99 = [statistics.median(pair[index]["latency_us"]["p99"] for pair in report.pairs) for index in (0, 1)]
    report.add("p99 of these, median, beside the empty store's", f"{p99[1]:,.0f} us / {p99[0]:,.0f} us = {p99[1] / p99[0]:.2f}",
               f"<= {P99_RATIO_MAX}", p99[1] <= P99_RATIO_MAX * p99[0])
    errors = [result["errors"] for pair in report.pairs for result in pair if result["errors"]]
    report.add("sends of these that failed", f"{errors or 0}", "0", not errors)


@contextlib.contextmanager
def cold_reader(store: Store):
    """Runs bench/soak_reader.py. Yields a dict that has its result afterwards."""
    command = [sys.executable, ROOT / "bench/soak_reader.py", "%s:%d" % store.server.broker, *TOPICS, "--rate", str(READER_MB)]
    result: dict = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout.readline() != "reading\n":
                raise RuntimeError(f"the cold reader did not begin, code {process.wait()}")
            yield result
            process.stdin.close()
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the cold reader ended early, code {process.wait()}")
            result.update(json.loads(line))
        finally:
            if process.poll() is None:
                process.kill()


def send_beside_reader(report: Report, full: Store) -> None:
    seconds = 2 * report.options.seconds
    say(f"a cold reader of at most {READER_MB} MB/s beside {RATE:,} sends a second for {seconds:g} s")
    full.drop_cache()
    from_disk = full.read_from_disk()
    with cold_reader(full) as reader:
        sent = open_loop(full, seconds)
    from_disk = full.read_from_disk() - from_disk
    report.add(f"share of {RATE:,} sends a second beside a cold reader", f"{share(sent):.3f}, p99 {sent['latency_us']['p99']:,.0f} us",
               f">= {RATE_SHARE_MIN}", share(sent) >= RATE_SHARE_MIN and not sent["errors"])
    latency = reader["latency_ms"]
    report.add("that reader, of the log's bytes", f"{reader['bytes'] / reader['seconds'] / 1e6:.1f} MB/s "
               f"({from_disk / reader['seconds'] / 1e6:.1f} MB/s from the disk)", f"at most {READER_MB}")
    report.add("its pulls", f"{reader['pulls']:,}, p50 {latency['p50']:.1f} ms, p99 {latency['p99']:.1f} ms, "
               f"longest {latency['max']:.0f} ms")
    if reader["short"] or reader["rounds"]:
        report.notes.append(f"The cold reader: {reader['short']} pulls were answered with fewer messages than asked for; queues were "
                            f"begun again up to {reader['rounds']} times, and what it read then was not cold.")


def first_pull(report: Report, full: Store, when: str) -> None:
    seconds, cold = full.first_pulls()
    report.add(f"first pull of the oldest message, {when}", f"{seconds * 1000:.1f} ms (slowest of {len(TOPICS)}, {cold} not in the page cache)",
               f"< {FIRST_PULL_SECONDS_MAX * 1000:.0f} ms", seconds < FIRST_PULL_SECONDS_MAX)


def memory(report: Report, full: Store, when: str) -> None:
    used = full.memory()
    report.add(f"RssAnon and page tables, {when}", f"{used / MIB:.0f} MiB", f"< {MEMORY_BYTES_MAX // MIB} MiB", used < MEMORY_BYTES_MAX)


def kill_and_check(report: Report, full: Store, number: int) -> None:
    before = full.ends()
    say(f"kill -9 under a small load, {number} of {KILLS}")
    ledger = full.kill_under_load(KILL_SECONDS)
    behind = full.restart()
    ready = full.server.ready_seconds
    report.add(f"ready after kill -9, {number} of {KILLS}", f"{ready:.2f} s", f"< {READY_SECONDS_MAX:.0f} s", ready < READY_SECONDS_MAX)
    report.add("the log that the message index lacks then", f"{behind / MIB:,.0f} MiB", f"< {INDEX_BEHIND_MAX // MIB:,} MiB",
               behind < INDEX_BEHIND_MAX)
    after = full.ends()
    lost = sum(max(0, before[place] - after[place]) for place in before)
    read, errors = load.check(full.server.broker, ledger)
    for error in errors:
        say("  " + error)
    acknowledged = len(ledger.acknowledged)
    report.add("messages lost by it", f"{lost} of the {sum(before.values()):,} there; of {acknowledged:,} just acknowledged: "
               f"{len(errors)} errors, {read:,} read", "none", lost == 0 and not errors and acknowledged > 0)


def check_begins(report: Report, full: Store) -> None:
    begins = full.begins()
    report.add("the queues' oldest messages", f"offset {max(begins.values())} at most", "0", not any(begins.values()))


def crash_test(report: Report) -> None:
    """Random kills and power cuts of small stores, by the test of the project."""
    options = report.options
    say(f"{options.crash_seeds:,} random kills and power cuts")
    done = subprocess.run([options.crash_test, "-tc=crash matrix: random*", "-nc"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=os.environ | {"RMQ_CRASH_SEEDS": str(options.crash_seeds)}, text=True, errors="replace", check=False)
    lines = done.stdout.splitlines()
    outcome = next((" ".join(line.split()) for line in lines if line.startswith("[doctest] assertions")), f"code {done.returncode}")
    # A filter that matches nothing is a success for doctest.
    holds = done.returncode == 0 and any("1 passed" in line for line in lines)
    if not holds:
        print("\n".join(lines[-60:]))
    report.add(f"{options.crash_seeds:,} random kills and power cuts", outcome.replace("[doctest] ", "").rstrip(" |").replace(" |", ","), "0 failed", holds)


def run(report: Report, directory: pathlib.Path) -> None:
    stores = []
    try:
        stores += [Store(directory / "full")]
        full = stores[0]
        make_backlog(report, full, directory)
        stores += [Store(directory / "empty")]
        compare_with_empty(report, stores[1], full)
        stores[1].server.remove()
        send_beside_reader(report, full)
        first_pull(report, full, "served loads")
        memory(report, full, "served loads")
        for number in range(1, KILLS + 1):
            kill_and_check(report, full, number)
        first_pull(report, full, "after the kills")
        memory(report, full, "after the kills")
        check_begins(report, full)
    finally:
        for store in stores:
            store.server.remove()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--directory", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--crash-test", metavar="EXECUTABLE")
    parser.add_argument("--crash-seeds", type=int, default=1000)
    report = Report(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left on the disk
    report.options.directory.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="soak-", dir=report.options.directory) as directory:
            run(report, pathlib.Path(directory))
        if report.options.crash_test:
            crash_test(report)
    except (RuntimeError, OSError, ValueError) as error:
        traceback.print_exc()
        report.add("ended early", " ".join(str(error).split())[:500], "", False)
    (ROOT / "bench/results/soak.md").write_text(report.text())
    print(report.text())
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
