#!/usr/bin/env python3
"""rmq beside RocketMQ's own broker 5.3.3: the same machine, the same generator, the same settings, in turn.

    bench/side_by_side.py                       every case, three rounds: about half an hour
    bench/side_by_side.py --rounds 1 send_128   one case

Each round starts a server of either kind on an empty directory, warms it up (Java with two million messages) and runs
every case on it. Printed and written are medians over the rounds, and their ratios: figures of one run can be compared
with each other, figures of different runs cannot. RMQ_BIN names the executable. Needs the machine for itself.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/interop"))
import plot  # noqa: E402
import servers  # noqa: E402

BINARY = servers.BINARY
HEAP = ["-Xms4g", "-Xmx4g", "-XX:+UseG1GC", "-XX:+AlwaysPreTouch"]
WARM_UP = {"java": 2_000_000, "rmq": 200_000}
TOPIC = "Bench"

# What is run on each server, in this order, and the figures that count of it.
CASES = {
    "send_128": (["produce", "--body-bytes", "128"], ["messages_per_second", "p50", "p99", "cpu_us_per_message"]),
    # Before the stores have become of very different size.
    "pull": (["pull", "--until", "stopped", "--connections", "2"], ["messages_per_second", "cpu_us_per_message"]),
    "send_1024": (["produce", "--body-bytes", "1024"], ["messages_per_second", "p50", "p99", "cpu_us_per_message"]),
    "send_one": (["produce", "--connections", "1", "--in-flight", "1"], ["messages_per_second", "p50", "p99"]),
    "send_from_256": (["produce", "--connections", "256", "--in-flight", "1"], ["messages_per_second", "p50", "p99", "cpu_us_per_message"]),
    "send_batch_32": (["produce", "--batch", "32", "--in-flight", "4"], ["messages_per_second", "cpu_us_per_message"]),
    "open_10000": (["produce", "--rate", "10000"], ["p50", "p99", "p99_9", "cpu_us_per_message"]),
    "open_30000": (["produce", "--rate", "30000"], ["p50", "p99", "p99_9", "cpu_us_per_message"]),
    "end_to_end": (["e2e", "--rate", "1000"], ["p50", "p99", "p99_9"]),
}
LOWER_IS_BETTER = {"p50", "p99", "p99_9", "cpu_us_per_message", "ready_seconds", "memory_bytes"}


def bench(server: servers.Server, arguments: list[str], seconds: float, warm_up: float = 1) -> dict:
    times = ["--warm-up", str(warm_up), "--duration", str(seconds)]
    command = [BINARY, "bench", arguments[0], TOPIC, *arguments[1:], *times, "--output", "json", "--timeout-ms", "30000",
               "--server-pid", str(server.processes[-1].pid), "--namesrv", server.namesrv]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def figures_of(result: dict) -> dict[str, float]:
    server = result.get("server", {})
    return {"messages_per_second": result["messages_per_second"], **result["latency_us"],
            "cpu_us_per_message": server.get("cpu_us_per_message", 0), "memory_bytes": server.get("memory_bytes", 0),
            "errors": sum(result["errors"].values())}


def warm_up(server: servers.Server, messages: int) -> None:
    sent = 0
    while sent < messages:
        sent += bench(server, ["produce"], 5, 0)["messages"]


def one_round(kind: str, cases: list[str], seconds: float) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix=f"bench-{kind}-", dir=os.environ.get("BENCH_DIRECTORY")) as directory:
        begin = time.monotonic()
        place = pathlib.Path(directory) / "server"
        server = servers.java(place, HEAP, 1 << 30) if kind == "java" else servers.rmq(place)
        ready = time.monotonic() - begin
        try:
            subprocess.run([BINARY, "topic", "create", TOPIC, "--queues", "8", "--namesrv", server.namesrv], check=True,
                           capture_output=True)
            warm_up(server, WARM_UP[kind])
            figures = {"start": {"ready_seconds": ready}}
            for case in cases:
                figures[case] = figures_of(bench(server, CASES[case][0], seconds))
                print(f"  {kind:5} {case:14} " + "  ".join(
                    f"{name} {figures[case][name]:.1f}" for name in CASES[case][1]), flush=True)
            return figures
        finally:
            server.stop()


def median_of(rounds: list[dict], case: str, figure: str) -> float:
    return statistics.median(one[case][figure] for one in rounds)


def table(rounds: dict[str, list[dict]], cases: list[str]) -> str:
    lines = ["| case | figure | Java | rmq | rmq is |", "| --- | --- | ---: | ---: | ---: |"]
    for case in ["start", *cases]:
        for figure in ["ready_seconds"] if case == "start" else CASES[case][1]:
            java, rmq = (median_of(rounds[kind], case, figure) for kind in ("java", "rmq"))
            better = java / rmq if figure in LOWER_IS_BETTER else rmq / java
            word = "less" if figure in LOWER_IS_BETTER else "more"
            lines.append(f"| {case} | {figure} | {java:,.3g} | {rmq:,.3g} | {better:.1f} times {word} |".replace("e+0", "e"))
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cases", nargs="*", default=[], metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8, help="that each case is measured")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "bench/results", help="where to write to")
    options = parser.parse_args()
    cases = options.cases or list(CASES)
    rounds: dict[str, list[dict]] = {"java": [], "rmq": []}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", flush=True)
        for kind in rounds:
            rounds[kind].append(one_round(kind, cases, options.seconds))
    text = table(rounds, cases)
    print(text)
    options.results.mkdir(parents=True, exist_ok=True)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}"
    command = "bench/side_by_side.py --rounds {} --seconds {:g} {}".format(options.rounds, options.seconds, " ".join(cases))
    (options.results / "side_by_side.md").write_text(
        f"# rmq beside RocketMQ 5.3.3\n\nMedians of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}, {machine}.\n"
        f"Server and generator share the machine. Latencies are in microseconds.\n\n    {command.strip()}\n\n"
        f"![the same as bars](side_by_side.svg)\n\n{text}")
    (options.results / "side_by_side.json").write_text(json.dumps(rounds, indent=1) + "\n")
    (options.results / "side_by_side.svg").write_text(plot.svg(rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
