#!/usr/bin/env python3
"""What the C++ producer does when real brokers stop answering: a process that is stopped (SIGSTOP) is avoided after its
first time-out and used again when it goes on; a cluster that is dead fails within the time that was given, with the reason.

RMQ_BIN is the server's executable, RMQ_SENDER that of sender.cpp.
"""

import collections
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import server  # noqa: E402

TIMEOUT_MS = 3000
# A healthy send takes about a millisecond; one that waited for a stopped broker, at least its share of the time-out.
SLOW_MS = TIMEOUT_MS // 3
RECOVERY_SECONDS = 20


class Sender:
    """The commanded producer."""

    def __init__(self, namesrv):
        self.process = subprocess.Popen([os.environ["RMQ_SENDER"], "%s:%d" % namesrv, "T"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def send(self, timeout_ms=TIMEOUT_MS):
        """("ok", broker, queue, ms) or ("failed", ms, reason)."""
        self.process.stdin.write("%d\n" % timeout_ms)
        line = self.process.stdout.readline().rstrip("\n")
        if line.startswith("ok "):
            _, broker, queue, took = line.split()
            return "ok", broker, int(queue), int(took)
        _, took, reason = line.split(" ", 2)
        return "failed", int(took), reason

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def freeze(broker):
    """Returns when every thread of it stands still."""
    broker.signal(signal.SIGSTOP)
    tasks = pathlib.Path("/proc/%d/task" % broker.process.pid)
    while any(task.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "T" for task in tasks.iterdir()):
        time.sleep(0.001)


class FaultsTest(unittest.TestCase):
    def setUp(self):
        self.namesrv = server.Server(roles=("namesrv",))
        self.namesrv.start()
        self.brokers = {}
        for name in ("a", "b"):
            broker = server.Server(roles=("master",), broker_keys={"brokerName": name}, namesrv=self.namesrv.namesrv)
            broker.start()
            self.brokers[name] = broker
        address = "%s:%d" % self.namesrv.namesrv
        subprocess.run([server.BINARY, "topic", "create", "T", "--queues", "4", "--namesrv", address], check=True,
                       capture_output=True)
        self.sender = Sender(self.namesrv.namesrv)
        self.addCleanup(self.end)

    def end(self):
        for broker in self.brokers.values():
            if broker.process.poll() is None:
                broker.signal(signal.SIGCONT)
        self.sender.close()
        for one in [*self.brokers.values(), self.namesrv]:
            one.remove()

    def until_shared(self):
        """Returns when every queue of both brokers gets the same share."""
        fair = {(broker, queue): 10 for broker in "ab" for queue in range(4)}
        end = time.monotonic() + RECOVERY_SECONDS
        while True:
            sent = [self.sender.send() for _ in range(80)]
            shares = collections.Counter(one[1:3] for one in sent)
            if shares == fair:
                return
            self.assertLess(time.monotonic(), end, "the queues do not get the same share: %s" % shares)

    def test_stopped_broker(self):
        self.until_shared()

        freeze(self.brokers["b"])
        sent = [self.sender.send() for _ in range(200)]
        self.assertEqual({one[:2] for one in sent}, {("ok", "a")})
        slow = [one for one in sent if one[3] >= SLOW_MS]
        self.assertEqual(len(slow), 1, "only the first send that met it waited: %s" % slow)

        self.brokers["b"].signal(signal.SIGCONT)
        self.until_shared()

    def test_dead_cluster(self):
        self.assertEqual(self.sender.send()[0], "ok")
        for broker in self.brokers.values():
            freeze(broker)
        for timeout_ms in (1000, 300, 100):
            result, took, reason = self.sender.send(timeout_ms)
            self.assertEqual(result, "failed")
            # Nearer to it than any other time-out that there is.
            self.assertLess(took, timeout_ms + 500)
            self.assertRegex(reason, r"timed out: 127\.0\.0\.1:\d+")
        for broker in self.brokers.values():
            broker.kill()
        result, took, reason = self.sender.send(1000)
        self.assertEqual(result, "failed")
        self.assertLess(took, 1500)
        self.assertRegex(reason, r"127\.0\.0\.1:\d+")


if __name__ == "__main__":
    unittest.main(verbosity=2)
