#!/usr/bin/env python3
"""Stopping: SIGTERM under load, a second SIGTERM, and a second server on the same data; and what a
service manager hears of starts and stops.

After SIGTERM requests in flight are answered, the broker leaves the name server, the exit code is 0,
and what was acknowledged is there at the next start. A second SIGTERM ends a stop that takes long. A
second `rmq serve` on a data directory in use refuses to start and says why."""

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

import load
import remoting
import server

STOP_SECONDS = 10.0


def routed(namesrv, topic):
    with remoting.Connection(namesrv) as connection:
        answer = connection.request(remoting.GET_ROUTEINFO_BY_TOPIC, {"topic": topic})
        return answer.code == remoting.SUCCESS and b'"brokerAddrs"' in answer.body


def under_load(flush, chance):
    """The name server is a process of its own: it must stop to name the broker."""
    errors = []
    namesrv = server.Server(roles=("namesrv",)).start()
    broker = server.Server(roles=("master",), namesrv=namesrv.namesrv, broker_keys={
        "flushDiskType": "SYNC_FLUSH" if flush == "sync" else "ASYNC_FLUSH"}).start()
    ledger = load.Ledger("stop")
    load.create(broker.broker, ledger.topic)
    end = time.monotonic() + 5
    while not routed(namesrv.namesrv, ledger.topic) and time.monotonic() < end:
        time.sleep(0.02)
    if not routed(namesrv.namesrv, ledger.topic):
        errors.append("no route within 5 s of the topic's creation")

    work = load.Load(broker.broker, ledger, b"s", connections=16, window=64,
                     seed=chance.getrandbits(32))
    work.run_until(time.monotonic() + chance.uniform(0.5, 1.5))
    # From here on nothing new: what is open now was sent before the signal.
    work.sending = False
    while any(c.out and c.open for c in work.channels):
        work.turn(0.05)
    in_flight = work.in_flight
    begin = time.monotonic()
    broker.signal(signal.SIGTERM)
    work.run_until(begin + STOP_SECONDS)
    if work.any_open:
        errors.append("connections still open %g s after SIGTERM" % STOP_SECONDS)
    try:
        code = broker.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        broker.kill()
        code = "none within %g s" % STOP_SECONDS
    took = time.monotonic() - begin
    if code != 0:
        errors.append("exit code %s after SIGTERM" % code)
    unanswered = work.in_flight
    if unanswered:
        errors.append("%d of %d requests sent before SIGTERM got no answer"
                      % (unanswered, in_flight))
    work.close()
    if routed(namesrv.namesrv, ledger.topic):
        errors.append("the name server still names the broker that has left")
    broker.start()
    read, wrong = load.check(broker.broker, ledger)
    errors += wrong
    print("SIGTERM under load (%s flush): %d acknowledged, %d in flight, refused %s, gone in "
          "%.0f ms; %d read after the start" % (
              flush, work.messages_acknowledged, in_flight, work.refused or "none", took * 1000,
              read))
    for process in (broker, namesrv):
        code = process.stop()
        if code != 0:
            errors.append("exit code %d after SIGTERM at idle" % code)
        if not errors:
            process.remove()
    return errors


def held_pull(_chance):
    """A long poll is in flight as well: it must not hold up the stop."""
    errors = []
    target = server.Server().start()
    with remoting.Connection(target.broker) as connection:
        remoting.create_topic(connection, "held", 1)
        connection.socket.sendall(remoting.frame(remoting.PULL_MESSAGE, 99, remoting.pull_fields(
            "held", 0, 0, 32, "group", suspend_ms=15_000)))
        # A request behind it on the same connection: when it is answered, the pull was taken.
        connection.request(remoting.GET_MAX_OFFSET, {"topic": "held", "queueId": 0})
        begin = time.monotonic()
        target.signal(signal.SIGTERM)
        try:
            answer = "code %d" % connection.receive().code
        except OSError:
            answer = "a close"
        try:
            code = target.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            code = "none within %g s" % STOP_SECONDS
        took = time.monotonic() - begin
    if code != 0:
        errors.append("exit code %s with a held pull" % code)
    print("SIGTERM with a held pull: answered by %s, gone in %.0f ms" % (answer, took * 1000))
    if not errors:
        target.remove()
    return errors


def second_signal(_chance):
    """A peer that takes none of its answers keeps a stop busy; the second SIGTERM ends it."""
    errors = []
    target = server.Server().start()
    ledger = load.Ledger("second")
    load.create(target.broker, ledger.topic)
    work = load.Load(target.broker, ledger, b"2", connections=4, window=16)
    work.run_until(time.monotonic() + 0.5)
    work.sending = False
    work.run_until(time.monotonic() + 5, lambda: work.in_flight == 0)
    work.close()
    deaf = socket.create_connection(target.broker, 10)
    deaf.settimeout(0.5)
    pulls = b"".join(remoting.frame(remoting.PULL_MESSAGE, i, remoting.pull_fields(
        ledger.topic, i % load.QUEUES, 0, 32, "deaf")) for i in range(2000))
    try:
        deaf.sendall(pulls)
    except OSError:
        pass  # the server stopped reading: its answers are not being taken
    target.signal(signal.SIGTERM)
    busy = True
    try:
        target.wait(0.3)
        busy = False
    except subprocess.TimeoutExpired:
        pass
    begin = time.monotonic()
    if busy:
        target.signal(signal.SIGTERM)
    try:
        code = target.wait(2)
        print("second SIGTERM: %s, code %s" % (
            "gone %.0f ms later" % ((time.monotonic() - begin) * 1000) if busy
            else "not needed, the first was enough", code))
    except subprocess.TimeoutExpired:
        errors.append("still there 2 s after the second SIGTERM")
        target.kill()
    deaf.close()
    target.start()
    read, wrong = load.check(target.broker, ledger)
    errors += wrong
    print("  %d read after the start" % read)
    if target.stop() != 0:
        errors.append("exit code not 0")
    if not errors:
        target.remove()
    return errors


def second_server(_chance):
    errors = []
    target = server.Server().start()
    intruder = server.Server(directory=target.directory)
    command = intruder.arguments()
    begin = time.monotonic()
    try:
        outcome = subprocess.run(command, capture_output=True, timeout=10, text=True)
    except subprocess.TimeoutExpired:
        errors.append("a second server on the same data runs")
        outcome = None
    if outcome:
        text = outcome.stderr + outcome.stdout
        said = [line for line in text.splitlines() if str(target.data) in line and "=" not in line]
        print("second server on the same data: code %d after %.0f ms: %s" % (
            outcome.returncode, (time.monotonic() - begin) * 1000,
            (said or text.splitlines() or ["(nothing said)"])[-1]))
        if outcome.returncode <= 0:
            errors.append("a second server ended with code %d" % outcome.returncode)
        if str(target.data) not in text:
            errors.append("the error does not name the data directory:\n" + text)
    with remoting.Connection(target.broker) as connection:
        remoting.create_topic(connection, "still-there", 1)
    if target.stop() != 0:
        errors.append("the first server's exit code is not 0")
    # And once the first is gone, the directory is free.
    target.start()
    if target.stop() != 0:
        errors.append("exit code not 0")
    if not errors:
        target.remove()
    return errors


def service_manager(_chance):
    """What systemd hears: ready, stopping, and of a start that has to read the log."""
    errors = []
    target = server.Server()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(target.directory / "notify"))
    listener.settimeout(10)
    target.environment["NOTIFY_SOCKET"] = str(target.directory / "notify")

    def expect(line):
        try:
            said = listener.recv(4096).decode()
        except TimeoutError:
            said = "(nothing)"
        if not any(part.startswith(line) for part in said.splitlines()):
            errors.append("said %r, not %s" % (said, line))

    target.start()
    expect("READY=1")
    with remoting.Connection(target.broker, timeout=60) as connection:
        remoting.create_topic(connection, "long", 1)
        template = remoting.SendTemplate("long")
        for i in range(100):
            connection.socket.sendall(template.send(i + 1, 0, b"x" * (3 << 20), b""))
            remoting.ok(connection.receive())
    target.kill()
    shutil.rmtree(target.data / "store/consumequeue", ignore_errors=True)
    target.start()
    expect("STATUS=recovery: ")
    expect("READY=1")
    code = target.stop()
    expect("STOPPING=1")
    if code != 0:
        errors.append("exit code %d" % code)
    print("service manager: told of a start, of a recovery, and of a stop")
    listener.close()
    if not errors:
        target.remove()
    return errors


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seed", type=int, default=None)
    options = arguments.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print("stop seed=%d" % seed, flush=True)
    chance = random.Random(seed)
    errors = []
    for name, part in (("async", lambda c: under_load("async", c)),
                       ("sync", lambda c: under_load("sync", c)),
                       ("held pull", held_pull), ("second signal", second_signal),
                       ("second server", second_server),
                       ("service manager", service_manager)):
        for error in part(chance):
            errors.append("%s: %s" % (name, error))
            print("  BAD " + errors[-1], flush=True)
    print("%s stop, seed %d" % ("FAIL" if errors else "PASS", seed))
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
