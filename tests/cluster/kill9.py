#!/usr/bin/env python3
"""kill -9 at a random moment under load, again and again on the same data; after each start: every
acknowledged message is at its offset with its body, offsets are dense, nothing is there twice.

16 connections pipeline sends, some of them batches, without retries; commit log segments are small,
so that kills also hit the making and rolling of files. Some starts are killed as well, so that a
recovery meets what another one left half done."""

import argparse
import os
import random
import signal
import sys
import time

import load
import server


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument("--flush", choices=("async", "sync"), default="async")
    arguments.add_argument("--connections", type=int, default=16)
    arguments.add_argument("--window", type=int, default=64)
    arguments.add_argument("--segment-kib", type=int, default=1024)
    arguments.add_argument("--min-rate", type=int, default=5000,
                           help="fail below so many acknowledged messages a second; 0: never")
    options = arguments.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print("kill9 seed=%d flush=%s rounds=%d segment=%d KiB connections=%d" % (
        seed, options.flush, options.rounds, options.segment_kib, options.connections), flush=True)
    chance = random.Random(seed)

    target = server.Server(broker_keys={
        "mappedFileSizeCommitLog": options.segment_kib * 1024,
        # 1,000 entries a file: queues roll as well.
        "mappedFileSizeConsumeQueue": 20 * 1000,
        "flushDiskType": "SYNC_FLUSH" if options.flush == "sync" else "ASYNC_FLUSH"})
    target.start()
    ledger = load.Ledger("kill9")
    load.create(target.broker, ledger.topic)

    seconds = acknowledged = open_requests = recoveries_killed = 0
    for number in range(1, options.rounds + 1):
        work = load.Load(target.broker, ledger, b"r%d" % number, options.connections,
                         options.window, chance.getrandbits(32))
        duration = chance.uniform(0.2, 2.0)
        begin = time.monotonic()
        killer = kill_after(target.process.pid, duration)
        # What it had written before it died still arrives, and counts as acknowledged.
        work.run_until(begin + duration + 10)
        took = time.monotonic() - begin
        os.waitpid(killer, 0)
        if target.wait() != -signal.SIGKILL:
            return fail(target, seed, ["ended by itself with code %d\n%s" % (
                target.process.returncode, target.tail())])
        open_at_kill = work.in_flight
        work.close()
        seconds += took
        acknowledged += work.messages_acknowledged
        open_requests += open_at_kill
        for _ in range(chance.choice((0, 0, 1, 2))):
            target.start_and_kill(chance.uniform(0, 0.1))
            recoveries_killed += 1
        target.start()
        read, errors = load.check(target.broker, ledger)
        print("round %2d: killed after %.2f s, %6d acknowledged (%6.0f/s), %4d requests open; "
              "ready again in %3.0f ms, %d read" % (
                  number, took, work.messages_acknowledged, work.messages_acknowledged / took,
                  open_at_kill, target.ready_seconds * 1000, read), flush=True)
        if work.refused:
            errors.append("refused under load: %s" % work.refused)
        if errors:
            return fail(target, seed, errors)
    read, errors = load.check(target.broker, ledger, whole=True)
    rate = acknowledged / seconds
    segments = sum(1 for _ in (target.data / "store" / "commitlog").glob("*"))
    print("%d messages acknowledged, %.0f a second; %d requests were open at kills, %d recoveries "
          "were killed as well; %d messages in %d segments, read again from the start" % (
              acknowledged, rate, open_requests, recoveries_killed, read, segments))
    if rate < options.min_rate:
        errors.append("%.0f messages a second are less than %d" % (rate, options.min_rate))
    if errors:
        return fail(target, seed, errors)
    code = target.stop()
    if code != 0:
        return fail(target, seed, ["exit code %d after SIGTERM" % code])
    target.remove()
    print("PASS kill9 %s" % options.flush)
    return 0


def kill_after(pid, seconds):
    """In a process of its own: here the kill would fall between two turns of the load, when the
    server has least to do."""
    killer = os.fork()
    if killer == 0:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        os._exit(0)
    return killer


def fail(target, seed, errors):
    for error in errors:
        print("  " + error)
    print("  data and log: %s" % target.directory)
    print("FAIL kill9, seed %d: %d errors" % (seed, len(errors)))
    return 1


if __name__ == "__main__":
    sys.exit(main())
