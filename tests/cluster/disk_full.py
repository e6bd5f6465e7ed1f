#!/usr/bin/env python3
"""A full disk: messages are refused early and with the reason, reading goes on, and writing resumes
by itself when there is room; nothing that was acknowledged is lost."""

import json

import disk_case
from disk_case import ENOSPC
import remoting


class FullDisk(disk_case.DiskCase):
    def refused_and_taken_again(self, calls, part):
        self.start()
        self.send_many(20, size=20_000)  # over a file of the log
        self.disk.fail(calls, part, ENOSPC)
        refused = self.send_until_refused()
        self.assert_refused(refused, disk_case.SERVICE_NOT_AVAILABLE, "disk is full",
                            "No space left on device")
        self.alive()
        self.check()  # reading goes on
        self.assertTrue(self.routed())
        self.disk.work()
        self.send_until_taken()
        self.send_many(30, size=20_000)
        self.check()
        self.restart()
        self.check()
        self.send_many(4)
        self.restart(lambda broker: broker.kill(), clean=False)
        self.check()

    def test_no_space_for_new_files(self):
        """As ext4 and xfs do it: what lies in files that were allocated can be written."""
        self.refused_and_taken_again(disk_case.IN_PLACE, "/store/")

    def test_no_space_for_any_write(self):
        """As file systems do it that never write in place."""
        self.refused_and_taken_again(disk_case.EVERYTHING, "/store/")

    def test_killed_while_full(self):
        self.start()
        self.send_many(4)
        self.disk.fail(disk_case.EVERYTHING, "/store/", ENOSPC)
        self.send_until_refused()
        self.restart(lambda broker: broker.kill(), clean=False)
        self.check()
        self.send_many(4)
        self.check()

    def test_stopped_while_full(self):
        self.start()
        self.send_many(4)
        self.disk.fail(disk_case.EVERYTHING, "/store/", ENOSPC)
        self.send_until_refused()
        self.broker.stop()
        self.restart()
        self.check()

    def test_start_on_a_full_disk(self):
        """Refused with the reason; with room everything is there."""
        self.start()
        self.send_many(4)
        self.broker.stop()
        self.disk.fail(disk_case.EVERYTHING, "/store/", ENOSPC)
        with self.assertRaisesRegex(RuntimeError, "No space left on device(.|\n)*Make room"):
            self.broker.start()
        self.assertGreater(self.broker.process.returncode, 0)
        self.restart()
        self.check()

    def test_queues_cannot_grow(self):
        self.start()
        self.send_many(4)
        self.check()
        self.disk.fail(disk_case.EVERYTHING, "/consumequeue/", ENOSPC)
        refused = self.send_until_refused(size=100)
        self.assert_refused(refused, disk_case.SERVICE_NOT_AVAILABLE, "disk is full")
        self.alive()
        self.disk.work()
        self.send_until_taken()
        self.check()
        self.restart()
        self.check()

    def test_queues_are_full_at_a_kill(self):
        self.start()
        self.send_many(4)
        self.disk.fail(disk_case.EVERYTHING, "/consumequeue/", ENOSPC)
        self.send_until_refused(size=100)
        self.restart(lambda broker: broker.kill(), clean=False)
        self.check()

    def test_index_cannot_grow(self):
        """Messages are taken, and found by key as soon as there is room."""
        self.start()
        self.disk.fail(disk_case.EVERYTHING, "/index/", ENOSPC)
        self.assertEqual(self.send(key="k1").code, remoting.SUCCESS)
        self.disk.wait_hit("/index/")
        self.assertEqual(self.send(key="k2").code, remoting.SUCCESS)
        self.disk.work()
        for key in ("k1", "k2"):
            disk_case.until(lambda: self.found_by_key(key), "%s is found" % key)
        self.restart()
        for key in ("k1", "k2"):
            disk_case.until(lambda: self.found_by_key(key), "%s is found after a start" % key)

    def found_by_key(self, key):
        answer = self.connection.request(disk_case.QUERY_MESSAGE, {
            "topic": self.TOPIC, "key": key, "maxNum": 32, "beginTimestamp": 0,
            "endTimestamp": 1 << 62})
        return answer.code == remoting.SUCCESS and len(list(remoting.records(answer.body))) == 1


class Metadata(disk_case.DiskCase):
    """The files under config/."""

    def commit(self, offset, group="group"):
        return self.connection.request(disk_case.UPDATE_CONSUMER_OFFSET, {
            "consumerGroup": group, "topic": self.TOPIC, "queueId": 0, "commitOffset": offset})

    def committed(self, group="group"):
        answer = self.connection.request(disk_case.QUERY_CONSUMER_OFFSET, {
            "consumerGroup": group, "topic": self.TOPIC, "queueId": 0})
        return int(answer.ext["offset"]) if answer.code == remoting.SUCCESS else None

    def create_group(self, name):
        return self.connection.request(200, body=b'{"groupName":"%s","consumeEnable":true}'
                                       % name.encode())

    def on_disk(self):
        try:
            text = (self.store / "config/consumerOffset.json").read_text()
        except FileNotFoundError:
            return None
        # Java's keys are numbers.
        return text.replace(" ", "").replace("\t", "")

    def offsets_are_kept(self, error):
        self.start()
        self.create_group("group")
        self.send_many(20)
        self.check()
        self.assertEqual(self.commit(3).code, remoting.SUCCESS)
        disk_case.until(lambda: "0:3" in (self.on_disk() or ""), "the first commit is on disk")
        self.disk.fail(disk_case.WRITING, "/config/", error)
        self.assertEqual(self.commit(7).code, remoting.SUCCESS)
        self.disk.wait_hit("consumerOffset.json", times=2)
        self.assertEqual(self.committed(), 7)
        self.assertIn("0:3", self.on_disk())
        self.alive()
        self.send_many(2)
        self.disk.work()
        disk_case.until(lambda: "0:7" in self.on_disk(), "the commit is on disk")
        self.restart(lambda broker: broker.kill(), clean=False)
        self.assertEqual(self.committed(), 7)
        self.check()

    def test_offsets_on_a_full_disk(self):
        self.offsets_are_kept(ENOSPC)

    def test_offsets_on_a_failing_disk(self):
        self.offsets_are_kept(disk_case.EIO)

    def topic_is_refused(self, error, reason):
        self.start()
        self.disk.fail(disk_case.WRITING, "/config/", error)
        answer = self.connection.request(remoting.UPDATE_AND_CREATE_TOPIC, {
            "topic": "new", "defaultTopic": "TBW102", "readQueueNums": 1, "writeQueueNums": 1,
            "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0, "order": "false"})
        self.assert_refused(answer, disk_case.SYSTEM_ERROR, "topics.json", reason)
        # A topic that a send would make: its first message is not acknowledged.
        answer = self.send(topic="made-by-a-send")
        self.assert_refused(answer, disk_case.SYSTEM_ERROR, "topics.json", reason)
        self.alive()
        self.send_many(2)
        self.disk.work()
        # What was asked for is done as soon as it can be.
        path = self.store / "config/topics.json"
        disk_case.until(lambda: '"new"' in path.read_text(), "the topic is on disk")
        self.assertIn('"made-by-a-send"', path.read_text())
        json.loads(path.read_text())
        self.restart(lambda broker: broker.kill(), clean=False)
        self.check()
        remoting.create_topic(self.connection, "newer", 1)

    def test_topic_on_a_full_disk(self):
        self.topic_is_refused(ENOSPC, "No space left on device")

    def test_topic_on_a_failing_disk(self):
        self.topic_is_refused(disk_case.EIO, "Input/output error")

    def test_group_on_a_full_disk(self):
        self.start()
        self.disk.fail(disk_case.WRITING, "/config/", ENOSPC)
        answer = self.create_group("G")
        self.assert_refused(answer, disk_case.SYSTEM_ERROR, "subscriptionGroup.json",
                            "No space left on device")
        self.disk.work()
        path = self.store / "config/subscriptionGroup.json"
        disk_case.until(lambda: '"G"' in path.read_text(), "the group is on disk")


if __name__ == "__main__":
    disk_case.main()
