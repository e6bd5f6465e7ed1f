#!/usr/bin/env python3
"""What one message costs the server: instructions, system calls and allocations, counted by callgrind in a real
`rmq serve` with one data thread, against the limits beside this file. Unlike times they are the same on every machine
and under any load.

    cost.py            measure and compare; a cost more than 5 % above its limit fails
    cost.py --update   write what was measured as the new limits

RMQ_BIN names the executable. The server dumps its counts whenever it serves GET_BROKER_RUNTIME_INFO: that request
ends a phase, and its own cost, which is part of each phase, is taken off."""

import argparse
import json
import pathlib
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cluster"))
import remoting  # noqa: E402
import server  # noqa: E402

LIMITS = HERE / "limits.json"
TOLERANCE = 1.05
# What belongs to no message: a thread that wakes, a timer that fell into the phase.
SLACK = {"instructions": 0, "system_calls": 0.2, "allocations": 0.2}
IDLE_SLACK = {"instructions": 5000, "system_calls": 5, "allocations": 5}
QUEUES = 32  # of the topic, and frames of a turn
WARM_UP_TURNS = 40
TURNS = 120
IDLE_SECONDS = 4
IDLE_CONNECTIONS = 50
GET_BROKER_RUNTIME_INFO = 28
BODY = b"x" * 128

# Where an allocation begins, whoever wraps it.
ALLOCATORS = re.compile(r"^(malloc|calloc|realloc|aligned_alloc|posix_memalign|memalign)$")


class MeasuredServer(server.Server):
    """Under callgrind, with one data thread."""

    def arguments(self):
        config = self.directory / "broker.toml"
        config.write_text("[broker]\ndata_threads = 1\n\n[store]\ncommit_log_segment_bytes = 67108864\n")
        return ["valgrind", "--tool=callgrind", "--collect-systime=yes", "--separate-threads=no",
                "--dump-before=rmq::roles::broker::on_get_broker_runtime_info*",
                "--callgrind-out-file=%s/counts" % self.directory, str(server.BINARY), "serve",
                "--role=namesrv,master", "--config", "master=%s" % config, "--data", str(self.data),
                "--listen", "127.0.0.1", "--advertise", "127.0.0.1", "--port", "0"]

    def counts(self, number):
        """Of the dump with this number, waiting until it is whole."""
        path = pathlib.Path("%s/counts.%d" % (self.directory, number))
        deadline = time.monotonic() + server.START_SECONDS
        while time.monotonic() < deadline:
            if path.exists() and "\ntotals:" in path.read_text():
                return parse(path.read_text())
            time.sleep(0.02)
        raise RuntimeError("callgrind wrote no %s" % path)


def parse(text):
    """instructions, system_calls and allocations of one dump."""
    events = re.search(r"^events: (.*)$", text, re.M).group(1).split()
    totals = dict(zip(events, map(int, re.search(r"^totals: (.*)$", text, re.M).group(1).split())))
    names = {}
    allocations = 0
    called = ""
    for line in text.splitlines():
        match = re.match(r"c?fn=\((\d+)\)(?: (.*))?$", line)
        if match:
            if match.group(2):
                names[match.group(1)] = match.group(2).split("'")[0]
            if line.startswith("cfn="):
                called = names[match.group(1)]
        elif line.startswith("calls=") and ALLOCATORS.match(called):
            allocations += int(line[6:].split()[0])
    return {"instructions": totals["Ir"], "system_calls": totals.get("sysCount", 0),
            "allocations": allocations}


class Client:
    """A connection that writes a turn's frames at once and reads all their answers."""

    def __init__(self, address):
        self.connection = remoting.Connection(address, timeout=60.0)
        self.opaque = 0

    def frame(self, code, ext, body=b""):
        self.opaque += 1
        return remoting.frame(code, self.opaque, ext, body)

    def write(self, frames):
        self.connection.socket.sendall(b"".join(frames))

    def read(self, count):
        return [self.connection.receive() for _ in range(count)]

    def turn(self, frames):
        self.write(frames)
        return self.read(len(frames))


def send_fields(topic, queue):
    """As the Java client writes them."""
    return {"a": "producers", "b": topic, "c": "TBW102", "d": 4, "e": queue, "f": 0,
            "g": 1700000000000, "h": 0, "i": "UNIQ_KEY\x017F000001000018B4AAC2\x02WAIT\x01true\x02",
            "j": 0, "k": "false", "m": "false", "n": "broker"}


def pull_fields(topic, queue, offset, suspend_ms):
    flag = remoting.PULL_FLAG_SUBSCRIPTION | (remoting.PULL_FLAG_SUSPEND if suspend_ms else 0)
    return {"consumerGroup": "readers", "topic": topic, "queueId": queue, "queueOffset": offset,
            "maxMsgNums": 32, "sysFlag": flag, "commitOffset": 0, "suspendTimeoutMillis": suspend_ms,
            "subscription": "*", "subVersion": 0, "expressionType": "TAG"}


def check(responses):
    for response in responses:
        remoting.ok(response)


class Transcript:
    """The same requests each time; a phase is a function that does `turns` of them."""

    def __init__(self, address):
        self.producer = Client(address)
        self.consumer = Client(address)
        self.producers = [Client(address) for _ in range(QUEUES)]
        remoting.create_topic(self.producer.connection, "Cost", QUEUES)
        self.sent = 0  # messages in each queue

    def send(self, turns):
        for _ in range(turns):
            check(self.producer.turn([
                self.producer.frame(remoting.SEND_MESSAGE_V2, send_fields("Cost", queue), BODY)
                for queue in range(QUEUES)]))
            self.sent += 1

    def send_alone(self, count):
        """One frame a turn."""
        for turn in range(count):
            check(self.producer.turn([self.producer.frame(
                remoting.SEND_MESSAGE_V2, send_fields("Cost", turn % QUEUES), BODY)]))
        self.sent += count // QUEUES

    def send_from_many(self, turns):
        """One frame on each of many connections, whose answers are read when all are sent."""
        for _ in range(turns):
            for queue, producer in enumerate(self.producers):
                producer.write([producer.frame(
                    remoting.SEND_MESSAGE_V2, send_fields("Cost", queue), BODY)])
            for producer in self.producers:
                check(producer.read(1))
            self.sent += 1

    def pull(self, turns):
        """32 messages a pull, 32 pulls a turn."""
        for turn in range(turns):
            offset = turn % (self.sent - 32)
            answers = self.consumer.turn([
                self.consumer.frame(remoting.PULL_MESSAGE, pull_fields("Cost", queue, offset, 0))
                for queue in range(QUEUES)])
            check(answers)

    def long_poll(self, turns):
        """Each queue has a pull that waits, then a message comes to each. The producer's answers and the pulls'
        are both read, so that a turn ends when all is done."""
        for _ in range(turns):
            self.consumer.write([
                self.consumer.frame(remoting.PULL_MESSAGE,
                                    pull_fields("Cost", queue, self.sent, 30000))
                for queue in range(QUEUES)])
            # A request behind the pulls on their connection is answered when they are parked.
            self.consumer.turn([self.consumer.frame(remoting.GET_MAX_OFFSET,
                                                    {"topic": "Cost", "queueId": 0})])
            self.send(1)
            check(self.consumer.read(QUEUES))

    def mark(self):
        check(self.producer.turn([self.producer.frame(GET_BROKER_RUNTIME_INFO, {})]))


def measure():
    node = MeasuredServer().start()
    try:
        transcript = Transcript(node.broker)
        idle_connections = [remoting.Connection(node.broker) for _ in range(IDLE_CONNECTIONS)]
        marks = 0
        costs = {}

        def counts_of(work):
            nonlocal marks
            transcript.mark()
            work()
            transcript.mark()
            marks += 2
            return node.counts(marks)

        def least_counts_of(work):
            """Of three times: what belongs to no request falls into one more often than into another."""
            found = [counts_of(work) for _ in range(3)]
            return {what: min(counts[what] for counts in found) for what in found[0]}

        transcript.send(WARM_UP_TURNS)
        empty = least_counts_of(lambda: None)
        # (phase, what one of it is counted by)
        phases = [("send", transcript.send, TURNS * QUEUES),
                  ("send alone in its turn", lambda turns: transcript.send_alone(turns * QUEUES),
                   TURNS * QUEUES),
                  ("send on one of %d connections" % QUEUES, transcript.send_from_many,
                   TURNS * QUEUES),
                  ("pull of 32 messages", transcript.pull, TURNS * QUEUES),
                  ("long poll and the send that ends it", transcript.long_poll, TURNS * QUEUES)]
        for name, work, count in phases:
            work(WARM_UP_TURNS)
            found = least_counts_of(lambda work=work: work(TURNS))
            costs[name] = {what: (found[what] - empty[what]) / count for what in found}
        found = least_counts_of(lambda: time.sleep(IDLE_SECONDS))
        costs["second of idle with %d connections" % IDLE_CONNECTIONS] = {
            what: (found[what] - empty[what]) / IDLE_SECONDS for what in found}
        for connection in idle_connections:
            connection.close()
        return costs
    finally:
        node.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    update = parser.parse_args().update
    costs = measure()
    if update:
        rounded = {name: {what: round(value, 2) for what, value in row.items()}
                   for name, row in costs.items()}
        LIMITS.write_text(json.dumps(rounded, indent=2) + "\n")
    limits = json.loads(LIMITS.read_text())
    passed = failed = 0
    for name, row in costs.items():
        for what, value in row.items():
            limit = limits[name][what]
            slack = IDLE_SLACK if "idle" in name else SLACK
            right = value <= limit * TOLERANCE + slack[what]
            passed += right
            failed += not right
            print("%s %-60s %10.2f, limit %10.2f (%+.1f %%)"
                  % ("ok  " if right else "FAIL", "%s: %s" % (name, what.replace("_", " ")), value, limit,
                     100 * (value / limit - 1) if limit else 0))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
