"""What the tests of failing disks share: a broker whose system calls can be made to fail while it
runs (tests/faults/failing_calls.cpp), and a ledger of what it acknowledged.

RMQ_FAILING_CALLS names the library; without it that of build/release."""

import errno
import os
import pathlib
import re
import select
import subprocess
import tempfile
import time
import unittest

import remoting
import server

LIBRARY = pathlib.Path(os.environ.get(
    "RMQ_FAILING_CALLS", server.ROOT / "build/release/tests/librmq_failing_calls.so")).resolve()
SECONDS = 15.0  # for whatever must happen soon
SEND_MESSAGE_V2 = 310
DELETE_TOPIC_IN_BROKER = 215
QUERY_CONSUMER_OFFSET = 14
UPDATE_CONSUMER_OFFSET = 15
QUERY_MESSAGE = 12

SYSTEM_ERROR = 1
SERVICE_NOT_AVAILABLE = 14

# All that asks for space where files are written in place (ext4, xfs), and where they are not.
IN_PLACE = ("create", "allocate", "truncate", "mkdir")
EVERYTHING = IN_PLACE + ("write",)
WRITING = EVERYTHING + ("open", "rename", "remove", "sync")

ENOSPC, EIO, EROFS = errno.ENOSPC, errno.EIO, errno.EROFS


class Disk:
    """The rules of one server's disk."""

    def __init__(self):
        if not LIBRARY.is_file():
            raise SystemExit("FAIL no library %s: build rmq_failing_calls, or set "
                             "RMQ_FAILING_CALLS" % LIBRARY)
        self._directory = tempfile.TemporaryDirectory(prefix="rmq-disk-")
        self._path = pathlib.Path(self._directory.name)
        os.mkfifo(self._path / "hits")
        # Both ends, so that it never ends and nobody waits for the other.
        self._hits = os.open(self._path / "hits", os.O_RDWR | os.O_NONBLOCK)
        self._read = b""
        self.environment = {"LD_PRELOAD": str(LIBRARY),
                            "RMQ_FAILING_CALLS_RULES": str(self._path / "rules"),
                            "RMQ_FAILING_CALLS_HITS": str(self._path / "hits")}

    def close(self):
        os.close(self._hits)
        self._directory.cleanup()

    def fail(self, calls, part, error, count=-1):
        """From now on these calls fail, on paths that contain `part`, so many times each."""
        calls = (calls,) if isinstance(calls, str) else calls
        self._write("".join("%s %s %d %d\n" % (call, part, error, count) for call in calls))

    def work(self):
        """From now on nothing fails."""
        self._write("")

    def _write(self, rules):
        while self._more(0):
            pass
        self._read = b""
        temporary = self._path / "rules.new"
        temporary.write_text(rules)
        temporary.rename(self._path / "rules")

    def _more(self, seconds):
        if not select.select([self._hits], [], [], seconds)[0]:
            return False
        self._read += os.read(self._hits, 1 << 16)
        return True

    def wait_hit(self, part="", times=1):
        """Returns when so many calls on such paths were made to fail since the rules were set."""
        end = time.monotonic() + SECONDS
        while True:
            hits = [line for line in self._read.decode().splitlines() if part in line]
            if len(hits) >= times:
                return hits
            left = end - time.monotonic()
            if left <= 0 or not self._more(left):
                raise AssertionError("nothing failed on %r within %g s" % (part, SECONDS))


def until(condition, what):
    """Returns what `condition` returns, once that is something. What is waited for is in another
    process and tells nobody: so it is asked again and again."""
    end = time.monotonic() + SECONDS
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError("not within %g s: %s" % (SECONDS, what))
        os.sched_yield()


class DiskCase(unittest.TestCase):
    """One broker with its name server beside it."""

    TOPIC = "T"
    QUEUES = 2
    KEYS = {"mappedFileSizeCommitLog": 256 * 1024, "mappedFileSizeConsumeQueue": 20 * 50,
            "flushIntervalConsumeQueue": 50, "flushConsumerOffsetInterval": 100,
            "cleanFileForciblyEnable": "false"}

    @classmethod
    def setUpClass(cls):
        cls.namesrv = server.Server(roles=("namesrv",)).start()
        cls.addClassCleanup(cls.namesrv.remove)

    def setUp(self):
        self.disk = Disk()
        self.addCleanup(self.disk.close)
        self.acknowledged = {}  # (queue id, queue offset) -> body
        self.last_physical = 0
        self.number = 0
        self.connection = None

    def start(self, create=True, **keys):
        self.broker = server.Server(roles=("master",), namesrv=self.namesrv.namesrv,
                                    broker_keys=self.KEYS | keys,
                                    environment=self.disk.environment)
        self.addCleanup(self.broker.remove)
        self.broker.start()
        self.connect()
        if create:
            remoting.create_topic(self.connection, self.TOPIC, self.QUEUES)
            self.assertTrue(self.routed())

    def connect(self):
        if self.connection:
            self.connection.close()
        self.connection = remoting.Connection(self.broker.broker, timeout=SECONDS)
        self.addCleanup(self.connection.close)

    @property
    def store(self):
        return self.broker.data / "store"

    def log_text(self):
        return self.broker.log.read_text(errors="replace")

    def send(self, queue_id=0, body=None, topic=None, size=100, key=""):
        """One message; its answer. Noted when it was acknowledged."""
        self.number += 1
        body = body or (b"%d:" % self.number).ljust(size, b"x")
        properties = "KEYS\x01%s\x02" % key if key else "TAGS\x01t\x02"
        answer = self.connection.request(SEND_MESSAGE_V2, {
            "a": "producers", "b": topic or self.TOPIC, "c": "TBW102", "d": 4, "e": queue_id,
            "f": 0, "g": 1700000000000, "h": 0, "i": properties, "j": 0, "k": "false",
            "m": "false"}, body)
        if answer.code == remoting.SUCCESS and (topic or self.TOPIC) == self.TOPIC:
            place = (queue_id, int(answer.ext["queueOffset"]))
            self.assertNotIn(place, self.acknowledged, "an offset was given twice")
            self.acknowledged[place] = body
            self.last_physical = remoting.physical_offset(answer.ext["msgId"].encode())
        return answer

    def send_many(self, count, size=100):
        for number in range(count):
            answer = self.send(number % self.QUEUES, size=size)
            self.assertEqual(answer.code, remoting.SUCCESS, answer.remark)

    def send_until_refused(self, size=20_000):
        """The answer that refused, which came soon."""
        end = time.monotonic() + SECONDS
        while True:
            answer = self.send(self.number % self.QUEUES, size=size)
            if answer.code != remoting.SUCCESS:
                return answer
            self.assertLess(time.monotonic(), end, "nothing was refused")

    def send_until_taken(self):
        return until(lambda: self.send().code == remoting.SUCCESS, "messages are taken again")

    def queue(self, queue_id):
        return remoting.Queue(self.connection, self.TOPIC, queue_id)

    def check(self, dispatched=True):
        """Everything acknowledged is at its offset, exactly; offsets are dense from 0."""
        found = {}
        for queue_id in range(self.QUEUES):
            queue = self.queue(queue_id)
            wanted = 1 + max((o for q, o in self.acknowledged if q == queue_id), default=-1)
            if dispatched:
                until(lambda: queue.max_offset() >= wanted, "queue %d reaches %d" % (
                    queue_id, wanted))
            self.assertEqual(queue.min_offset(), 0)
            offsets = []
            for record in queue.records(0, queue.max_offset()):
                self.assertTrue(record.crc_ok)
                offsets.append(record.queue_offset)
                found[queue_id, record.queue_offset] = record.body
            self.assertEqual(offsets, list(range(queue.max_offset())))
        lost = {place: body for place, body in self.acknowledged.items()
                if found.get(place) != body}
        self.assertEqual(lost, {}, "acknowledged, and not there")
        return found

    def restart(self, end=lambda broker: broker.stop(), clean=True):
        """Without faults."""
        self.disk.work()
        if self.broker.process.poll() is None:
            code = end(self.broker)
            if clean:
                self.assertEqual(code, 0, self.broker.tail())
        self.broker.start()
        self.connect()

    def routed(self):
        with remoting.Connection(self.namesrv.namesrv) as connection:
            answer = connection.request(remoting.GET_ROUTEINFO_BY_TOPIC, {"topic": self.TOPIC})
            address = "%s:%d" % self.broker.broker
            return answer.code == remoting.SUCCESS and address.encode() in answer.body

    def left(self):
        """The broker has gone by itself: its exit code, which is not 0; no producer is sent to it
        any more, and the log has the reason as an error."""
        try:
            code = self.broker.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.fail("the broker goes on\n" + self.broker.tail())
        self.assertGreater(code, 0, self.broker.tail())
        self.assertFalse(self.routed(), "the name server still names it")
        self.assertRegex(self.log_text(), r"(?i)error.*the broker stops")
        return code

    def alive(self):
        self.assertIsNone(self.broker.process.poll(), self.broker.tail())

    def assert_refused(self, answer, code, *parts):
        self.assertEqual(answer.code, code, answer.remark)
        for part in parts:
            self.assertRegex(answer.remark or "", re.compile(part, re.IGNORECASE))


def main():
    unittest.main(verbosity=2)
