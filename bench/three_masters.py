#!/usr/bin/env python3
"""Three masters on one machine, beside one: sends a second with the same generator and settings, in turn.

    bench/three_masters.py [--rounds 3] [--seconds 8]

Medians over the rounds go to bench/results/three_masters.md. RMQ_BIN names the executable. Needs the machine for itself.
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
sys.path.insert(0, str(ROOT / "tests/cluster"))
import server  # noqa: E402

TOPIC = "Bench"
CONNECTIONS = 18  # the same number on each of three


class Cluster:
    """A name server, and masters that register with it."""

    def __init__(self, directory: pathlib.Path, masters: int):
        self.namesrv = server.Server(roles=["namesrv"], directory=make(directory / "namesrv")).start()
        self.masters = [
            server.Server(roles=["master"], broker_keys={"brokerName": f"broker-{number}"},
                          namesrv=self.namesrv.namesrv, directory=make(directory / f"broker-{number}")).start()
            for number in range(masters)]

    def stop(self) -> None:
        for process in [*self.masters, self.namesrv]:
            process.remove()


def make(directory: pathlib.Path) -> pathlib.Path:
    directory.mkdir(parents=True)
    return directory


def rmq(cluster: Cluster, *arguments: str) -> str:
    address = "%s:%d" % cluster.namesrv.namesrv
    return subprocess.run([server.BINARY, *arguments, "--namesrv", address], check=True, capture_output=True,
                          text=True).stdout


def sends_per_second(masters: int, seconds: float) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-masters-", dir=os.environ.get("BENCH_DIRECTORY")) as directory:
        cluster = Cluster(pathlib.Path(directory), masters)
        try:
            rmq(cluster, "topic", "create", TOPIC, "--queues", "8")
            out = rmq(cluster, "bench", "produce", TOPIC, "--connections", str(CONNECTIONS), "--warm-up", "2",
                      "--duration", str(seconds), "--output", "json")
            return json.loads(out.splitlines()[-1])["messages_per_second"]
        finally:
            cluster.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    found: dict[int, list[float]] = {1: [], 3: []}
    for number in range(options.rounds):
        for masters, rates in found.items():
            rates.append(sends_per_second(masters, options.seconds))
            print(f"round {number + 1}: {masters} masters {rates[-1]:,.0f} sends a second", flush=True)
    one, three = (statistics.median(found[masters]) for masters in (1, 3))
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}"
    text = (f"# Three masters on one machine\n\nMedians of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}, {machine}. "
            f"128 bytes, {CONNECTIONS} connections with 32 in\nflight each, 8 queues on each master. Servers and generator "
            f"share the machine.\n\n    bench/three_masters.py --rounds {options.rounds} --seconds {options.seconds:g}\n\n"
            f"| masters | sends a second, all together |\n| ---: | ---: |\n| 1 | {one:,.0f} |\n| 3 | {three:,.0f} |\n\n"
            f"Three together: {three / one:.2f} of one.\n")
    print(text)
    (ROOT / "bench/results/three_masters.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
