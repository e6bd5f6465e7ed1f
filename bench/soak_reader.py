#!/usr/bin/env python3
"""The cold reader of bench/soak.py, a process of its own: pulls all queues of some topics side by side, from their
oldest message on, at no more than a given rate.

    bench/soak_reader.py HOST:PORT TOPIC [TOPIC...] [--rate 50] [--connections 4]

Prints "reading" with the first answer. Ends when its standard input ends, and then prints one line of JSON: seconds, bytes
(of log records), pulls, short (answers with fewer messages than asked for), rounds (how often queues were begun again
because they had been read to the end), latency_ms (p50, p99, max). A queue is never pulled to the very end: with fewer
than 32 messages left it is begun again. A refused pull or a broken connection ends it with an error.
"""

import argparse
import json
import pathlib
import re
import selectors
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/cluster"))
import remoting  # noqa: E402
import server  # noqa: E402

GROUP = "soak-reader"
COUNT = 32  # the most that a pull of old messages is answered with
WINDOW = 8  # pulls without an answer on each connection
BURST_SECONDS = 0.1  # how much of what it could not read in time it makes up for
CODE = re.compile(rb'"code":(-?\d+)')
OPAQUE = re.compile(rb'"opaque":(\d+)')
NEXT = re.compile(rb'"nextBeginOffset":"(\d+)"')


class Pace:
    """So many bytes a second since it was made; what was not used in time is forgotten but for BURST_SECONDS."""

    def __init__(self, bytes_per_second: float):
        self.rate = bytes_per_second
        self.begin = time.monotonic()
        self.used = 0

    def allows(self, more: float) -> bool:
        now = time.monotonic()
        self.begin = max(self.begin, now - BURST_SECONDS - (self.used + more) / self.rate)
        return self.used + more <= self.rate * (now - self.begin)


class Place:
    """One queue: where the next pull begins, and where it is begun again."""

    def __init__(self, connection: remoting.Connection, topic: str, queue_id: int):
        self.topic = topic
        self.queue_id = queue_id
        self.end = remoting.Queue(connection, topic, queue_id, GROUP).max_offset()
        self.offset = 0
        self.rounds = 0

    def take(self) -> int:
        if self.offset + COUNT > self.end:
            self.offset = 0
            self.rounds += 1
        self.offset += COUNT
        return self.offset - COUNT


class Reader:
    """All connections in one thread; each has its share of the queues."""

    def __init__(self, address, topics: list[str], connections: int, bytes_per_second: float):
        self.connections = [remoting.Connection(address, timeout=60) for _ in range(connections)]
        self.places = [Place(self.connections[0], topic, queue) for topic in topics for queue in range(8)]
        self.places = [place for place in self.places if place.end >= COUNT]
        if not self.places:
            raise SystemExit(f"FAIL no queue with {COUNT} messages")
        self.outstanding: list[dict[int, tuple[float, int]]] = [{} for _ in self.connections]
        self.inbound = [bytearray() for _ in self.connections]
        self.selector = selectors.DefaultSelector()
        for index, connection in enumerate(self.connections):
            self.selector.register(connection.socket, selectors.EVENT_READ, index)
        self.selector.register(sys.stdin, selectors.EVENT_READ, None)
        self.turn = self.bytes = self.pulls = self.short = 0
        self.latencies: list[float] = []
        self.begin = time.monotonic()
        self.pace = Pace(bytes_per_second)

    def expected(self) -> float:
        """Bytes of an answer."""
        return self.bytes / self.pulls if self.pulls else COUNT * 300

    def send_due(self) -> None:
        waiting = sum(len(outstanding) for outstanding in self.outstanding)
        full = 0
        while full < len(self.places) and self.pace.allows((waiting + 1) * self.expected()):
            index = self.turn % len(self.places)
            connection = index % len(self.connections)
            if len(self.outstanding[connection]) >= WINDOW:
                full += 1
            else:
                self.pull(self.places[index], connection)
                waiting += 1
                full = 0
            self.turn += 1

    def pull(self, place: Place, connection: int) -> None:
        offset = place.take()
        fields = remoting.pull_fields(place.topic, place.queue_id, offset, COUNT, GROUP)
        self.outstanding[connection][self.turn] = time.monotonic(), offset
        self.connections[connection].socket.sendall(remoting.frame(remoting.PULL_MESSAGE, self.turn, fields))

    def receive(self, index: int) -> None:
        data = self.connections[index].socket.recv(1 << 18)
        if not data:
            raise SystemExit("FAIL the server closed the connection")
        self.inbound[index] += data
        for header, body in remoting.split_frames(self.inbound[index]):
            if int(CODE.search(header).group(1)) != remoting.SUCCESS:
                raise SystemExit(f"FAIL a pull was answered with {header.decode()}")
            begin, offset = self.outstanding[index].pop(int(OPAQUE.search(header).group(1)))
            self.latencies.append((time.monotonic() - begin) * 1000)
            self.bytes += len(body)
            self.pace.used += len(body)
            self.pulls += 1
            self.short += int(NEXT.search(header).group(1)) != offset + COUNT
            if self.pulls == 1:
                print("reading", flush=True)

    def run(self) -> dict:
        while True:
            self.send_due()
            for key, _ in self.selector.select(0.002):
                if key.data is None:
                    return self.result()
                self.receive(key.data)

    def result(self) -> dict:
        latencies = sorted(self.latencies) or [0.0]
        return {"seconds": time.monotonic() - self.begin, "bytes": self.bytes, "pulls": self.pulls, "short": self.short,
                "rounds": max(place.rounds for place in self.places),
                "latency_ms": {"p50": latencies[len(latencies) // 2], "p99": latencies[len(latencies) * 99 // 100],
                               "max": latencies[-1]}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("topics", nargs="+")
    parser.add_argument("--rate", type=float, default=50, help="MB (a million bytes) of log records a second")
    parser.add_argument("--connections", type=int, default=4)
    options = parser.parse_args()
    reader = Reader(server.address(options.address), options.topics, options.connections, options.rate * 1e6)
    print(json.dumps(reader.run()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
