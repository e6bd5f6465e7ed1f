"""The unmodified RocketMQ C++ client, by its Python binding `rocketmq`, against a real server process, which
RMQ_INTEROP_NAMESRV names (../run_all.py starts one). One feature a test; the features are the rows of docs/clients.md."""

import itertools
import os
import queue
import subprocess
import sys
import threading
import time
import unittest

from rocketmq.client import Message, MessageModel, Producer, PullConsumer, PushConsumer, SendStatus

NAMESRV = os.environ["RMQ_INTEROP_NAMESRV"]
DEADLINE = 60
_serial = itertools.count()


def unique(what: str) -> str:
    return f"{what}-{os.getpid()}-{next(_serial)}"


def new_topic(what: str, queues: int) -> str:
    """This client has no request that creates a topic with a number of queues."""
    topic = unique(what)
    create = ["topic", "create", topic, "--queues", str(queues)]
    subprocess.run([os.environ["RMQ_BIN"], *create, "--namesrv", NAMESRV], check=True, capture_output=True)
    await_route(topic)
    return topic


def await_route(topic: str) -> None:
    command = [os.environ["RMQ_BIN"], "route", "show", topic, "--namesrv", NAMESRV]
    end = time.monotonic() + DEADLINE
    while subprocess.run(command, capture_output=True, check=False).returncode != 0:
        if time.monotonic() > end:
            raise AssertionError(f"no route of {topic}")
        time.sleep(0.1)


def new_message(topic: str, body: str, tags: str | None = None, keys: str | None = None, delay_level: int = 0) -> Message:
    message = Message(topic)
    message.set_body(body)
    if tags:
        message.set_tags(tags)
    if keys:
        message.set_keys(keys)
    if delay_level:
        message.set_delay_time_level(delay_level)
    return message


class Received:
    """What a consumer got, copied out of the client's memory: (body, tags, keys, topic, reconsume times, id)."""

    def __init__(self) -> None:
        self.messages: queue.Queue[dict] = queue.Queue()

    def add(self, message) -> None:
        text = lambda value: value.decode() if value is not None else None
        self.messages.put({
            "body": text(message.body), "tags": text(message.tags), "keys": text(message.keys), "topic": message.topic,
            "times": message.reconsume_times, "id": message.id, "queue": message.queue_id, "offset": message.queue_offset})

    def take(self, count: int) -> list[dict]:
        end = time.monotonic() + DEADLINE
        taken: list[dict] = []
        while len(taken) < count:
            try:
                taken.append(self.messages.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"{len(taken)} of {count} messages: {[body[:20] for body in bodies(taken)]}") from None
        return taken


def bodies(messages: list[dict]) -> list[str]:
    return [message["body"] for message in messages]


class InteropTest(unittest.TestCase):
    def setUp(self) -> None:
        self.producer = Producer(unique("producers"))
        self.producer.set_namesrv_addr(NAMESRV)
        self.producer.start()
        self.addCleanup(self.producer.shutdown)

    def send(self, *args, **options):
        result = self.producer.send_sync(new_message(*args, **options))
        self.assertEqual(result.status, SendStatus.OK)
        return result

    def start_consumer(self, group: str, topic: str, handle, expression: str = "*", **options) -> None:
        consumer = PushConsumer(group, **options)
        consumer.set_namesrv_addr(NAMESRV)
        consumer.set_instance_name(unique("instance"))
        consumer.subscribe(topic, handle, expression)
        consumer.start()
        self.addCleanup(consumer.shutdown)

    def test_send_and_consume(self) -> None:
        topic = unique("send")  # not created: the first send does that
        sent = ["sync", "oneway", "async", "long " * 4000]
        result = self.send(topic, "sync", tags="T", keys="k1 k2")
        self.assertEqual(result.offset, 0)
        self.producer.send_oneway(new_message(topic, "oneway"))
        done: queue.Queue = queue.Queue()
        self.producer.send_async(new_message(topic, "async"), done.put, done.put)
        self.assertEqual(done.get(timeout=DEADLINE).status, SendStatus.OK)
        self.send(topic, sent[3])  # compressed
        await_route(topic)
        received = Received()
        self.start_consumer(unique("group"), topic, received.add)
        messages = received.take(len(sent))
        self.assertEqual(sorted(bodies(messages)), sorted(sent))
        first = next(message for message in messages if message["body"] == "sync")
        self.assertEqual((first["tags"], first["keys"]), ("T", "k1 k2"))
        # A consumer that waits is told of the next message, not when its long poll is over.
        start = time.monotonic()
        self.send(topic, "next")
        self.assertEqual(bodies(received.take(1)), ["next"])
        self.assertLess(time.monotonic() - start, 5)

    def test_pull(self) -> None:
        topic = new_topic("pull", 2)
        sent = [f"m{i}" for i in range(20)]
        for body in sent:
            self.send(topic, body)
        consumer = PullConsumer(unique("group"))
        consumer.set_namesrv_addr(NAMESRV)
        consumer.start()
        self.addCleanup(consumer.shutdown)
        pulled: list[str] = []
        end = time.monotonic() + DEADLINE
        # A message is there for consumers a moment after its send was answered.
        while len(pulled) < len(sent) and time.monotonic() < end:
            pulled += [message.body.decode() for message in consumer.pull(topic)]
        self.assertEqual(sorted(pulled), sorted(sent))

    def test_retry_until_dead_letter(self) -> None:
        topic = new_topic("retry", 1)
        group = unique("group")
        self.send(topic, "unloved", keys="key")
        attempts = Received()

        def refuse(message) -> None:
            attempts.add(message)
            raise ValueError("once more")

        self.start_consumer(group, topic, refuse)
        # This client has no setting for the number of retries: 16.
        for times, message in enumerate(attempts.take(17)):
            self.assertEqual((message["body"], message["times"], message["topic"]), ("unloved", times, topic))
        await_route(f"%DLQ%{group}")
        dead = Received()
        self.start_consumer(unique("group"), f"%DLQ%{group}", dead.add)
        letter = dead.take(1)[0]
        self.assertEqual((letter["body"], letter["keys"]), ("unloved", "key"))
        self.assertTrue(attempts.messages.empty())

    def test_delay_level(self) -> None:
        topic = new_topic("delay", 1)
        received = Received()
        self.start_consumer(unique("group"), topic, received.add)
        # The server's levels: 1 s and 3 s.
        start = time.monotonic()
        self.send(topic, "three", delay_level=2)
        self.send(topic, "one", delay_level=1)
        self.send(topic, "now")
        for body, after in (("now", 0), ("one", 1), ("three", 3)):
            self.assertEqual(bodies(received.take(1)), [body])
            waited = time.monotonic() - start
            self.assertTrue(after - 0.02 <= waited <= after + 3, f"{body} came after {waited:.3f} s")

    def test_ordered(self) -> None:
        topic = new_topic("ordered", 4)
        keys, per_key = 8, 20
        for i in range(per_key):
            for key in range(keys):
                result = self.producer.send_orderly(new_message(topic, str(i), keys=str(key)), key)
                self.assertEqual(result.status, SendStatus.OK)
        received = Received()
        lock = threading.Lock()
        refused: list[str] = []

        def handle(message) -> None:
            with lock:
                # One is refused once: it must come again before those behind it.
                if message.keys == b"3" and message.body == b"7" and not refused:
                    refused.append("3-7")
                    raise ValueError("once more")
                received.add(message)

        # One consumer: when a second one takes queues over, this client hands out again what was handled but not committed.
        self.start_consumer(unique("group"), topic, handle, orderly=True)
        by_key: dict[str, list[str]] = {str(key): [] for key in range(keys)}
        for message in received.take(keys * per_key):
            by_key[message["keys"]].append(message["body"])
        for key, seen in by_key.items():
            self.assertEqual(seen, [str(i) for i in range(per_key)], f"key {key}")
        self.assertEqual(refused, ["3-7"])

    def test_broadcast(self) -> None:
        topic = new_topic("broadcast", 4)
        group = unique("group")
        both = [Received(), Received()]
        for received in both:
            self.start_consumer(group, topic, received.add, message_model=MessageModel.BROADCASTING)
        sent = [f"m{i}" for i in range(40)]
        for body in sent:
            self.send(topic, body)
        for received in both:
            self.assertEqual(sorted(bodies(received.take(len(sent)))), sorted(sent))
            self.assertTrue(received.messages.empty())

    def tag_filter(self, expression: str, others: list[str], wanted: list[str]) -> None:
        """What matches is sent last: whoever has it has passed everything else of the one queue."""
        topic = new_topic("tags", 1)
        expected: list[str] = []
        for _ in range(3):
            self.send(topic, "no tag")
            for tag in others + wanted:
                self.send(topic, tag, tags=tag)
            expected += wanted
        received = Received()
        self.start_consumer(unique("group"), topic, received.add, expression)
        self.assertEqual(sorted(bodies(received.take(len(expected)))), sorted(expected))
        self.send(topic, others[0], tags=others[0])
        self.send(topic, wanted[0], tags=wanted[0])
        self.assertEqual(bodies(received.take(1)), [wanted[0]])
        self.assertTrue(received.messages.empty())

    def test_tag_filter(self) -> None:
        # "Aa" and "BB" have the same hash: the client compares the text.
        self.tag_filter("TagA || BB", ["TagB", "Aa"], ["TagA", "BB"])

    def test_tag_filter_beyond_ascii(self) -> None:
        self.tag_filter("größe || 标签", ["große", "标"], ["größe", "标签"])


class OneLineEach(unittest.TextTestResult):
    """The client and the binding write to the same output: a line of its own for each test that is over."""

    def addSuccess(self, test) -> None:
        super().addSuccess(test)
        print(f"\nPASS {test._testMethodName}", flush=True)

    def addFailure(self, test, err) -> None:
        super().addFailure(test, err)
        print(f"\nFAIL {test._testMethodName}", flush=True)

    def addError(self, test, err) -> None:
        super().addError(test, err)
        print(f"\nFAIL {test._testMethodName}", flush=True)


if __name__ == "__main__":
    program = unittest.main(exit=False, testRunner=unittest.TextTestRunner(resultclass=OneLineEach))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if program.result.wasSuccessful() else 1)  # the client's threads do not end
