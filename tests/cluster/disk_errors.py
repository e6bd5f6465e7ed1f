#!/usr/bin/env python3
"""A disk that answers with errors. A failed write or fsync ends writing at once: the broker says why,
leaves the name server, and exits with a code that is not 0; what was acknowledged is there at the
next start. A failed read is an answer to the one who asked."""

import time

import disk_case
from disk_case import EIO
import load
import remoting

REASON = "Input/output error"


class FailedWrites(disk_case.DiskCase):
    QUEUES = load.QUEUES
    # So that no sync is that of a new file, which is made once more.
    ONE_FILE = {"mappedFileSizeCommitLog": 1 << 28}

    def broker_leaves(self, calls, part, count=1, **keys):
        """Under a load of pipelined sends, all of which get an answer, or the connection's end."""
        self.start(**keys)
        ledger = load.Ledger(self.TOPIC)
        work = load.Load(self.broker.broker, ledger, b"w", connections=4, window=16)
        self.addCleanup(work.close)
        end = time.monotonic() + disk_case.SECONDS
        work.run_until(end, lambda: work.messages_acknowledged > 200)
        self.disk.fail(calls, part, EIO, count)
        work.run_until(end, lambda: not work.any_open)
        self.assertFalse(work.any_open, "connections are still open")
        self.disk.wait_hit(part)
        self.left()
        self.assertRegex(self.log_text(), REASON)
        # No code but that of "not now" for what was refused.
        self.assertLessEqual(set(work.refused), {disk_case.SERVICE_NOT_AVAILABLE}, work.refused)
        self.restart()
        read, errors = load.check(self.broker.broker, ledger)
        self.assertEqual(errors, [])
        self.assertGreater(read, 200)
        self.assertEqual(self.broker.stop(), 0)

    def test_log_write(self):
        self.broker_leaves("write", "/commitlog/")

    def test_log_write_again_and_again(self):
        self.broker_leaves("write", "/commitlog/", count=-1)

    def test_log_sync_under_sync_flush(self):
        self.broker_leaves("sync", "/commitlog/", flushDiskType="SYNC_FLUSH", **self.ONE_FILE)

    def test_log_sync_under_async_flush(self):
        self.broker_leaves("sync", "/commitlog/", **self.ONE_FILE)

    def test_log_file_cannot_be_made(self):
        self.broker_leaves("create", "/commitlog/", count=-1)

    def test_queue_write(self):
        self.broker_leaves("write", "/consumequeue/")

    def test_queue_sync(self):
        self.broker_leaves("sync", "/consumequeue/")

    def test_notes(self):
        """Of how far log and queues are on disk."""
        self.broker_leaves("write", "/checkpoint")

    def test_answer_says_why(self):
        self.start(flushDiskType="SYNC_FLUSH")
        self.send_many(2)
        self.disk.fail("sync", "/commitlog/", EIO, 1)
        answer = self.send()
        self.assert_refused(answer, disk_case.SERVICE_NOT_AVAILABLE, REASON, "commitlog")
        self.left()
        self.restart()
        self.check()

    def test_index(self):
        """Only the index ends; the next start makes up for it."""
        self.start()
        self.disk.fail("write", "/index/", EIO)
        self.send_many(8)
        self.disk.wait_hit("/index/")
        disk_case.until(lambda: "message index ends here" in self.log_text(), "it is said")
        self.send_many(8)
        self.check()
        self.restart()
        self.check()
        disk_case.until(lambda: "message index is complete" in self.log_text(), "it is made up for")


class FailedReads(disk_case.DiskCase):
    def setUp(self):
        super().setUp()
        self.start()
        self.send_many(40, size=20_000)
        self.check()
        self.restart()  # nothing of this is read through a mapping now

    def failed_and_right_again(self, part, error=EIO):
        self.disk.fail("read", part, error)
        for _ in range(2):
            answer = self.queue(0).pull(0)
            self.assert_refused(answer, disk_case.SYSTEM_ERROR, REASON, part)
        self.alive()
        # A long poll is answered too, and others are served.
        ext = remoting.pull_fields(self.TOPIC, 0, 0, 32, "g", suspend_ms=5000)
        self.assert_refused(self.connection.request(remoting.PULL_MESSAGE, ext),
                            disk_case.SYSTEM_ERROR, REASON)
        self.send_many(4)
        disk_case.until(lambda: self.queue(1).max_offset() == 22, "the other queue goes on")
        self.assertTrue(self.routed())
        self.disk.work()
        self.check()

    def test_log(self):
        self.failed_and_right_again("/commitlog/")

    def test_queue(self):
        self.failed_and_right_again("/consumequeue/T/0/")

    def test_one_queue_is_no_other(self):
        self.disk.fail("read", "/consumequeue/T/0/", EIO)
        self.assert_refused(self.queue(0).pull(0), disk_case.SYSTEM_ERROR, REASON)
        self.assertEqual(self.queue(1).pull(0).code, remoting.SUCCESS)

    def test_stop_while_reads_fail(self):
        self.disk.fail("read", "/store/", EIO)
        self.queue(0).pull(0)
        self.send_many(4)
        self.broker.stop()
        self.restart()
        self.check()

    def test_start(self):
        """A start that cannot read says so, and leaves everything as it is."""
        self.broker.kill()
        self.disk.fail("read", "/consumequeue/", EIO)
        with self.assertRaisesRegex(RuntimeError, REASON):
            self.broker.start()
        self.assertGreater(self.broker.process.returncode, 0)
        self.restart()
        self.check()


if __name__ == "__main__":
    disk_case.main()
