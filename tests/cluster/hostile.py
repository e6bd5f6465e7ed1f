#!/usr/bin/env python3
"""Hostile peers on each port: random bytes, truncated frames, impossible lengths and headers, slow
drips, large frames that never end, ten thousand idle connections.

Each peer must be dropped or bounded: the server's memory (RssAnon) grows by less than 16 MiB plus
8 KiB per idle connection, and another client, which sends and asks for routes all the while, gets
right answers. Its p99 is printed beside its p99 without an attack."""

import argparse
import json
import multiprocessing
import os
import random
import resource
import selectors
import socket
import struct
import sys
import threading
import time

import remoting
import server

GROWTH_BYTES = 16 << 20
GROWTH_PER_IDLE_BYTES = 8 << 10
DEAF_PEERS = 20
# Requests that are right but whose answers nobody takes: the server has to hold some answers back
# for each such peer before it stops reading from it.
GROWTH_PER_DEAF_PEER_BYTES = 5 << 20
DROP_SECONDS = 10.0  # a peer that breaks the protocol is closed within this time
TOPIC = "victim"
ATTACKED = "attacked"


# --- the other client -----------------------------------------------------------------------------

def victim(broker, vip, namesrv, running, stop, out):
    """One request at a time until `stop`: sends on both broker ports, route queries. Sets `running`
    after the first ones; puts (send latencies in seconds, errors)."""
    latencies, errors = [], []
    expected = None
    template = remoting.SendTemplate(TOPIC)
    try:
        connections = [remoting.Connection(a, timeout=10) for a in (broker, vip, namesrv)]
        opaque = 1 << 20
        while not stop.is_set():
            for connection in connections[:2]:
                opaque += 1
                body = b"victim-%d" % opaque
                request = template.send(opaque, 0, body, b"UNIQ_KEY\x01%b\x02" % body)
                begin = time.perf_counter()
                connection.socket.sendall(request)
                answer = connection.receive()
                latencies.append(time.perf_counter() - begin)
                if answer.opaque != opaque or answer.code != remoting.SUCCESS:
                    errors.append("send answered with code %d: %s" % (answer.code, answer.remark))
                    continue
                offset = int(answer.ext["queueOffset"])
                if expected is not None and offset != expected:
                    errors.append("stored at %d, not at %d" % (offset, expected))
                expected = offset + 1
            answer = connections[2].request(remoting.GET_ROUTEINFO_BY_TOPIC, {"topic": TOPIC})
            if answer.code != remoting.SUCCESS or b'"brokerName"' not in answer.body:
                errors.append("route answered with code %d: %s" % (answer.code, answer.remark))
            running.set()
    except (OSError, ValueError, KeyError) as error:
        errors.append("the other client's connection failed: %r" % error)
    out.put((latencies, errors[:5]))


class Victim:
    def __init__(self, target):
        context = multiprocessing.get_context("fork")
        self.stop = context.Event()
        self.out = context.Queue()
        running = context.Event()
        self.process = context.Process(
            target=victim, daemon=True,
            args=(target.broker, target.vip, target.namesrv, running, self.stop, self.out))
        self.process.start()
        running.wait(10)

    def end(self):
        self.stop.set()
        latencies, errors = self.out.get(timeout=30)
        self.process.join(10)
        if len(latencies) < 10:
            errors.append("only %d sends answered" % len(latencies))
        return latencies, errors


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class Memory(threading.Thread):
    """Watches RssAnon and keeps the peak."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.peak = target.rss_anon()
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.02):
            try:
                self.peak = max(self.peak, self.target.rss_anon())
            except (OSError, RuntimeError):
                return

    def end(self):
        self.done.set()
        self.join()
        return self.peak


# --- attacks: each takes (address, chance, options), returns (text, errors, idle connections) -----

def connect(address, source=None):
    connection = socket.create_connection(
        address, 10, source_address=(source, 0) if source else None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def closed_by_peer(connection, seconds):
    """True if the server closes, or has closed, within `seconds`."""
    end = time.monotonic() + seconds
    try:
        while True:
            connection.settimeout(max(0.01, end - time.monotonic()))
            if not connection.recv(65536):
                return True
    except socket.timeout:
        return False
    except OSError:
        return True


def send_quietly(connection, data):
    """As much as the peer takes; it may close at any time."""
    try:
        connection.settimeout(1)
        connection.sendall(data)
        return True
    except OSError:
        return False


def random_bytes(address, chance, options):
    """Noise, which as a length word is mostly impossible."""
    count = options.connections
    for _ in range(count):
        with connect(address) as connection:
            send_quietly(connection, chance.randbytes(chance.choice((1, 11, 300, 70_000))))
    # Noise behind a length and a header length that are possible: the header is no header.
    kept = [connect(address) for _ in range(count)]
    for connection in kept:
        size = chance.randrange(16, 400)
        send_quietly(connection, struct.pack(">II", 4 + size, size) + chance.randbytes(size))
    errors = ["a header of random bytes was not answered by a close"
              for connection in kept if not closed_by_peer(connection, DROP_SECONDS)]
    for connection in kept:
        connection.close()
    return "%d connections" % (2 * count), errors[:3], 0


def good_frame():
    return remoting.SendTemplate(ATTACKED).send(1, 0, b"x" * 100, b"UNIQ_KEY\x01t\x02")


def truncated_frames(address, chance, options):
    """A valid send, cut at every byte, then closed; and cut, then kept open for the while."""
    request = good_frame()
    kept = []
    for cut in range(1, len(request)):
        connection = connect(address)
        send_quietly(connection, request[:cut])
        if chance.random() < 0.3:
            kept.append(connection)
        else:
            connection.close()
    time.sleep(0.5)
    for connection in kept:
        connection.close()
    return "%d cuts" % (len(request) - 1), [], 0


def impossible_frames(address, chance, options):
    """Lengths and headers that no frame may have: the peer must be dropped."""
    header = json.dumps({"code": 310, "flag": 0, "opaque": 1, "version": 479}).encode()

    def framed(head, kind=0, body=b""):
        return struct.pack(">II", 4 + len(head) + len(body), kind << 24 | len(head)) + head + body

    cases = {
        "length 2^32-1": struct.pack(">II", 0xFFFFFFFF, 10) + b"x" * 100,
        "length 2^31": struct.pack(">II", 0x80000000, 10) + b"x" * 100,
        "length one above the limit": struct.pack(">II", remoting.FRAME_MAX + 1, 10) + b"x" * 100,
        "length 0": struct.pack(">I", 0) + b"x" * 100,
        "length 3": struct.pack(">I", 3) + b"x" * 100,
        "header beyond the frame": struct.pack(">II", 20, 21) + b"x" * 100,
        "header of 16 MiB in a small frame": struct.pack(">II", 20, 0xFFFFFF) + b"x" * 100,
        "unknown header type": framed(header, kind=2),
        "header type 255": framed(header, kind=255),
        "header that is no JSON": framed(b"\x00\xff{]"),
        "header null": framed(b"null"),
        "header that is a list": framed(b"[1,2]"),
        "header nested 100,000 deep": framed(b'{"a":' * 100_000),
        "binary header with lengths beyond it": framed(
            struct.pack(">hbhiii", 310, 0, 479, 1, 0, 0x7FFFFFFF) + b"x" * 20, kind=1),
        "binary header with a negative length": framed(
            struct.pack(">hbhiii", 310, 0, 479, 1, 0, -5) + b"x" * 20, kind=1),
        "HTTP": b"GET / HTTP/1.1\r\nHost: example\r\n\r\n" * 10,
    }
    errors = []
    for name, data in cases.items():
        for _ in range(5):
            with connect(address) as connection:
                send_quietly(connection, data)
                if not closed_by_peer(connection, DROP_SECONDS):
                    errors.append("not dropped: " + name)
                    break
    # Right frames around wrong contents: answered, or dropped, but never left without a word.
    contents = {
        "batch of garbage": remoting.frame(320, 7, {
            "a": "g", "b": TOPIC, "c": "TBW102", "d": 4, "e": 0, "f": 0, "g": 0, "h": 0,
            "i": "WAIT\x01true\x02", "m": "true"}, chance.randbytes(500)),
        "send without fields": remoting.frame(310, 7, {}, b"x"),
        "numbers that are none": remoting.frame(11, 7, {"topic": TOPIC, "queueId": "x" * 5000}),
        "garbage heartbeat": remoting.frame(34, 7, {}, chance.randbytes(300)),
        "garbage registration": remoting.frame(103, 7, {
            "brokerName": "b", "brokerAddr": "127.0.0.1:1", "clusterName": "c", "brokerId": 0,
            "haServerAddr": "127.0.0.1:2", "compressed": "true", "bodyCrc32": 0},
            chance.randbytes(300)),
        "negative queue offset": remoting.frame(11, 7, remoting.pull_fields(
            TOPIC, 0, -(1 << 63), 32, "g")),
        "queue id 2^31-1": remoting.frame(11, 7, remoting.pull_fields(
            TOPIC, (1 << 31) - 1, 0, 32, "g")),
        "negative code": remoting.frame(-1, 7, {}),
    }
    for name, data in contents.items():
        with connect(address) as connection:
            send_quietly(connection, data)
            connection.settimeout(DROP_SECONDS)
            try:
                connection.recv(65536)
            except socket.timeout:
                errors.append("no answer and no close: " + name)
            except OSError:
                pass
    return "%d kinds" % (len(cases) + len(contents)), errors, 0


def slow_drip(address, chance, options):
    """Many peers that send one byte of a send now and then."""
    request = good_frame()
    count = options.connections
    drips = [[connect(address), 0] for _ in range(count)]
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        for drip in drips:
            try:
                drip[0].settimeout(0.1)
                drip[0].send(request[drip[1]:drip[1] + 1])
                drip[1] = (drip[1] + 1) % len(request)
            except OSError:
                pass  # dropped: also right
        time.sleep(0.05)
    for drip, _ in drips:
        drip.close()
    return "%d peers for %g s" % (count, options.seconds), [], 0


def partial_frames(address, chance, options):
    """Frames of the largest legal size that never end: each peer sends 1 MiB, then as much more as
    the server takes."""
    head = struct.pack(">II", remoting.FRAME_MAX, 100)
    chunk = bytes(64 << 10)
    selector = selectors.DefaultSelector()
    peers = []
    sent = 0
    for _ in range(options.connections):
        connection = connect(address)
        send_quietly(connection, head)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_WRITE, [0])
        peers.append(connection)
    end = time.monotonic() + options.seconds
    while time.monotonic() < end and selector.get_map():
        for key, _ in selector.select(0.1):
            # One byte short of the whole frame is as far as a peer may go.
            left = remoting.FRAME_MAX - 5 - key.data[0]
            try:
                written = key.fileobj.send(chunk[:left]) if left > 0 else 0
            except BlockingIOError:
                continue
            except OSError:
                written = 0
            key.data[0] += written
            sent += written
            if written == 0:
                selector.unregister(key.fileobj)
    for connection in peers:
        connection.close()
    selector.close()
    return "%d peers, %d MiB taken from them" % (options.connections, sent >> 20), [], 0


def idle_connections(address, chance, options):
    """Connections that say nothing, or the first bytes of a frame and nothing more."""
    peers = []
    errors = []
    begin = time.monotonic()
    try:
        for number in range(options.idle):
            # Several source addresses: one has too few ports when earlier ones still linger.
            connection = connect(address, "127.0.0.%d" % (2 + number % 20))
            if number % 4 == 0:
                connection.send(good_frame()[:7])
            peers.append(connection)
    except OSError as error:
        errors.append("only %d idle connections: %r" % (len(peers), error))
    took = time.monotonic() - begin
    time.sleep(options.seconds)
    alive = 0
    for connection in peers:
        connection.setblocking(False)
        try:
            if connection.recv(1):
                errors.append("an idle connection was sent something")
        except BlockingIOError:
            alive += 1
        except OSError:
            pass
    for connection in peers:
        connection.close()
    return "%d in %.1f s, %d still open after %g s" % (
        len(peers), took, alive, options.seconds), errors[:3], len(peers)


def endless_requests(address, chance, options):
    """Peers that ask and ask and never read an answer."""
    request = remoting.frame(9999, 1) * 1000
    peers = []
    selector = selectors.DefaultSelector()
    sent = 0
    for _ in range(DEAF_PEERS):
        connection = connect(address)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_WRITE)
        peers.append(connection)
    end = time.monotonic() + options.seconds
    while time.monotonic() < end and selector.get_map():
        for key, _ in selector.select(0.1):
            try:
                # Whole or not, the stream stays one of valid frames: the rest is simply not sent.
                sent += key.fileobj.send(request)
            except BlockingIOError:
                pass
            except OSError:
                selector.unregister(key.fileobj)
    for connection in peers:
        connection.close()
    selector.close()
    return "%d peers, %d KiB of requests taken" % (len(peers), sent >> 10), [], 0


ATTACKS = (random_bytes, truncated_frames, impossible_frames, slow_drip, partial_frames,
           endless_requests, idle_connections)


# --- the test -------------------------------------------------------------------------------------

def quiet(target, options):
    """p99 of the other client with nobody else there."""
    other = Victim(target)
    time.sleep(options.quiet_seconds)
    latencies, errors = other.end()
    return percentile(latencies, 0.99), errors


def run(target, port_name, address, attack, chance, options, base_p99):
    other = Victim(target)
    memory_before = target.rss_anon()
    memory = Memory(target)
    # Short attacks again and again, so that the other client meets them often enough.
    end = time.monotonic() + options.seconds
    times = 0
    while True:
        text, errors, idle = attack(address, chance, options)
        times += 1
        if errors or time.monotonic() >= end:
            break
    latencies, other_errors = other.end()
    peak = memory.end()
    errors += other_errors
    growth = peak - memory_before
    allowed = GROWTH_BYTES + GROWTH_PER_IDLE_BYTES * idle
    if attack is endless_requests:
        allowed += GROWTH_PER_DEAF_PEER_BYTES * DEAF_PEERS
    if growth >= allowed:
        errors.append("memory grew by %.1f MiB of %.1f" % (growth / 2**20, allowed / 2**20))
    if target.process.poll() is not None:
        errors.append("the server is gone, code %s\n%s" % (target.process.poll(), target.tail()))
    p99 = percentile(latencies, 0.99)
    if options.max_p99_ms and p99 * 1000 > options.max_p99_ms:
        errors.append("p99 %.1f ms is more than %g" % (p99 * 1000, options.max_p99_ms))
    print("%-4s %-8s %-18s memory +%5.1f of %5.1f MiB, p99 %6.2f ms (quiet %5.2f), %6d sends; %s"
          % ("ok" if not errors else "BAD", port_name, attack.__name__, growth / 2**20,
             allowed / 2**20, p99 * 1000, base_p99 * 1000, len(latencies),
             "%d times " % times * (times > 1) + text), flush=True)
    for error in errors:
        print("       " + error)
    return errors


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument("--idle", type=int, default=10_000)
    arguments.add_argument("--connections", type=int, default=200)
    arguments.add_argument("--seconds", type=float, default=3,
                           help="length of the attacks that take a time")
    arguments.add_argument("--quiet-seconds", type=float, default=2)
    arguments.add_argument("--max-p99-ms", type=float, default=250,
                           help="of the other client during an attack: above this it is a stall "
                                "and not the load of this machine; 0: no limit")
    arguments.add_argument("--attack", default="", help="only attacks with this in their name")
    arguments.add_argument("--port", default="", help="only this: namesrv, broker or vip")
    options = arguments.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print("hostile seed=%d" % seed, flush=True)
    chance = random.Random(seed)

    target = server.Server().start()
    # Ours only now: the server has to raise its own.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with remoting.Connection(target.broker) as connection:
        remoting.create_topic(connection, TOPIC, 1)
    base_p99, failures = quiet(target, options)
    ports = (("namesrv", target.namesrv), ("broker", target.broker), ("vip", target.vip))
    for port_name, address in ports:
        if options.port not in ("", port_name):
            continue
        for attack in ATTACKS:
            if options.attack in attack.__name__:
                failures += run(
                    target, port_name, address, attack, chance, options, base_p99)
                if target.process.poll() is not None:
                    print("FAIL hostile, seed %d: the server died\n%s" % (seed, target.tail()))
                    return 1
    after_p99, errors = quiet(target, options)
    failures += errors
    print("p99 of sends before all attacks %.2f ms, after them %.2f ms; RssAnon now %.1f MiB" % (
        base_p99 * 1000, after_p99 * 1000, target.rss_anon() / 2**20))
    code = target.stop()
    if code != 0:
        failures.append("exit code %d after SIGTERM" % code)
    if failures:
        print("  log: %s" % target.log)
        print("FAIL hostile, seed %d: %d errors, the first: %s" % (
            seed, len(failures), failures[0]))
        return 1
    target.remove()
    print("PASS hostile")
    return 0


if __name__ == "__main__":
    sys.exit(main())
