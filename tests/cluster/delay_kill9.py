#!/usr/bin/env python3
"""kill -9 at random moments while many delayed messages fall due, and right after starts that find
a backlog of them; at the end: every acknowledged message was delivered exactly once, none before
its time, and what was not acknowledged at most once."""

import argparse
import collections
import os
import random
import signal
import sys
import threading
import time

import remoting
import server

QUEUES = 4
TURN = 40  # requests sent before their answers are read
DELAYS_SECONDS = (1, 2)  # of levels 1 and 2
TOPIC = "delay-kill9"


class Sender(threading.Thread):
    """Sends delayed messages until its connection breaks; notes what was acknowledged."""

    def __init__(self, address, name, seed):
        super().__init__(daemon=True)
        self.address = address
        self.name = name
        self.chance = random.Random(seed)
        self.sent = set()
        self.acknowledged = set()
        self.refused = None

    def run(self):
        template = remoting.SendTemplate(TOPIC)
        try:
            with remoting.Connection(self.address) as connection:
                number = 0
                while True:
                    turn = {}
                    frames = []
                    for _ in range(TURN):
                        number += 1
                        level = self.chance.choice((1, 2))
                        body = b"%s %d %d %d" % (
                            self.name.encode(), number, level, time.time() * 1000)
                        properties = remoting.properties_text(
                            ((b"DELAY", b"%d" % level), (b"TAGS", b"t")))
                        turn[number] = body
                        frames.append(template.send(number, number % QUEUES, body, properties))
                    self.sent.update(turn.values())
                    connection.socket.sendall(b"".join(frames))
                    for _ in range(TURN):
                        answer = connection.receive()
                        if answer.code != remoting.SUCCESS:
                            self.refused = "code %d: %s" % (answer.code, answer.remark)
                            return
                        self.acknowledged.add(turn.pop(answer.opaque))
                    time.sleep(0.01)
        except (OSError, ConnectionError):
            pass


def read_all(address, errors):
    """How often each body lies in the topic; adds what came before its time to errors."""
    found = collections.Counter()
    early = []
    with remoting.Connection(address) as connection:
        for queue_id in range(QUEUES):
            queue = remoting.Queue(connection, TOPIC, queue_id)
            for record in queue.records(queue.min_offset(), queue.max_offset()):
                found[record.body] += 1
                _, _, level, sent_ms = record.body.split()
                due_ms = int(sent_ms) + DELAYS_SECONDS[int(level) - 1] * 1000
                if record.store_timestamp < due_ms:
                    early.append((record.body, due_ms - record.store_timestamp))
    if early:
        errors.append("%d messages came too early, for example (ms) %r" % (len(early), early[:3]))
    return found


def wait_delivered(address, wanted):
    """Until the topic has stopped growing and has as many as were acknowledged."""
    deadline = time.monotonic() + 15
    with remoting.Connection(address) as connection:
        queues = [remoting.Queue(connection, TOPIC, queue_id) for queue_id in range(QUEUES)]
        last = -1
        while time.monotonic() < deadline:
            count = sum(queue.max_offset() for queue in queues)
            if count >= wanted and count == last:
                return count
            last = count
            time.sleep(1.0 + max(DELAYS_SECONDS) if count >= wanted else 0.1)
    return last


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=6)
    arguments.add_argument("--senders", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=None)
    options = arguments.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print("delay_kill9 seed=%d rounds=%d" % (seed, options.rounds), flush=True)
    chance = random.Random(seed)
    target = server.Server(broker_keys={
        "mappedFileSizeCommitLog": 1024 * 1024,
        "mappedFileSizeConsumeQueue": 20 * 1000,
        "flushConsumerOffsetInterval": 1000,  # delay offsets are saved with them
        "messageDelayLevel": " ".join("%ds" % s for s in DELAYS_SECONDS)})
    target.start()
    with remoting.Connection(target.broker) as connection:
        remoting.create_topic(connection, TOPIC, QUEUES)
    sent, acknowledged = set(), set()
    errors = []
    for number in range(1, options.rounds + 1):
        senders = [Sender(target.broker, "r%ds%d" % (number, i), chance.getrandbits(32))
                   for i in range(options.senders)]
        for sender in senders:
            sender.start()
        # From one second on messages fall due all the time.
        time.sleep(chance.uniform(1.1, 2.2))
        target.signal(signal.SIGKILL)
        target.wait()
        for sender in senders:
            sender.join(10)
            sent |= sender.sent
            acknowledged |= sender.acknowledged
            if sender.refused:
                errors.append("refused: " + sender.refused)
        # What falls due meanwhile is delivered as soon as a start allows: that is killed as well.
        time.sleep(chance.uniform(0.2, 1.0))
        for _ in range(chance.choice((0, 1, 2))):
            target.start_and_kill(chance.uniform(0.02, 0.2))
        target.start()
        print("round %d: %d acknowledged so far; ready again in %.0f ms" % (
            number, len(acknowledged), target.ready_seconds * 1000), flush=True)
    count = wait_delivered(target.broker, len(acknowledged))
    found = read_all(target.broker, errors)
    missing = [body for body in acknowledged if body not in found]
    twice = [body for body, times in found.items() if times > 1]
    unknown = [body for body in found if body not in sent]
    for what, which in (("lost", missing), ("delivered twice", twice), ("never sent", unknown)):
        if which:
            errors.append("%d messages %s, for example %r" % (len(which), what, which[:3]))
    print("%d sent, %d acknowledged, %d delivered" % (len(sent), len(acknowledged), count))
    if len(acknowledged) < 1000 * options.rounds:
        errors.append("too few messages for the test to mean anything")
    if not errors and target.stop() != 0:
        errors.append("exit code after SIGTERM")
    if errors:
        for error in errors:
            print("  " + error)
        print("  data and log: %s" % target.directory)
        print("FAIL delay_kill9, seed %d" % seed)
        return 1
    target.remove()
    print("PASS delay_kill9")
    return 0


if __name__ == "__main__":
    sys.exit(main())
