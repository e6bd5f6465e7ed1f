#!/usr/bin/env python3
"""What it costs that every send waits for the slave, too: sends a second of a master and its slave, asynchronous and synchronous in
turn, on the same processes; without a controller and with one.

    bench/sync_cost.py [--rounds 5] [--seconds 5]

Medians over the rounds go to bench/results/sync_cost.md. RMQ_BIN names the executable. Needs the machine for itself.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cluster"))
import failover  # noqa: E402
import server  # noqa: E402
from replication import KEYS, wait_until  # noqa: E402

TOPIC = "Bench"
CONNECTIONS = 16
IN_FLIGHT = 64
SEGMENT = 1 << 30


class Pair:
    """A master and a slave, which nobody elects."""

    def __init__(self):
        keys = KEYS | {"mappedFileSizeCommitLog": SEGMENT}
        self.namesrv = server.Server(roles=("namesrv",)).start()
        self.brokers = [server.Server(roles=(role,), namesrv=self.namesrv.namesrv, broker_keys=keys | {"brokerId": number}).start()
                        for number, role in enumerate(("master", "slave"))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (*reversed(self.brokers), self.namesrv):
            process.remove()


def rmq(cluster, *arguments: str) -> dict:
    out = subprocess.run([server.BINARY, *arguments, "--namesrv", "%s:%d" % cluster.namesrv.namesrv, "--output", "json"], check=True,
                         capture_output=True, text=True, env=os.environ).stdout
    return json.loads(out.splitlines()[-1])


def measure(cluster, options: argparse.Namespace) -> dict[str, list[float]]:
    wait_until("the slave is in sync", lambda: rmq(cluster, "cluster", "mode", "show")["sets"][0]["in_sync"] == 2)
    rmq(cluster, "topic", "create", TOPIC, "--queues", "8")
    rates: dict[str, list[float]] = {"async": [], "sync": []}
    for number in range(options.rounds + 1):
        for mode in rates if number % 2 == 0 else reversed(rates):
            wait_until("the slave is in sync", lambda: rmq(cluster, "cluster", "mode", "show")["sets"][0]["in_sync"] == 2)
            rmq(cluster, "cluster", "mode", "set", mode)
            os.sync()  # or the rounds before would slow down this one, when the kernel has too much to write back
            rate = rmq(cluster, "bench", "produce", TOPIC, "--connections", str(CONNECTIONS), "--in-flight", str(IN_FLIGHT), "--warm-up", "1", "--duration",
                       str(options.seconds))["messages_per_second"]
            print(f"round {number}: {mode} {rate:,.0f} sends a second", flush=True)
            if number > 0:
                rates[mode].append(rate)
    return rates


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    lines = ""
    failover.KEYS["mappedFileSizeCommitLog"] = SEGMENT
    for name, make in (("none", Pair), ("one", lambda: failover.Set("async"))):
        with make() as cluster:
            rates = measure(cluster, options)
        without, with_it = (statistics.median(rates[mode]) for mode in ("async", "sync"))
        ratio = statistics.median(b / a for a, b in zip(rates["async"], rates["sync"]))
        lines += f"| {name} | {without:,.0f} | {with_it:,.0f} | {ratio:.2f} |\n"
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}"
    text = (f"# What waiting for the slave costs\n\nMedians of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}, {machine}. A master and one "
            f"slave, asynchronous flush; 128 bytes,\n{CONNECTIONS} connections with {IN_FLIGHT} in flight each. Servers and generator share the "
            f"machine. The same processes each time, switched by\n`rmq cluster mode set`; each pair of rounds is compared.\n\n"
            f"    bench/sync_cost.py --rounds {options.rounds} --seconds {options.seconds:g}\n\n"
            f"| controllers | asynchronous, sends a second | synchronous | synchronous beside asynchronous |\n| --- | ---: | ---: | ---: |\n{lines}")
    print(text)
    (ROOT / "bench/results/sync_cost.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
