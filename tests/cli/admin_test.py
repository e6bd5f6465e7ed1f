#!/usr/bin/env python3
"""What administrators ask and change, against a real server: topics, messages, brokers, name servers,
in every form of output. RMQ_BIN names the executable."""

import csv
import io
import json
import pathlib
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cluster"))
import remoting  # noqa: E402
import server  # noqa: E402
from command_case import (CommandCase, LIMIT_SECONDS, NOT_FOUND, OK, REFUSED,  # noqa: E402
                          UNREACHABLE, USAGE, clean_environment)


class Admin(CommandCase):
    """One broker and two name servers for all tests: each uses topics of its own."""

    @classmethod
    def setUpClass(cls):
        cls.other = server.Server(roles=("namesrv",)).start()
        cls.first = server.Server(roles=("namesrv",)).start()
        cls.namesrv = "%s:%d;%s:%d" % (cls.first.namesrv + cls.other.namesrv)
        cls.broker = server.Server(roles=("master",), broker_keys={"brokerName": "broker-a", "namesrvAddr": cls.namesrv})
        cls.broker.namesrv_given = None
        cls.broker.start()
        cls.address = "%s:%d" % cls.broker.broker

    @classmethod
    def tearDownClass(cls):
        for process in (cls.broker, cls.first, cls.other):
            process.remove()

    def send(self, topic, body, *options):
        return self.rmq_json("message", "send", topic, body, *options)[0]

    def wait_for(self, what, condition):
        deadline = time.monotonic() + LIMIT_SECONDS
        while True:
            value = condition()
            if value:
                return value
            self.assertLess(time.monotonic(), deadline, what)

    def test_topic_describe(self):
        self.rmq("topic", "create", "Told", "--read-queues", "3", "--write-queues", "2")
        sent = self.send("Told", "one", "--queue", "1")
        stats = lambda: [q for q in self.rmq_json("topic", "describe", "Told")[0]["brokers"][0]["queues"]
                         if q["max"] > 0]
        queue = self.wait_for("the message is visible", stats)[0]
        self.assertEqual((queue["queue"], queue["min"], queue["max"]), (1, 0, 1))
        self.assertGreater(queue["last_update_ms"], 1_600_000_000_000)
        heartbeat = {"clientID": "c", "producerDataSet": [], "consumerDataSet": [{
            "groupName": "readers", "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
            "consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET", "unitMode": False, "subscriptionDataSet": []}]}
        with remoting.Connection(self.broker.broker) as one:
            remoting.ok(one.request(34, {}, json.dumps(heartbeat).encode()))
            remoting.ok(one.request(15, {"consumerGroup": "readers", "topic": "Told", "queueId": 1, "commitOffset": 1}))
        told = self.rmq_json("topic", "describe", "Told")[0]
        self.assertEqual((told["topic"], told["messages"]), ("Told", 1))
        self.assertIn("readers", told["groups"])
        broker = told["brokers"][0]
        self.assertEqual((broker["broker"], broker["address"]), ("broker-a", self.address))
        self.assertEqual((broker["read_queues"], broker["write_queues"], broker["perm"]), (3, 2, "rw"))
        text = self.rmq("topic", "describe", "Told")
        self.assertIn("messages in all queues: 1", text)
        self.assertIn("readers", text.split())
        self.assertEqual(sent["offset"], 0)
        self.rmq("topic", "describe", "Tolld", code=NOT_FOUND)
        self.assertIn("Did you mean 'Told'?", self.err)

    def config_of(self, topic):
        broker = self.rmq_json("topic", "describe", topic)[0]["brokers"][0]
        return broker["read_queues"], broker["write_queues"], broker["perm"], broker["order"]

    def test_topic_update(self):
        self.rmq("topic", "create", "Changed", "--read-queues", "4", "--write-queues", "2", "--order")
        self.assertEqual(self.config_of("Changed"), (4, 2, "rw", True))
        out = self.rmq("topic", "update", "Changed", "--perm", "r", "--dry-run")
        self.assertIn("rw -> r", out)
        self.assertIn("would change", out)
        self.assertEqual(self.config_of("Changed"), (4, 2, "rw", True))
        self.rmq("topic", "update", "Changed", "--perm", "r")
        self.assertEqual(self.config_of("Changed"), (4, 2, "r", True))
        self.rmq("topic", "update", "Changed", "--write-queues", "3", "--order", "no", "--broker", "broker-a")
        self.assertEqual(self.config_of("Changed"), (4, 3, "r", False))
        change = self.rmq_json("topic", "update", "Changed", "--queues", "5", "--broker", self.address)[0]["brokers"][0]
        self.assertEqual((change["before"]["read_queues"], change["after"]["read_queues"]), (4, 5))
        self.assertTrue(change["changed"])
        self.assertFalse(self.rmq_json("topic", "update", "Changed", "--queues", "5")[0]["brokers"][0]["changed"])
        self.assertEqual(self.config_of("Changed"), (5, 5, "r", False))
        self.rmq("topic", "update", "Changed", code=USAGE)
        self.assertIn("nothing to change", self.err)
        self.rmq("topic", "update", "Changd", "--queues", "1", code=NOT_FOUND)
        self.assertIn("Did you mean 'Changed'?", self.err)

    def test_topic_delete(self):
        self.rmq("topic", "create", "Gone", "--queues", "2", "--order")
        self.send("Gone", "message")
        delete = ("topic", "delete", "Gone")
        self.rmq(*delete, code=USAGE)
        self.assertIn("--yes", self.err)
        self.assertIn("would delete topic 'Gone'", self.rmq(*delete, "--dry-run"))
        self.assertIn("Gone", self.rmq("topic", "list").split())
        servers = self.rmq_json(*delete, "--yes")[0]["servers"]
        self.assertEqual([(s["kind"], s["deleted"]) for s in servers],
                         [("broker", True), ("name server", True), ("name server", True)])
        for namesrv in (self.first.namesrv, self.other.namesrv):
            self.rmq("route", "show", "Gone", namesrv="%s:%d" % namesrv, code=NOT_FOUND)
        self.rmq(*delete, "--yes", code=NOT_FOUND)
        # Its order is gone with it.
        self.rmq("topic", "create", "Gone", "--queues", "2")
        self.assertEqual(self.config_of("Gone"), (2, 2, "rw", False))
        self.rmq("namesrv", "kv", "get", "ORDER_TOPIC_CONFIG", "Gone", code=NOT_FOUND)

    def test_topic_delete_where_a_broker_refuses(self):
        # A topic of the system: the broker refuses, and then no name server is told.
        out = self.rmq("topic", "delete", "TBW102", "--yes", code=REFUSED)
        self.assertEqual([line.split()[-1] for line in out.splitlines()[1:]], ["failed"])
        self.assertIn("TBW102", self.err)
        self.rmq("route", "show", "TBW102")

    def test_broker_config(self):
        config = ("broker", "config")
        before = self.rmq_json(*config, "get", "broker-a")[0]["servers"][0]["settings"]
        self.assertIn("flushDiskType", before)
        out = self.rmq(*config, "get", "broker-a", "flushDiskType", "brokerName")
        self.assertEqual(len(out.splitlines()), 3)
        live = "autoCreateTopicEnable"
        self.assertEqual(before[live], "true")
        out = self.rmq(*config, "set", "broker-a", live + "=false", "--dry-run")
        self.assertEqual(out.splitlines()[1].split(), ["broker-a", live, "true", "false", "would", "change"])
        self.assertIn("true", self.rmq(*config, "get", "broker-a", live).split())
        try:
            out = self.rmq(*config, "set", self.address, live + "=false")
            self.assertEqual(out.splitlines()[1].split(), [self.address, live, "true", "false", "set"])
            self.assertIn("false", self.rmq(*config, "get", "broker-a", live).split())
        finally:
            self.rmq(*config, "set", "broker-a", live + "=true")
        self.rmq(*config, "set", "broker-a", "brokerName=other", code=REFUSED)
        self.assertIn("brokerName", self.err)
        self.rmq(*config, "set", "broker-a", "flushDiscType=x", code=NOT_FOUND)
        self.assertIn("Did you mean 'flushDiskType'?", self.err)
        self.rmq(*config, "get", "broker-b", code=NOT_FOUND)

    def test_message_get(self):
        self.rmq("topic", "create", "Got", "--queues", "2")
        sent = self.send("Got", "find me", "--queue", "1", "--key", "k1", "--tag", "t", "--property", "colour=blue")
        by_place = self.rmq_json("message", "get", sent["offset_message_id"])[0]
        self.assertEqual((by_place["body"], by_place["message_id"]), ("find me", sent["message_id"]))
        by_key = self.wait_for("the message is indexed", lambda: self.found("Got", sent["message_id"]))
        self.assertEqual((by_key["body"], by_key["broker"], by_key["queue"]), ("find me", "broker-a", 1))
        both = self.rmq_json("message", "get", sent["offset_message_id"], "--topic", "Got")[0]
        self.assertEqual(both["body"], "find me")
        by_offset = self.rmq_json("message", "get", "--topic", "Got", "--queue", "1", "--offset", "0")[0]
        self.assertEqual(by_offset, dict(by_key))
        text = self.rmq("message", "get", "--topic", "Got", "--queue", "1", "--offset", "0", "--broker", "broker-a")
        self.assertIn("property colour", text)
        self.assertTrue(text.endswith("find me\n"), text)

    def found(self, topic, message_id):
        done = subprocess.run(self.command("message", "get", message_id, "--topic", topic, "--output", "json"),
                              capture_output=True, env=clean_environment(), timeout=LIMIT_SECONDS)
        self.assertIn(done.returncode, (OK, NOT_FOUND), done.stderr)
        return json.loads(done.stdout) if done.returncode == OK else None

    def test_message_get_refused(self):
        self.rmq("topic", "create", "Empty", "--queues", "1")
        get = ("message", "get")
        self.rmq(*get, "12xy", code=USAGE)
        self.assertIn("'12xy' is no message id", self.err)
        self.rmq(*get, code=USAGE)
        self.rmq(*get, "--topic", "Empty", "--queue", "0", code=USAGE)
        self.rmq(*get, "--topic", "Empty", "--queue", "1", "--offset", "0", code=NOT_FOUND)
        self.assertIn("queue 1 of topic 'Empty'", self.err)
        self.rmq(*get, "--topic", "Empty", "--queue", "0", "--offset", "7", code=NOT_FOUND)
        self.assertIn("no message at offset 7", self.err)
        self.rmq(*get, "--topic", "Nowhere", "--queue", "0", "--offset", "7", code=NOT_FOUND)
        # A producer's id without its topic names no place.
        self.rmq(*get, "C00002020B479EC870CD7C3A01000000", code=NOT_FOUND)
        self.assertIn("--topic", self.err)
        # A place where nothing is.
        host, port = self.broker.broker
        place = "".join("%02X" % int(part) for part in host.split(".")) + "%08X" % port + "%016X" % 0x7FFFFFFF
        self.rmq(*get, place, code=NOT_FOUND)

    def test_message_query(self):
        self.rmq("topic", "create", "Asked", "--queues", "2")
        bodies = ["one", "two", "three"]
        for i, body in enumerate(bodies):
            self.send("Asked", body, "--queue", str(i % 2), "--key", "k", "--key", "only-" + body)
        query = ("message", "query", "Asked", "--key")

        def messages(*options):
            done = subprocess.run(self.command(*query, *options, "--output", "json"), capture_output=True,
                                  env=clean_environment(), timeout=LIMIT_SECONDS)
            return json.loads(done.stdout)["messages"] if done.returncode == OK else []

        found = self.wait_for("all are indexed", lambda: len(messages("k")) == 3 and messages("k"))
        self.assertEqual([m["body"] for m in found], bodies)
        self.assertEqual([m["body"] for m in messages("only-two")], ["two"])
        self.assertEqual([m["body"] for m in messages("k", "--max", "1")], ["three"])
        first, last = found[0]["stored_ms"], found[-1]["stored_ms"]
        self.assertEqual(len(messages("k", "--from", str(first), "--to", str(last))), 3)
        self.rmq(*query, "k", "--from", str(last + 3_600_000), code=NOT_FOUND)
        self.assertIn("in that time", self.err)
        self.rmq(*query, "nothing", code=NOT_FOUND)
        self.assertIn("'nothing'", self.err)
        self.rmq(*query, "k", "--from", "yesterday", code=USAGE)

    def test_broker_status(self):
        text = self.rmq("broker", "status", "broker-a")
        self.assertIn("broker-a", text.splitlines()[0])
        self.assertIn("V5_3_3", text)
        self.assertNotIn("putTps", text)
        self.assertIn("putTps", self.rmq("broker", "status", "--output", "wide"))
        broker = self.rmq_json("broker", "status", self.address)[0]["brokers"][0]
        self.assertIn("putTps", broker["figures"])
        self.rmq("broker", "status", "broker-b", code=NOT_FOUND)
        self.assertIn("Did you mean 'broker-a'?", self.err)

    def perm_on(self, namesrv, topic):
        return self.rmq_json("route", "show", topic, namesrv="%s:%d" % namesrv)[0]["brokers"][0]["perm"]

    def test_broker_drain(self):
        self.rmq("topic", "create", "Drained", "--queues", "1")
        drain = ("broker", "drain", "broker-a")
        self.rmq(*drain, code=USAGE)
        self.assertIn("--yes", self.err)
        self.assertIn("would take the write permission", self.rmq(*drain, "--dry-run"))
        self.assertEqual(self.perm_on(self.first.namesrv, "Drained"), "rw")
        try:
            done = self.rmq_json(*drain, "--yes", "--quiet", "0.2")[0]
            self.assertEqual((done["state"], done["safe_to_stop"]), ("safe to stop", True))
            self.assertEqual(self.perm_on(self.first.namesrv, "Drained"), "r")
            self.assertEqual(self.perm_on(self.other.namesrv, "Drained"), "r")
        finally:
            self.rmq(*drain, "--undo", "--yes")
        self.assertEqual(self.perm_on(self.first.namesrv, "Drained"), "rw")
        self.assertEqual(self.perm_on(self.other.namesrv, "Drained"), "rw")
        self.rmq("broker", "drain", "broker-x", "--yes", code=NOT_FOUND)
        self.rmq("broker", "drain", self.address, "--yes", code=USAGE)

    def test_broker_drain_while_somebody_writes(self):
        self.rmq("topic", "create", "Busy", "--queues", "1")
        stopped = threading.Event()

        def write():
            with remoting.Connection(self.broker.broker) as connection:
                while not stopped.is_set():
                    fields = {"a": "P", "b": "Busy", "c": "TBW102", "d": 4, "e": 0, "f": 0, "g": 0, "h": 0,
                              "i": "", "j": 0, "k": "false", "m": "false"}
                    connection.request(310, fields, b"x")
                    stopped.wait(0.02)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            self.rmq("broker", "drain", "broker-a", "--yes", "--quiet", "1", "--wait", "1.5", code=UNREACHABLE)
            self.assertIn("still written to", self.err)
            self.assertIn("--undo", self.err)
        finally:
            stopped.set()
            writer.join()
            self.rmq("broker", "drain", "broker-a", "--undo", "--yes")

    def test_namesrv_kv(self):
        kv = ("namesrv", "kv")
        self.rmq(*kv, "list", "Space", code=NOT_FOUND)
        self.assertIn("set", self.rmq(*kv, "set", "Space", "key", "a value"))
        shown = self.rmq_json(*kv, "list", "Space")[0]["servers"]
        self.assertEqual([s["values"] for s in shown], [{"key": "a value"}] * 2)
        # They are independent: one has something else.
        self.rmq(*kv, "set", "Space", "key", "another", namesrv="%s:%d" % self.other.namesrv)
        shown = self.rmq_json(*kv, "get", "Space", "key")[0]["servers"]
        self.assertEqual([s["values"]["key"] for s in shown], ["a value", "another"])
        self.rmq(*kv, "get", "Space", "kye", code=NOT_FOUND)
        self.rmq(*kv, "delete", "Space", "key", code=USAGE)
        self.assertIn("would delete key 'key'", self.rmq(*kv, "delete", "Space", "key", "--dry-run"))
        self.rmq(*kv, "delete", "Space", "key", "--yes")
        self.rmq(*kv, "get", "Space", "key", code=NOT_FOUND)

    def test_namesrv_kv_with_a_dead_name_server(self):
        half_dead = self.namesrv + ";127.0.0.1:1"
        out = self.rmq("namesrv", "kv", "set", "Half", "k", "v", namesrv=half_dead, code=UNREACHABLE)
        self.assertEqual([line.split()[-1] for line in out.splitlines()[1:]], ["set", "set", "failed"])
        self.assertIn("127.0.0.1:1", self.err)

    def test_namesrv_config(self):
        config = ("namesrv", "config")
        values = self.rmq_json(*config, "get", "orderMessageEnable")[0]["servers"]
        self.assertEqual([s["settings"] for s in values], [{"orderMessageEnable": "false"}] * 2)
        out = self.rmq(*config, "set", "orderMessageEnable=true", "--dry-run")
        self.assertEqual(out.count("would change"), 2)
        self.assertEqual(self.rmq(*config, "get", "orderMessageEnable").count("false"), 2)
        out = self.rmq(*config, "set", "orderMessageEnable=true")
        self.assertEqual([line.split()[-3:] for line in out.splitlines()[1:]], [["false", "true", "set"]] * 2)
        self.assertEqual(self.rmq(*config, "get", "orderMessageEnable").count("true"), 2)
        self.rmq(*config, "set", "orderMessageEnable=false")
        self.rmq(*config, "set", "orderMesageEnable=true", code=NOT_FOUND)
        self.assertIn("Did you mean 'orderMessageEnable'?", self.err)
        self.rmq(*config, "set", "orderMessageEnable=perhaps", code=REFUSED)
        self.rmq(*config, "set", "orderMessageEnable", code=USAGE)

    def test_route_watch(self):
        watch = subprocess.Popen(
            self.command("route", "watch", "Watched", "--every", "0.05", "--count", "7", "--output", "json"),
            stdout=subprocess.PIPE, env=clean_environment())
        self.rmq("topic", "create", "Watched", "--queues", "2")
        lines = [json.loads(watch.stdout.readline()) for _ in range(5)]
        self.assertEqual({line["what"] for line in lines},
                         {"topic", "master", "permission", "read queues", "write queues"})
        self.rmq("topic", "update", "Watched", "--queues", "3")
        changes = [json.loads(watch.stdout.readline()) for _ in range(2)]
        self.assertEqual([(c["what"], c["before"], c["after"]) for c in changes],
                         [("read queues", "2", "3"), ("write queues", "2", "3")])
        self.assertEqual(watch.wait(LIMIT_SECONDS), OK)
        watch.stdout.close()
        out = self.rmq("route", "watch", "Watched", "--every", "0.05", "--timeout", "0.1")
        self.assertIn("broker-a: write queues = 3", out)
        self.assertIn("has no route yet", self.rmq("route", "watch", "Not", "--timeout", "0.1"))

    def test_forms_of_output(self):
        self.rmq("topic", "create", "Formed", "--queues", "1")
        for words in (("topic", "list"), ("topic", "describe", "Formed"), ("route", "show", "Formed"),
                      ("cluster", "list"), ("cluster", "status"), ("broker", "status"), ("group", "list"),
                      ("namesrv", "config", "get")):
            value = self.rmq_json(*words)[0]
            yaml = self.rmq(*words, "--output", "yaml")
            self.assertTrue(yaml.startswith("---\n"), yaml)
            self.assertEqual(yaml.count(next(iter(value)) + ":"), 1)
            rows = list(csv.reader(io.StringIO(self.rmq(*words, "--output", "csv"), newline="")))
            self.assertTrue(all(len(row) == len(rows[0]) for row in rows), rows)
            table = self.rmq(*words)
            wide = self.rmq(*words, "--output", "wide")
            self.assertEqual(table.split()[0], wide.split()[0])
            self.assertEqual(rows[0][0], table.split("  ")[0].split("\n")[0].lower().replace(" ", "_"))

    def test_watch(self):
        watch = subprocess.Popen(self.command("topic", "list", "--watch=0.1", "--output", "json"),
                                 stdout=subprocess.PIPE, env=clean_environment())
        self.rmq("topic", "create", "Fresh")
        while "Fresh" not in json.loads(watch.stdout.readline())["topics"]:
            pass
        watch.kill()
        watch.wait()
        watch.stdout.close()
        self.rmq("route", "show", "Nowhere", "--watch", code=NOT_FOUND)


if __name__ == "__main__":
    unittest.main(verbosity=1)
