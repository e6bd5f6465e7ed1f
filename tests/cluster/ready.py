#!/usr/bin/env python3
"""Time from exec to ready, and memory at idle, of name server and broker in one process: the median
of several starts on an empty data directory. What the file system takes for a new commit log file
of a gigabyte, 20 to 50 ms where the free space is in pieces, is measured beside it and does not
count. Without a limit: starts on a directory that a server left in good order, and the CPU time of a
start."""

import argparse
import os
import statistics
import sys
import time

import server

COMMIT_LOG_BYTES = 1 << 30


def settled_memory(target):
    """RssAnon once it has not changed for 0.3 s, at most 3 s after ready."""
    end = time.monotonic() + 3
    last, since = target.rss_anon(), time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < 0.3:
        time.sleep(0.02)
        now = target.rss_anon()
        if now != last:
            last, since = now, time.monotonic()
    return last


def cpu_seconds(pid):
    """Of all threads so far."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            total += int(open("/proc/%d/task/%s/schedstat" % (pid, task)).read().split()[0])
        except OSError:
            pass  # a thread that has ended
    return total / 1e9


def commit_log_seconds(directory):
    """What an empty commit log file costs on this disk."""
    path = directory / "space"
    begin = time.monotonic()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.posix_fallocate(file, 0, COMMIT_LOG_BYTES)
    os.fdatasync(file)
    taken = time.monotonic() - begin
    os.close(file)
    path.unlink()
    return taken


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--starts", type=int, default=11)
    arguments.add_argument("--max-ms", type=float, default=50)
    arguments.add_argument("--max-mib", type=float, default=30)
    options = arguments.parse_args()
    times, memory, again, cpu, space = [], [], [], [], []
    for _ in range(options.starts):
        target = server.Server()
        space.append(commit_log_seconds(target.directory) * 1000)
        target.start()
        cpu.append(cpu_seconds(target.process.pid) * 1000)
        times.append(target.ready_seconds * 1000)
        memory.append(settled_memory(target) / (1 << 20))
        code = target.stop()
        if code == 0:
            target.start()
            again.append(target.ready_seconds * 1000)
            code = target.stop()
        target.remove()
        if code != 0:
            print("FAIL ready: exit code %d" % code)
            return 1
    median_ms, median_mib = statistics.median(times), statistics.median(memory)
    space_ms = statistics.median(space)
    print("ready: median %.1f ms (min %.1f, max %.1f), of which %.1f ms for the space of the commit log; limit without that %g ms"
          % (median_ms, min(times), max(times), space_ms, options.max_ms))
    print("       %.1f ms of CPU time; %.1f ms on a directory in use before; load average %.1f"
          % (statistics.median(cpu), statistics.median(again), os.getloadavg()[0]))
    print("idle:  median %.1f MiB RssAnon (max %.1f), limit %g MiB" % (
        median_mib, max(memory), options.max_mib))
    good = median_ms - space_ms < options.max_ms and median_mib < options.max_mib
    print("%s ready" % ("PASS" if good else "FAIL"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
