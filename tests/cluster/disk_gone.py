#!/usr/bin/env python3
"""Files that somebody deletes, while the broker runs and before it starts; and a file system that is
read-only. Queues are made again from the log. What of the log is gone is gone, and never silently:
but for the oldest files, which an administrator may delete."""

import struct

import disk_case
from disk_case import EROFS
import remoting


class Deleted(disk_case.DiskCase):
    KEYS = disk_case.DiskCase.KEYS | {"mappedFileSizeCommitLog": 64 * 1024}

    def setUp(self):
        super().setUp()
        self.start()
        self.send_many(240, size=800)  # three files of each queue, four of the log
        self.check()

    def queue_files(self, queue_id=0):
        return sorted((self.store / "consumequeue" / self.TOPIC / str(queue_id)).iterdir())

    def log_files(self):
        return sorted((self.store / "commitlog").iterdir())

    def noted(self):
        """How far log and queues are known to be on disk: nothing before it is read at a start."""
        data = (self.store / "rmq" / "log-mark").read_bytes()
        # Two slots: magic, sequence, clean, flushed, dispatched.
        _, _, _, dispatched = max(struct.unpack_from(">qqqq", data, at + 8) for at in (0, 4096))
        return dispatched

    def wait_noted(self):
        disk_case.until(lambda: self.noted() > self.last_physical, "the note")

    def made_again(self, delete, end):
        """`delete` takes files away after `end`; the next start makes them again."""
        self.wait_noted()
        end(self.broker)
        delete()
        self.restart()
        self.check()
        self.send_many(4)
        self.check()

    def killed(self, which):
        self.made_again(which, lambda broker: broker.kill())

    def stopped(self, which):
        self.made_again(which, lambda broker: broker.stop())

    def first(self):
        self.queue_files()[0].unlink()

    def middle(self):
        self.queue_files()[1].unlink()

    def last(self):
        self.queue_files()[-1].unlink()

    def all_of_one(self):
        for path in self.queue_files():
            path.unlink()

    def test_queue_first_file_killed(self):
        self.killed(self.first)

    def test_queue_middle_file_killed(self):
        self.killed(self.middle)

    def test_queue_last_file_killed(self):
        self.killed(self.last)

    def test_queue_all_files_killed(self):
        self.killed(self.all_of_one)

    def test_queue_first_file_stopped(self):
        self.stopped(self.first)

    def test_queue_middle_file_stopped(self):
        self.stopped(self.middle)

    def test_queue_last_file_stopped(self):
        self.stopped(self.last)

    def test_queue_file_while_running(self):
        """Who reads there is told which file is missing; the others read on, and the next start makes it again."""
        self.restart()
        self.check()
        gone = self.queue_files()[0]
        gone.unlink()
        with self.assertRaisesRegex(RuntimeError, "No such file.*T/0/" + gone.name):
            self.check()
        self.send_many(4)
        self.restart(lambda broker: broker.kill(), clean=False)
        self.check()

    def test_queue_file_in_use(self):
        """The broker stops with the reason when it finds that the file it adds to is gone."""
        self.wait_noted()  # the files are made later than the messages are there
        self.queue_files()[-1].unlink()
        self.send(0)
        self.left()
        self.assertIn("consumequeue/T/0", self.log_text())
        self.restart()
        self.check()
        self.send_many(4)
        self.check()

    def test_log_file_while_running(self):
        """What is open can be read; the next start says which file is missing."""
        gone = self.log_files()[1]
        gone.unlink()
        self.check()
        self.send_many(4)
        self.check()
        self.broker.stop()
        with self.assertRaisesRegex(RuntimeError, gone.name + "(.|\n)*missing"):
            self.broker.start()
        self.assertGreater(self.broker.process.returncode, 0)

    def test_newest_log_file(self):
        """What was known to be on disk is missed."""
        self.wait_noted()
        self.broker.kill()
        newest = self.log_files()[self.last_physical // (64 * 1024)]
        aside = self.broker.directory / newest.name
        for path in self.log_files():
            if path > newest:
                path.unlink()  # made ahead of time, empty
        newest.rename(aside)
        with self.assertRaisesRegex(RuntimeError, newest.name + "(.|\n)*missing"):
            self.broker.start()
        self.assertGreater(self.broker.process.returncode, 0)
        aside.rename(newest)
        self.restart()
        self.check()

    def test_oldest_log_file(self):
        """As if it had expired: an administrator may delete old files to make room."""
        self.broker.stop()
        self.log_files()[0].unlink()
        self.restart()
        begin = self.queue(0).min_offset()
        self.assertGreater(begin, 0)
        for queue_id in range(self.QUEUES):
            queue = self.queue(queue_id)
            offsets = [r.queue_offset for r in queue.records(queue.min_offset(), 120)]
            self.assertEqual(offsets, list(range(queue.min_offset(), 120)))

    def test_metadata(self):
        """One of the two is enough; without both the broker does not start."""
        self.broker.stop()
        (self.store / "config/topics.json").unlink()
        self.restart()
        self.check()
        self.broker.stop()
        for path in (self.store / "config").glob("topics.json*"):
            path.unlink()
        with self.assertRaisesRegex(RuntimeError, "topics.json(.|\n)*Restore the file"):
            self.broker.start()


class ReadOnly(disk_case.DiskCase):
    CALLS = disk_case.WRITING

    def test_start(self):
        self.start()
        self.send_many(4)
        self.broker.stop()
        self.disk.fail(self.CALLS, "/store", EROFS)
        with self.assertRaisesRegex(RuntimeError, "Read-only file system(.|\n)*--data"):
            self.broker.start()
        self.assertGreater(self.broker.process.returncode, 0)
        self.restart()
        self.check()

    def test_while_running(self):
        """As ext4 does it when it finds itself damaged."""
        self.start()
        self.send_many(4)
        self.check()
        self.disk.fail(self.CALLS, "/store/", EROFS)
        answer = self.send()
        # Under async flush the failing call may be another thread's, and just before.
        self.assert_refused(answer, disk_case.SERVICE_NOT_AVAILABLE, "Read-only file system")
        self.left()
        self.restart()
        self.check()


if __name__ == "__main__":
    disk_case.main()
