#!/usr/bin/env python3
"""Synchronous replication to a slave that is some milliseconds away: sends a second with 256 on their way, beside what that number
and the round trip allow, and what one send alone takes. The way is a gate before the master's HA port, which keeps all bytes for half
of the round trip.

    bench/round_trip.py [--rounds 3] [--seconds 5]

Medians over the rounds go to bench/results/round_trip.md. RMQ_BIN names the executable; the gate, build/release/bench/far_gate, is
built by `cmake --build build/release --target far_gate`. Needs the machine for itself.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cluster"))
sys.path.insert(0, str(ROOT / "bench"))
import server  # noqa: E402
from replication import KEYS, wait_until  # noqa: E402
from sync_cost import SEGMENT, TOPIC, rmq  # noqa: E402

CONNECTIONS = 16
IN_FLIGHT = 256
ROUND_TRIPS_MS = (2, 5)
FAR = "127.0.1.1"
GATE = ROOT / "build/release/bench/far_gate"


class FarPair:
    """A master, and a slave that reaches its log through a gate."""

    def __init__(self, round_trip_ms: float):
        keys = KEYS | {"mappedFileSizeCommitLog": SEGMENT}
        self.namesrv = server.Server(roles=("namesrv",)).start()
        self.master = server.Server(roles=("master",), namesrv=self.namesrv.namesrv, broker_keys=keys).start()
        host, port = self.master.broker
        self.gate = subprocess.Popen([GATE, "%s:%d" % (FAR, port + 1), "%s:%d" % (host, port + 1), str(int(round_trip_ms * 500))],
                                     stdout=subprocess.PIPE)
        self.gate.stdout.readline()  # it listens
        self.slave = server.Server(roles=("slave",), namesrv=self.namesrv.namesrv,
                                   broker_keys=keys | {"brokerId": 1, "haMasterAddress": "%s:%d" % (FAR, port + 1)}).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gate.kill()
        self.gate.wait()
        for process in (self.slave, self.master, self.namesrv):
            process.remove()


def produce(pair: FarPair, connections: int, in_flight: int, seconds: float) -> dict:
    return rmq(pair, "bench", "produce", TOPIC, "--connections", str(connections), "--in-flight", str(in_flight), "--warm-up", "1",
               "--duration", str(seconds))


def measure(round_trip_ms: float, options: argparse.Namespace) -> tuple[float, float]:
    """Milliseconds that one send alone takes, and sends a second."""
    with FarPair(round_trip_ms) as pair:
        wait_until("the slave is in sync", lambda: rmq(pair, "cluster", "mode", "show")["sets"][0]["in_sync"] == 2)
        rmq(pair, "topic", "create", TOPIC, "--queues", "8")
        rmq(pair, "cluster", "mode", "set", "sync")
        alone = []
        rates = []
        for _ in range(options.rounds):
            alone.append(produce(pair, 1, 1, options.seconds)["latency_us"]["p50"] / 1000)
            rates.append(produce(pair, CONNECTIONS, IN_FLIGHT // CONNECTIONS, options.seconds)["messages_per_second"])
            print(f"{round_trip_ms} ms: {alone[-1]:.2f} ms alone, {rates[-1]:,.0f} sends a second", flush=True)
        return statistics.median(alone), statistics.median(rates)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    lines = ""
    for round_trip_ms in ROUND_TRIPS_MS:
        alone, rate = measure(round_trip_ms, options)
        of_added, of_alone = (rate * ms / 1000 / IN_FLIGHT for ms in (round_trip_ms, alone))
        lines += f"| {round_trip_ms} ms | {rate:,.0f} | {of_added:.2f} | {alone:.2f} ms | {of_alone:.2f} |\n"
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}"
    text = (f"# A slave that is far away\n\nMedians of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}, {machine}. Synchronous replication to one "
            f"slave, asynchronous flush;\n128 bytes, {IN_FLIGHT} sends in flight on {CONNECTIONS} connections. Servers, generator and the gate share "
            f"the machine.\nA send alone takes longer than what was added: every process on its way, the gate twice, has to wake up.\n\n"
            f"    bench/round_trip.py --rounds {options.rounds} --seconds {options.seconds:g}\n\n"
            f"| added round trip | sends a second | of {IN_FLIGHT} / added | a send alone, median | of {IN_FLIGHT} / that |\n"
            f"| --- | ---: | ---: | ---: | ---: |\n{lines}")
    print(text)
    (ROOT / "bench/results/round_trip.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
