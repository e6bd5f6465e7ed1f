#!/usr/bin/env python3
"""`rmq store`: the executable on directories that its server has written. RMQ_BIN names the executable."""

import csv
import io
import json
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import server  # noqa: E402
from command_case import (CommandCase, FAILED, NOT_FOUND, OK, USAGE)  # noqa: E402

DAMAGED = 6
KEYS = {"mappedFileSizeCommitLog": 65536, "mappedFileSizeConsumeQueue": 1000, "maxHashSlotNum": 50, "maxIndexNum": 100}
COUNT = 400


class Store(CommandCase):
    """One stopped server's directory, filled once; each test works on a copy."""

    @classmethod
    def setUpClass(cls):
        cls.server = server.Server(broker_keys=KEYS).start()
        cls.namesrv = "%s:%d" % cls.server.namesrv
        case = cls("run_command")
        case.rmq("topic", "create", "Orders", "--queues", "2")
        case.rmq("message", "send", "Orders", "x" * 150, "--count", str(COUNT), "--tag", "a", "--key", "k")
        cls.inspected = None
        # A server writes the files of its queues once a second.
        while not cls.inspected or sum(queue["max"] for queue in cls.inspected["queues"]) < COUNT:
            cls.inspected = case.rmq_json("store", "inspect", str(cls.server.data))[0]
        cls.server.stop()

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def command(self, *arguments, namesrv=None):
        if arguments[0] == "store":
            return [str(server.BINARY), *arguments]
        return super().command(*arguments, namesrv=namesrv)

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rmq-store-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.data = self.directory / "data"
        shutil.copytree(self.server.data, self.data)
        self.store = self.data / "store"

    def verify(self, code=OK):
        return self.rmq_json("store", "verify", str(self.data), code=code)[0]

    def damage(self, file, at, byte=b"\x5a"):
        with open(file, "r+b") as opened:
            opened.seek(at)
            self.assertNotEqual(opened.read(1), byte)
            opened.seek(at)
            opened.write(byte)

    def position_of(self, number):
        """Where message `number` of Orders/0 lies, by its entry."""
        entry_bytes, file_bytes = 20, KEYS["mappedFileSizeConsumeQueue"]
        queue = self.store / "consumequeue/Orders/0"
        with open(queue / ("%020d" % (number * entry_bytes // file_bytes * file_bytes)), "rb") as entries:
            entries.seek(number * entry_bytes % file_bytes)
            return int.from_bytes(entries.read(8), "big")

    def segment_of(self, at):
        base = at // KEYS["mappedFileSizeCommitLog"] * KEYS["mappedFileSizeCommitLog"]
        return self.store / "commitlog" / ("%020d" % base), at - base

    def test_inspect_while_a_server_runs(self):
        self.assertFalse(self.inspected["stopped"])
        self.assertEqual({q["topic"] for q in self.inspected["queues"]}, {"Orders"})
        self.assertEqual(sum(q["max"] for q in self.inspected["queues"]), COUNT)
        self.assertEqual(self.inspected["segment_bytes"], 65536)

    def test_inspect_in_all_forms(self):
        value = self.rmq_json("store", "inspect", str(self.store))[0]
        self.assertTrue(value["stopped"])
        self.assertEqual(value["queue_file_bytes"], 1000)
        self.assertGreater(value["last_stored_ms"], 1_600_000_000_000)
        self.assertEqual(value["log_mark"]["flushed"], value["log_end"])
        self.assertIn("topics.json", value["config"])
        table = self.rmq("store", "inspect", str(self.store))
        self.assertIn("Orders", table)
        rows = list(csv.DictReader(io.StringIO(self.rmq("store", "inspect", str(self.store), "--output", "csv"))))
        self.assertIn({"what": "directory", "value": str(self.store)}, rows)
        self.assertTrue(self.rmq("store", "inspect", str(self.store), "--output", "yaml").startswith("---"))

    def test_verify_a_sound_store(self):
        value = self.verify()
        self.assertTrue(value["sound"])
        self.assertEqual((value["records"], value["queue_entries"], value["findings"]), (COUNT, COUNT, []))
        # Each message has KEYS and UNIQ_KEY.
        self.assertEqual(value["index_entries"], 2 * COUNT)
        self.assertIn(": sound", self.rmq("store", "verify", str(self.store)))
        self.assertFalse((self.store / "abort").exists())
        config = self.directory / "broker.conf"
        config.write_text("".join("%s=%s\n" % pair for pair in KEYS.items()) + "storePathRootDir=%s\n" % self.store)
        self.assertTrue(self.rmq_json("store", "verify", "--config", str(config))[0]["sound"])

    def test_could_not_look(self):
        self.rmq("store", "verify", "/nonexistent", code=NOT_FOUND)
        self.assertIn("no commitlog", self.err)
        self.rmq("store", "verify", str(self.store), "--config", "/nonexistent.conf", code=USAGE)
        running = server.Server(roles=("namesrv", "master"), broker_keys=KEYS)
        self.addCleanup(running.remove)
        running.start()
        self.rmq("store", "verify", str(running.data), code=FAILED)
        self.assertIn("another process has the store open", self.err)
        self.rmq("store", "repair", str(running.data), "--yes", code=FAILED)
        self.rmq("store", "inspect", str(running.data))

    def test_verify_says_where_it_is_damaged(self):
        at = self.position_of(70)
        segment, in_segment = self.segment_of(at)
        self.damage(segment, in_segment + 100)
        value = self.verify(DAMAGED)
        self.assertFalse(value["sound"])
        self.assertEqual((value["messages_lost"], value["records"]), (1, COUNT - 1))
        record = [f for f in value["findings"] if f["kind"] == "record"][0]
        self.assertEqual((record["position"], record["file"], record["costs"]), (at, str(segment), "messages"))
        self.assertIn("message 70 of Orders/0", record["what"])
        self.assertIn("rmq store repair", self.err)
        few = self.rmq_json("store", "verify", str(self.store), "--limit", "1", code=DAMAGED)[0]
        self.assertEqual(len(few["findings"]), 1)
        self.assertEqual(few["counts"], value["counts"])

    def bodies(self, running):
        namesrv = "%s:%d" % running.namesrv
        told = self.rmq_json("message", "tail", "Orders", "--from", "earliest", "--no-follow", namesrv=namesrv)
        return {(m["queue"], m["offset"]) for m in told}

    def diverge(self, first, last):
        """A file of what a cut of the log would have taken: from message `first` of Orders/0 up to `last`."""
        begin, end = self.position_of(first), self.position_of(last)
        segment, at = self.segment_of(begin)
        directory = self.store / "rmq/diverged"
        directory.mkdir(exist_ok=True)
        file = directory / ("%020d-%020d-20260102030405678" % (begin, end))
        file.write_bytes(segment.read_bytes()[at:at + end - begin])
        return file

    def test_salvage_shows_what_diverged(self):
        self.assertIn("nothing has diverged", self.rmq("store", "salvage", str(self.store)))
        self.diverge(10, 20)
        value = self.rmq_json("store", "salvage", str(self.data))[0]
        self.assertEqual((value["to_send"], value["sent"], value["skipped"]), (20, 0, {}))
        first = value["messages"][0]
        self.assertEqual((first["topic"], first["queue"], first["offset"], first["bytes"]), ("Orders", 0, 10, 150))
        self.assertEqual((first["keys"], first["position"]), (["k"], self.position_of(10)))
        later = self.rmq_json("store", "salvage", str(self.data), "--from", str(first["position"] + 1))[0]
        self.assertEqual((later["to_send"], later["skipped"]), (19, {"not asked for": 1}))
        self.assertIn(first["message_id"], self.rmq("store", "salvage", str(self.data)))
        rows = list(csv.DictReader(io.StringIO(self.rmq("store", "salvage", str(self.data), "--output", "csv"))))
        self.assertEqual(len(rows), 20)

    def test_salvage_says_where_a_file_is_damaged(self):
        file = self.diverge(10, 20)
        self.damage(file, 100)
        self.rmq("store", "salvage", str(self.data), code=FAILED)
        self.assertIn(str(file), self.err)

    def test_salvage_sends_again(self):
        file = self.diverge(10, 20)
        self.rmq("store", "salvage", str(self.data), "--send", code=USAGE)
        self.assertIn("--yes", self.err)
        running = server.Server(broker_keys=KEYS)
        self.addCleanup(running.remove)
        running.start()
        namesrv = "%s:%d" % running.namesrv
        self.rmq("topic", "create", "Orders", "--queues", "1", namesrv=namesrv)
        arguments = ("store", "salvage", str(self.data), "--send", "--yes", "--namesrv", namesrv)
        self.assertEqual(self.rmq_json(*arguments)[0]["sent"], 20)
        told = self.rmq_json("message", "tail", "Orders", "--from", "earliest", "--no-follow", namesrv=namesrv)
        self.assertEqual([len(message["body"]) for message in told], [150] * 20)
        self.assertEqual({message["tag"] for message in told}, {"a"})
        self.assertTrue(all("RMQ_SALVAGED" in str(message["properties"]) for message in told))
        self.assertFalse(file.exists())
        again = self.rmq_json(*arguments)[0]
        self.assertEqual((again["sent"], again["skipped"]), (0, {"sent before": 20}))

    def test_repair(self):
        lost = 70
        at = self.position_of(lost)
        segment, in_segment = self.segment_of(at)
        self.damage(segment, in_segment + 100)
        self.damage(self.store / "consumequeue/Orders/1/00000000000000001000", 46)
        before = {path: path.read_bytes() for path in sorted(self.store.rglob("*")) if path.is_file()}
        plan = self.rmq_json("store", "repair", str(self.data), "--dry-run")[0]
        self.assertEqual((plan["dry_run"], plan["repaired"], plan["messages_lost"]), (True, False, 1))
        self.assertEqual([(r["kind"], r["topic"], r["queue"], r["offset"], r["position"]) for r in plan["records"]],
                         [("placeholder", "Orders", 0, lost, at)])
        self.assertEqual(plan["queues"], ["Orders/0", "Orders/1"])
        self.rmq("store", "repair", str(self.data), code=USAGE)
        self.assertIn("give up 1 messages", self.err)
        after = {path: path.read_bytes() for path in sorted(self.store.rglob("*")) if path.is_file()}
        self.assertEqual(before, after)

        done = self.rmq_json("store", "repair", str(self.data), "--yes")[0]
        self.assertEqual((done["repaired"], done["left"]), (True, []))
        self.assertEqual([pathlib.Path(path).name for path in done["saved"]], ["%020d" % at])
        kept = pathlib.Path(done["saved"][0]).read_bytes()
        self.assertEqual(kept, before[segment][in_segment:in_segment + len(kept)])
        value = self.verify()
        self.assertEqual((value["records"], value["placeholders"], value["findings"]), (COUNT, 1, []))
        self.assertIn("nothing to repair", self.rmq("store", "repair", str(self.data), "--yes"))

        running = server.Server(broker_keys=KEYS, directory=self.directory).start()
        self.addCleanup(running.remove)
        ends = {q["queue"]: q["max"] for q in self.inspected["queues"]}
        wanted = {(queue, offset) for queue, end in ends.items() for offset in range(end)}
        self.assertEqual(self.bodies(running), wanted - {(0, lost)})
        running.stop()
        self.assertTrue(self.verify()["sound"])

    def test_a_server_that_does_not_start_names_the_repair(self):
        # The last message, of which our mark says that it is on disk; and what says where it was.
        last = next(q for q in self.inspected["queues"] if q["queue"] == 0)["max"] - 1
        segment, in_segment = self.segment_of(self.position_of(last))
        self.damage(segment, in_segment + 100)
        shutil.rmtree(self.store / "consumequeue")
        with self.assertRaises(RuntimeError) as refused:
            server.Server(broker_keys=KEYS, directory=self.directory).start()
        self.assertIn("rmq store repair", str(refused.exception))
        # No file tells any more how long a queue's files are.
        self.rmq("store", "repair", str(self.data), "--yes", "--config", str(self.directory / "master.conf"))
        repaired = server.Server(broker_keys=KEYS, directory=self.directory).start()
        self.addCleanup(repaired.remove)
        self.assertEqual(len(self.bodies(repaired)), COUNT - 1)


if __name__ == "__main__":
    unittest.main()
