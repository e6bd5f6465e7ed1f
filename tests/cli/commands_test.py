#!/usr/bin/env python3
"""The commands of `rmq` against a real server: results, exit codes, and what errors say. RMQ_BIN
names the executable."""

import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import remoting  # noqa: E402
import server  # noqa: E402
from command_case import (CommandCase, LIMIT_SECONDS, NOT_FOUND, OK, REFUSED,  # noqa: E402
                          UNREACHABLE, USAGE)


class Commands(CommandCase):
    """One server for all tests: each uses topics of its own."""

    @classmethod
    def setUpClass(cls):
        cls.server = server.Server().start()
        cls.namesrv = "%s:%d" % cls.server.namesrv

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def read_all(self, topic, count):
        """Waits for them: an acknowledged message may be visible a moment later."""
        messages = self.rmq_json("message", "tail", topic, "--from", "earliest", "--count", str(count),
                                 "--timeout", str(LIMIT_SECONDS / 2))
        return sorted(messages, key=lambda m: (m["queue"], m["offset"]))

    def test_topic(self):
        out = self.rmq("topic", "create", "Made", "--read-queues", "3", "--write-queues", "2")
        self.assertIn("created", out)
        self.assertIn("Made", self.rmq("topic", "list").split())
        cluster = self.rmq_json("cluster", "status")[0]["brokers"][0]["cluster"]
        self.assertIn("Made", self.rmq_json("topic", "list", "--cluster", cluster)[0]["topics"])
        broker = self.rmq_json("route", "show", "Made")[0]["brokers"][0]
        self.assertEqual((broker["read_queues"], broker["write_queues"], broker["perm"]), (3, 2, "rw"))
        self.assertEqual(broker["addresses"], {"0": "%s:%d" % self.server.broker})
        self.rmq("topic", "create", "Made", "--queues", "5", "--broker", "%s:%d" % self.server.broker)
        broker = self.rmq_json("route", "show", "Made")[0]["brokers"][0]
        self.assertEqual((broker["read_queues"], broker["write_queues"]), (5, 5))

    def test_topic_refused(self):
        out = self.rmq("topic", "create", "bad name", code=REFUSED)
        self.assertIn("failed", out)
        self.assertIn("bad name", self.err)
        self.rmq("topic", "create", "X", "--cluster", "Nowhere", code=NOT_FOUND)
        self.assertIn("'Nowhere'", self.err)
        self.rmq("topic", "create", "X", "--broker", "nobody", code=NOT_FOUND)
        self.rmq("topic", "create", "X", "--broker", "127.0.0.1:1", code=UNREACHABLE)
        self.assertIn("127.0.0.1:1", self.err)

    def test_send_and_tail(self):
        self.rmq("topic", "create", "Sent", "--queues", "1")
        sent = self.rmq_json("message", "send", "Sent", "two teapots", "--tag", "new", "--key", "k1",
                             "--key", "k2", "--property", "colour=blue")
        self.assertEqual(sent[0]["status"], "SEND_OK")
        self.assertEqual((sent[0]["queue"], sent[0]["offset"]), (0, 0))
        self.rmq("message", "send", "Sent", "-", stdin=b"\x00\xff")
        long_body = b"compress me " * 1000
        with tempfile.NamedTemporaryFile() as file:
            file.write(long_body)
            file.flush()
            self.rmq("message", "send", "Sent", "--file", file.name)
        messages = self.read_all("Sent", 3)
        self.assertEqual([m["offset"] for m in messages], [0, 1, 2])
        self.assertEqual(messages[0]["body"], "two teapots")
        self.assertEqual(messages[0]["message_id"], sent[0]["message_id"])
        self.assertEqual(messages[0]["offset_message_id"], sent[0]["offset_message_id"])
        self.assertEqual((messages[0]["tag"], messages[0]["keys"]), ("new", ["k1", "k2"]))
        self.assertEqual(messages[0]["properties"]["colour"], "blue")
        self.assertEqual(base64.b64decode(messages[1]["body_base64"]), b"\x00\xff")
        self.assertEqual(messages[2]["body"].encode(), long_body)
        tagged = self.rmq("message", "tail", "Sent", "--no-follow", "--tag", "new || other")
        self.assertEqual(len(tagged.splitlines()), 1)
        self.assertIn("/0 @0  [new]  keys=k1,k2  two teapots", tagged)
        self.assertEqual(self.rmq("message", "tail", "Sent", "--no-follow", "--from", "latest"), "")
        since = str(messages[1]["stored_ms"])
        late = self.rmq_json("message", "tail", "Sent", "--no-follow", "--from", since)
        self.assertTrue({1, 2} <= {m["offset"] for m in late})

    def test_send_many(self):
        self.rmq("topic", "create", "Many", "--queues", "4")
        sent = self.rmq_json("message", "send", "Many", "x", "--count", "40")
        self.assertEqual(len({m["message_id"] for m in sent}), 40)
        self.rmq("message", "send", "Many", "y", "--queue", "3")
        messages = self.read_all("Many", 41)
        by_queue = [[m["offset"] for m in messages if m["queue"] == q] for q in range(4)]
        self.assertTrue(all(offsets == list(range(len(offsets))) for offsets in by_queue), by_queue)
        self.assertEqual(len(messages), 41)
        self.assertEqual(messages[-1]["body"], "y")
        out = self.rmq("message", "send", "Many", "z", "--count", "101")
        self.assertEqual(out, "sent 101 messages to 4 queues\n")
        few = self.rmq("message", "tail", "Many", "--from", "earliest", "--count", "7")
        self.assertEqual(len(few.splitlines()), 7)

    def test_topic_made_by_the_first_send(self):
        self.rmq("message", "send", "Fresh", "first")
        self.assertEqual([m["body"] for m in self.read_all("Fresh", 1)], ["first"])

    def test_send_refused(self):
        self.rmq("topic", "create", "ReadOnly", "--perm", "r", "--queues", "2")
        self.rmq("message", "send", "ReadOnly", "x", code=REFUSED)
        self.rmq("topic", "create", "Two", "--queues", "2")
        self.rmq("message", "send", "Two", "x", "--queue", "2", code=NOT_FOUND)
        self.assertIn("queue 2", self.err)
        self.rmq("message", "send", "Two", "", code=USAGE)
        self.rmq("message", "send", "with blank", "x", code=USAGE)
        error = self.rmq_json("message", "send", "ReadOnly", "x", code=REFUSED)[0]["error"]
        self.assertEqual((error["kind"], error["exit_code"]), ("refused", REFUSED))

    def test_unknown_topic(self):
        self.rmq("topic", "create", "Teapots", "--queues", "1")
        for verb in (("route", "show"), ("message", "tail")):
            error = self.rmq_json(*verb, "Taepots", code=NOT_FOUND)[0]["error"]
            self.assertEqual(error["code"], "TOPIC_NOT_EXIST")
            self.assertIn("Did you mean 'Teapots'?", self.err)
            self.assertNotIn("http", self.err)

    def test_name_servers(self):
        dead = "127.0.0.1:1"
        error = self.rmq_json("topic", "list", namesrv=dead, code=UNREACHABLE)[0]["error"]
        self.assertEqual(error["kind"], "unreachable")
        self.assertIn(dead, self.err)
        self.rmq("topic", "list", namesrv=dead + ";" + self.namesrv)
        self.rmq("topic", "list", namesrv="host:port", code=USAGE)
        self.rmq("topic", "list", namesrv="no.such.host.invalid:9876", code=UNREACHABLE)
        environment = dict(os.environ, NAMESRV_ADDR=self.namesrv)
        done = subprocess.run([str(server.BINARY), "topic", "list"], env=environment,
                              capture_output=True, timeout=LIMIT_SECONDS)
        self.assertEqual(done.returncode, OK, done.stderr)

    def test_a_broker_where_a_name_server_belongs(self):
        self.rmq("topic", "list", namesrv="%s:%d" % self.server.broker, code=REFUSED)
        self.assertIn("REQUEST_CODE_NOT_SUPPORTED", self.err)

    def test_tail_follows(self):
        self.rmq("topic", "create", "Followed", "--queues", "2")
        tail = subprocess.Popen(
            self.command("message", "tail", "Followed", "--from", "latest", "--count", "2"),
            stdout=subprocess.PIPE)
        deadline = time.monotonic() + LIMIT_SECONDS
        while tail.poll() is None and time.monotonic() < deadline:
            self.rmq("message", "send", "Followed", "news")
        self.assertEqual(tail.wait(0), OK)
        self.assertEqual(len(tail.stdout.read().splitlines()), 2)
        tail.stdout.close()

    def join(self, connection, group, client, topic):
        heartbeat = {"clientID": client, "producerDataSet": [], "consumerDataSet": [{
            "groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
            "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET", "unitMode": False, "subscriptionDataSet": [
                {"topic": topic, "subString": "TagA", "tagsSet": ["TagA"], "codeSet": [2598919], "subVersion": 1}]}]}
        remoting.ok(connection.request(34, {}, json.dumps(heartbeat).encode()))

    def test_groups(self):
        self.rmq("topic", "create", "Read", "--queues", "2")
        for queue in "0011":
            self.rmq("message", "send", "Read", "text", "--queue", queue)
        self.assertEqual(len(self.read_all("Read", 4)), 4)
        self.rmq("group", "describe", "readers", code=NOT_FOUND)
        self.rmq("group", "lag", "readers", code=NOT_FOUND)
        with remoting.Connection(self.server.broker) as one, remoting.Connection(self.server.broker) as two:
            self.join(one, "readers", "client-1", "Read")
            self.join(two, "readers", "client-2", "Read")
            for queue, offset in ((0, 1), (1, 2)):
                remoting.ok(one.request(15, {"consumerGroup": "readers", "topic": "Read", "queueId": queue,
                                             "commitOffset": offset}))
            groups = {g["group"]: g for g in self.rmq_json("group", "list")[0]["groups"]}
            self.assertEqual((groups["readers"]["consume_enable"], groups["readers"]["retry_max_times"]), (True, 16))
            lag = self.rmq_json("group", "lag", "readers", "--topic", "Read")[0]
            self.assertEqual(lag["lag"], 1)
            self.assertEqual([(q["queue"], q["committed"], q["end"], q["lag"]) for q in lag["queues"]],
                             [(0, 1, 2, 1), (1, 2, 2, 0)])
            self.assertGreater(lag["queues"][1]["last_consumed_ms"], 1_600_000_000_000)
            self.assertIn("lag of all queues: 1", self.rmq("group", "lag", "readers", "--topic", "Read"))
            described = self.rmq_json("group", "describe", "readers")[0]
            self.assertEqual([member["client"] for member in described["members"]], ["client-1", "client-2"])
            self.assertEqual(described["subscriptions"]["Read"], ["TagA"])

            reset = ["group", "reset", "readers", "Read", "--to"]
            self.rmq(*reset, "earliest", code=USAGE)
            self.assertIn("--yes", self.err)
            self.assertIn("would set", self.rmq(*reset, "earliest", "--dry-run"))
            self.assertEqual(self.rmq_json("group", "lag", "readers", "--topic", "Read")[0]["lag"], 1)
            self.rmq(*reset, "sometime", "--yes", code=USAGE)
            queues = self.rmq_json(*reset, "earliest", "--yes")[0]["queues"]
            self.assertEqual([(q["queue"], q["offset"]) for q in queues], [(0, 0), (1, 0)])

        self.rmq("group", "delete", "readers", code=USAGE)
        self.assertIn("would delete", self.rmq("group", "delete", "readers", "--dry-run"))
        self.assertIn("deleted", self.rmq("group", "delete", "readers", "--yes"))
        self.assertNotIn("readers", self.rmq("group", "list").split())
        self.rmq("group", "lag", "readers", code=NOT_FOUND)

    def test_bench(self):
        self.rmq("topic", "create", "Load", "--queues", "4")
        quick = ["--warm-up", "0", "--duration", "0.5"]
        sent = self.rmq_json("bench", "produce", "Load", "--connections", "2", "--in-flight", "4", *quick,
                             "--server-pid", str(self.server.process.pid))[0]
        self.assertEqual((sent["bench"], sent["errors"]), ("produce", {}))
        self.assertGreater(sent["messages"], 100)
        self.assertAlmostEqual(sent["messages_per_second"], sent["messages"] / sent["seconds"], delta=1)
        self.assertGreater(sent["server"]["memory_bytes"], 0)
        read = self.rmq_json("bench", "pull", "Load", "--connections", "2")[0]
        self.assertGreaterEqual(read["messages"], sent["messages"])
        again = self.rmq_json("bench", "pull", "Load", "--until", "stopped", *quick)[0]
        self.assertGreater(again["messages"], 0)
        in_batches = self.rmq_json("bench", "produce", "Load", "--batch", "10", "--header", "binary", *quick)[0]
        self.assertEqual(in_batches["messages"], 10 * in_batches["requests"])
        consumed = self.rmq_json("bench", "consume", "Load", "--from", "earliest", "--batch", "32", "--warm-up", "0",
                                 "--duration", "2")[0]
        self.assertEqual((consumed["bench"], consumed["errors"]), ("consume", {}))
        self.assertGreater(consumed["messages"], 100)
        # What was consumed was committed when it left the group.
        lag = self.rmq_json("group", "lag", "rmq_bench_consumers")[0]
        self.assertLess(lag["lag"], sent["messages"] + in_batches["messages"])
        steady = self.rmq_json("bench", "e2e", "Load", "--rate", "500", "--warm-up", "0.2", "--duration", "1")[0]
        self.assertAlmostEqual(steady["messages"], 500, delta=150)
        self.assertGreater(steady["latency_us"]["p50"], 0)

    def test_bench_compare(self):
        with tempfile.TemporaryDirectory() as directory:
            paths = [pathlib.Path(directory, name) for name in ("a.json", "b.json")]
            for path, rate in zip(paths, (1000, 3000)):
                path.write_text(json.dumps({"bench": "produce", "messages_per_second": rate}))
            done = subprocess.run([server.BINARY, "bench", "compare", *paths], capture_output=True, text=True)
            self.assertEqual(done.returncode, OK)
            self.assertEqual(done.stdout.splitlines()[1].split()[-3:], ["1000.00", "3000.00", "3.00"])
            paths[1].write_text("{}")
            done = subprocess.run([server.BINARY, "bench", "compare", *paths], capture_output=True, text=True)
            self.assertEqual(done.returncode, USAGE)
            self.assertIn("b.json", done.stderr)

    def test_bench_refused(self):
        self.rmq("bench", "pull", "NoSuchTopic", code=NOT_FOUND)
        self.rmq("bench", "produce", "Load", "--in-flight", "0", code=USAGE)
        self.rmq("bench", "produce", "Load", "--duration", "0.2", "--warm-up", "0", "--server-pid", "99999999",
                 code=USAGE)
        self.assertIn("99999999", self.err)
        self.rmq("bench", "produce", "bad/topic", "--duration", "0.2", "--warm-up", "0", code=REFUSED)

    def test_tail_in_time(self):
        self.rmq("topic", "create", "Quiet", "--queues", "2")
        self.rmq("message", "tail", "Quiet", "--timeout", "0.2")
        self.rmq("message", "tail", "Quiet", "--timeout", "0.2", "--count", "1", code=UNREACHABLE)
        self.assertIn("--timeout", self.err)


class Failing(CommandCase):
    """A broker that stops: its name server is a process of its own."""

    def setUp(self):
        self.namesrv_process = server.Server(roles=("namesrv",)).start()
        self.broker = server.Server(roles=("master",), namesrv=self.namesrv_process.namesrv).start()
        self.namesrv = "%s:%d" % self.namesrv_process.namesrv

    def tearDown(self):
        self.broker.signal(signal.SIGCONT)
        self.broker.remove()
        self.namesrv_process.remove()

    def test_killed_broker(self):
        self.assertTrue(self.rmq_json("cluster", "status")[0]["brokers"][0]["reachable"])
        self.rmq("topic", "create", "T", "--queues", "1")
        self.broker.kill()
        # The name server unlists a broker whose connection closed.
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.rmq_json("cluster", "status")[0]["brokers"]:
            self.assertLess(time.monotonic(), deadline)
        self.rmq("topic", "create", "T2", code=NOT_FOUND)
        self.assertIn("no broker is registered", self.err)

    def test_frozen_broker(self):
        self.rmq("topic", "create", "T", "--queues", "1")
        self.broker.signal(signal.SIGSTOP)
        broker = "%s:%d" % self.broker.broker
        status = self.rmq_json("cluster", "status", "--timeout-ms", "300", code=UNREACHABLE)[0]
        self.assertFalse(status["brokers"][0]["reachable"])
        self.assertIn(broker, self.err)
        self.rmq("message", "send", "T", "x", "--timeout-ms", "300", code=UNREACHABLE)
        self.assertIn(broker, self.err)
        self.assertIn("--timeout-ms", self.err)

    def test_tail_survives_a_restart(self):
        self.rmq("topic", "create", "T", "--queues", "1")
        tail = subprocess.Popen(
            self.command("message", "tail", "T", "--from", "latest", "--count", "2"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + LIMIT_SECONDS
        first = None
        while first is None:
            self.assertLess(time.monotonic(), deadline)
            self.rmq("message", "send", "T", "before")
            if server.select.select([tail.stdout], [], [], 0.05)[0]:
                first = tail.stdout.readline()
        if tail.poll() is None:
            self.broker.kill()
            trouble = tail.stderr.readline().decode()
            self.assertIn("trying again", trouble)
            self.broker.start()
            while tail.poll() is None and time.monotonic() < deadline:
                subprocess.run(self.command("message", "send", "T", "after"), capture_output=True,
                               timeout=LIMIT_SECONDS)
        self.assertEqual(tail.wait(0), OK)
        self.assertTrue(first.endswith(b"before\n"), first)
        tail.stdout.close()
        tail.stderr.close()


if __name__ == "__main__":
    unittest.main(verbosity=1)
