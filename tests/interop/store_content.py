"""What the store tests put into a store, and what they find there.

Everything is compared as it lies in the log: a pull answers with the stored records themselves, so equal bytes are equal
topic, queue, offset, message id, body, properties, store and born time.
"""

import json
import random
import re
import struct
import time

import servers
import store_broker
from store_broker import remoting

SEND_MESSAGE_V2, SEND_BATCH = remoting.SEND_MESSAGE_V2, remoting.SEND_BATCH_MESSAGE
QUERY_MESSAGE, QUERY_OFFSET, UPDATE_OFFSET, TOPIC_CONFIGS, RUNTIME_INFO = 12, 14, 15, 21, 28
VIEW_MESSAGE_BY_ID, SEND_BACK, END_TRANSACTION, UPDATE_GROUP, GROUP_CONFIGS = 33, 36, 37, 200, 201
EXPORT_ROCKSDB_CONFIG = 355
TRANSACTION_PREPARED, TRANSACTION_COMMIT = 4, 8  # bits of sysFlag
INNER_BATCH = 0x80 | 0x40

ORDERS, ORDERS_QUEUES = "orders", 3
LATER = "later"  # where delayed messages arrive; one queue
PAID = "paid"  # where the half message arrives once it is committed
READERS = "readers"
# A topic over 127 characters, which is stored in records of the second version.
LONG_GROUP = "long-" + "g" * 155
SCHEDULED, HALF = "SCHEDULE_TOPIC_XXXX", "RMQ_SYS_TRANS_HALF_TOPIC"
# Levels of messageDelayLevel. Java takes 13 s to stop in good order, and delivers most of that time.
SOON, AFTER_KILL, AFTER_STOP = 1, 2, 3


def retry_topic(group: str) -> str:
    return "%RETRY%" + group


def properties(pairs: dict[str, str]) -> str:
    return "".join(f"{key}\1{value}\2" for key, value in pairs.items())


def properties_of(record) -> dict[str, str]:
    pairs = (pair.split("\1", 1) for pair in record.properties.decode().split("\2") if pair)
    return dict(pairs)


def raw_records(data: bytes) -> list[bytes]:
    found = []
    while data:
        size = struct.unpack_from(">I", data)[0]
        found.append(data[:size])
        data = data[size:]
    return found


def decode(raw: bytes):
    record, = remoting.records(raw)
    if not record.crc_ok:
        raise AssertionError(f"checksum of the record at {record.physical_offset}")
    return record


class Content:
    """Sends to a broker and knows what must be in its store; outlives the broker."""

    def __init__(self, broker: store_broker.StoreBroker):
        self.broker = broker
        self.random = random.Random(7)
        self.queues: dict[tuple[str, int], list[bytes]] = {}  # records, from offset 0 on
        self.keys: dict[str, tuple[str, int, int]] = {}  # where the message with that key is
        self.offsets: dict[tuple[str, int], int] = {}  # committed by READERS
        self.topics: dict[str, dict] = {}
        self.delayed: list[str] = []  # bodies, in the order in which they arrive in LATER
        self.pending: list[str] = []  # likewise, not yet due
        self.half: dict[str, str] = {}  # what is needed to commit the half message
        self.back = 0  # messages sent back
        self.sent = 0

    # ---- sending

    @property
    def connection(self) -> remoting.Connection:
        return self.broker.connection

    def send(self, topic: str, queue: int, body: str, pairs: dict[str, str], system: int = 0):
        return self._send(SEND_MESSAGE_V2, topic, queue, body.encode(), properties(pairs), system, "false")

    def _send(self, code: int, topic: str, queue: int, body: bytes, text: str, system: int, batch: str):
        born = int(time.time() * 1000)
        response = remoting.ok(self.connection.request(code, {
            "a": "senders", "b": topic, "c": "TBW102", "d": 4, "e": queue, "f": system, "g": born, "h": 5, "i": text,
            "j": 0, "k": "false", "l": 16, "m": batch}, body))
        return response.ext["msgId"], int(response.ext["queueOffset"]), born

    def create(self) -> None:
        for topic, queues in ((ORDERS, ORDERS_QUEUES), (LATER, 1), (PAID, 1)):
            remoting.create_topic(self.connection, topic, queues)
        for group in (READERS, LONG_GROUP):
            remoting.ok(self.connection.request(UPDATE_GROUP, body=json.dumps({
                "groupName": group, "consumeEnable": True, "consumeFromMinEnable": True, "consumeBroadcastEnable": True,
                "retryQueueNums": 1, "retryMaxTimes": 16, "brokerId": 0, "whichBrokerWhenConsumeSlowly": 1,
                "notifyConsumerIdsChangedEnable": True}).encode()))

    def fill(self, prefix: str, count: int = 120) -> None:
        """Ordinary messages, a batch, a topic of its own, a retry, a half message where the broker knows them, and
        messages that are due soon; returns when all are where consumers find them."""
        told = []  # (topic, queue, offset, id, born, body, properties)
        for i in range(count):
            self.sent += 1
            name = f"{prefix}-{i}"
            topic, queue = (f"auto-{prefix}", 0) if i % 10 == 9 else (ORDERS, i % ORDERS_QUEUES)
            body = name + ":" + "x" * self.random.randrange(1, 1500)
            pairs = {"KEYS": f"k-{name} all-{prefix}", "TAGS": f"T{i % 3}", "UNIQ_KEY": f"U{self.sent:028X}",
                     "note": "Gr\u00fc\u00dfe \u20ac\U0001F600"}
            if i % 7 == 0:
                pairs = {"KEYS": pairs["KEYS"]}
            message_id, offset, born = self.send(topic, queue, body, pairs)
            told.append((topic, queue, offset, message_id, born, body, pairs))
        bodies = [f"{prefix}-batch-{i}" for i in range(5)]
        batch = remoting.batch_body([(body.encode(), properties({"KEYS": "k-" + body}).encode()) for body in bodies])
        ids, offset, born = self._send(SEND_BATCH, ORDERS, 1, batch, "", 0, "true")
        for i, (body, message_id) in enumerate(zip(bodies, ids.split(","), strict=True)):
            told.append((ORDERS, 1, offset + i, message_id, born, body, {"KEYS": "k-" + body}))
        if self.broker.kind != store_broker.RMQ and not self.half:
            self._send_half(prefix)
        if self.broker.kind != servers.JAVA_4:
            self._send_back()
        self.delay(prefix + "-soon", SOON)
        self.await_delayed()
        self.take(told)

    def take(self, told: list[tuple]) -> None:
        """Reads all that is there: what was sent must be where the answers said."""
        ends: dict[tuple[str, int], int] = {}
        for topic, queue, offset, *_ in told:
            ends[topic, queue] = max(ends.get((topic, queue), 0), offset + 1)
        self._await_ends(ends)
        self.read_all()
        for topic, queue, offset, message_id, born, body, pairs in told:
            raw = self.queues[topic, queue][offset]
            record = decode(raw)
            found = properties_of(record)
            got = (record.topic.decode(), record.queue_id, record.queue_offset, record.physical_offset,
                   {key: found.get(key) for key in pairs}, struct.unpack_from(">Q", raw, 40)[0], record.body.decode())
            expected = (topic, queue, offset, remoting.physical_offset(message_id), pairs, born, body)
            if got != expected:
                raise AssertionError(f"stored {got!s:.400}\nsent   {expected!s:.400}")
            for key in pairs.get("KEYS", "").split()[:1]:
                self.keys[key] = (topic, queue, offset)

    def _send_half(self, prefix: str) -> None:
        pairs = {"TRAN_MSG": "true", "PGROUP": "senders", "UNIQ_KEY": f"{'F' * 24}{self.sent:08X}", "KEYS": "k-half"}
        message_id, offset, _ = self.send(PAID, 0, prefix + "-half", pairs, TRANSACTION_PREPARED)
        if self.broker.kind == servers.JAVA_4:  # answers no pull from there
            self.queues[HALF, 0] = [self._view(remoting.physical_offset(message_id))]
        self.half = {"producerGroup": "senders", "tranStateTableOffset": str(offset), "msgId": pairs["UNIQ_KEY"],
                     "commitLogOffset": str(remoting.physical_offset(message_id)), "topic": PAID,
                     "commitOrRollback": str(TRANSACTION_COMMIT), "fromTransactionCheck": "false",
                     "transactionId": pairs["UNIQ_KEY"], "body": prefix + "-half"}

    def commit_half(self) -> None:
        """The half message arrives, wherever it has been since it was sent."""
        fields = {key: value for key, value in self.half.items() if key != "body"}
        remoting.ok(self.connection.request(END_TRANSACTION, fields))
        self._await_ends({(PAID, 0): 1})
        self.read_all()
        body = decode(self.queues[PAID, 0][0]).body.decode()
        if body != self.half["body"]:
            raise AssertionError(f"committed {body}")

    def send_inner_batch(self, topic: str) -> None:
        """Two messages in one record, in a queue of entries for such records, which may not have its file yet."""
        remoting.ok(self.connection.request(remoting.UPDATE_AND_CREATE_TOPIC, {
            "topic": topic, "defaultTopic": "TBW102", "readQueueNums": 1, "writeQueueNums": 1, "perm": 6, "topicSysFlag": 0,
            "topicFilterType": "SINGLE_TAG", "order": "false", "attributes": "+queue.type=BatchCQ"}))
        body = remoting.batch_body([(b"one", b""), (b"two", b"")])
        remoting.ok(self.connection.request(SEND_MESSAGE_V2, {
            "a": "senders", "b": topic, "c": "TBW102", "d": 4, "e": 0, "f": INNER_BATCH, "g": int(time.time() * 1000), "h": 0,
            "i": properties({"INNER_NUM": "2"}), "j": 0, "k": "false", "l": 16, "m": "false"}, body))

    def _send_back(self) -> None:
        """A consumer of the group with the long name did not manage the first message of its queue."""
        name = f"back-{self.back}"
        message_id, _, _ = self.send(ORDERS, 0, name, {"TAGS": "T0"})
        remoting.ok(self.connection.request(SEND_BACK, {
            "offset": remoting.physical_offset(message_id), "group": LONG_GROUP, "delayLevel": 1, "originMsgId": message_id,
            "originTopic": ORDERS, "unitMode": "false", "maxReconsumeTimes": 16}))
        self.back += 1
        self._await_ends({(retry_topic(LONG_GROUP), 0): self.back})

    def delay(self, prefix: str, level: int) -> None:
        for i in range(3):
            body = f"{prefix}-{i}"
            self.send(LATER, 0, body, {"DELAY": str(level), "KEYS": "k-" + body})
            self.pending.append(body)

    def await_delayed(self) -> None:
        self.delayed += self.pending
        self.pending = []
        self._await_ends({(LATER, 0): len(self.delayed)})

    def commit_offsets(self) -> None:
        for queue in range(ORDERS_QUEUES):
            offset = len(self.queues[ORDERS, queue]) * 2 // 3
            remoting.ok(self.connection.request(UPDATE_OFFSET, {"consumerGroup": READERS, "topic": ORDERS, "queueId": queue,
                                                                "commitOffset": offset}))
            self.offsets[ORDERS, queue] = offset

    def export_config(self) -> None:
        """Of a broker that keeps it in RocksDB: `mqadmin rocksDBConfigToJson`."""
        remoting.ok(self.connection.request(EXPORT_ROCKSDB_CONFIG, {"configType": "topics;subscriptionGroups;consumerOffsets"}))

    def await_saved(self) -> None:
        """Returns when kill -9 loses nothing that files are to say; of rmq also no index file, because Java drops those
        that end later than the checkpoint says."""
        delayed = len(self.queues[SCHEDULED, 0])
        servers.until("the offsets to be saved", lambda: saved_offsets(self.broker.text("config", "consumerOffset.json"))
                      == self.offsets and saved_delays(self.broker.text("config", "delayOffset.json")).get(1) == delayed)
        if self.broker.kind == store_broker.RMQ:
            servers.until("the checkpoint of the full index files", lambda: full_index_end(self.broker) <= struct.unpack_from(
                ">q", (self.broker.root / "checkpoint").read_bytes(), 16)[0])

    # ---- looking

    def _await_ends(self, ends: dict[tuple[str, int], int]) -> None:
        for (topic, queue), end in ends.items():
            place = remoting.Queue(self.connection, topic, queue)
            servers.until(f"{topic} {queue} to have {end} messages", lambda p=place, e=end: p.max_offset() >= e)

    def configs(self) -> tuple[dict[str, dict], set[str]]:
        topics = json.loads(remoting.ok(self.connection.request(TOPIC_CONFIGS)).body)["topicConfigTable"]
        groups = json.loads(remoting.ok(self.connection.request(GROUP_CONFIGS)).body)["subscriptionGroupTable"]
        return topics, set(groups)

    def places(self, topics: dict[str, dict]) -> list[tuple[str, int]]:
        mine = [name for name in topics if name.startswith(("auto-", "%RETRY%long-")) or name in (ORDERS, LATER, PAID)]
        queues = [(name, queue) for name in sorted(mine) for queue in range(topics[name]["readQueueNums"])]
        queues += [(SCHEDULED, level) for level in range(3)]
        return queues + ([(HALF, 0)] if self.broker.kind != servers.JAVA_4 else [])

    def read_all(self) -> None:
        """Reads every queue. What was read before must still be there, byte by byte."""
        topics, groups = self.configs()
        if lost := {READERS, LONG_GROUP} - groups:
            raise AssertionError(f"groups {lost} are not known")
        for name, config in self.topics.items():
            now = {key: topics.get(name, {}).get(key) for key in config}
            if now != config:
                raise AssertionError(f"topic {name} was {config}, is {now}")
        self.topics = {name: {key: value for key, value in topics[name].items() if key != "attributes"}
                       for name, _ in self.places(topics) if name in topics}
        for place in self.places(topics):
            found = self.read_queue(*place)
            before = self.queues.get(place, [])
            if found[:len(before)] != before:
                at = next((i for i, raw in enumerate(before) if found[i:i + 1] != [raw]))
                raise AssertionError(f"{place}: message {at} of {len(before)} is not what it was, {len(found)} are there")
            self.queues[place] = found
        bodies = [decode(raw).body.decode() for raw in self.queues[LATER, 0]]
        if sorted(bodies) != sorted(self.delayed):
            raise AssertionError(f"delivered with delay: {bodies}, not {self.delayed}")

    def read_queue(self, topic: str, queue: int) -> list[bytes]:
        place = remoting.Queue(self.connection, topic, queue)
        first, end = place.min_offset(), place.max_offset()
        if first != 0:
            raise AssertionError(f"{topic} {queue} begins with {first}")
        found: list[bytes] = []
        while len(found) < end:
            found += raw_records(remoting.ok(place.pull(len(found))).body)
        for offset, raw in enumerate(found):
            if decode(raw).queue_offset != offset:
                raise AssertionError(f"{topic} {queue}: message {decode(raw).queue_offset} at {offset}")
        return found

    def check(self) -> None:
        """All that is known to be in the store is there, the same, after a change of brokers."""
        before = {place: len(records) for place, records in self.queues.items()}
        self.await_delayed()
        self.read_all()
        for place, count in before.items():
            if place[0] != LATER and len(self.queues[place]) != count:
                raise AssertionError(f"{place} had {count} messages, now {len(self.queues[place])}")
        for (topic, queue), offset in self.offsets.items():
            fields = {"consumerGroup": READERS, "topic": topic, "queueId": queue}
            found = int(remoting.ok(self.connection.request(QUERY_OFFSET, fields)).ext["offset"])
            if found != offset:
                raise AssertionError(f"{READERS} goes on at {found} in {topic} {queue}, committed {offset}")
        for place in self.queues:
            for raw in self.queues[place][::10]:
                if self._view(decode(raw).physical_offset) != raw:
                    raise AssertionError(f"the message at {decode(raw).physical_offset} is another one")

    def _view(self, physical: int) -> bytes:
        return remoting.ok(self.connection.request(VIEW_MESSAGE_BY_ID, {"offset": physical})).body

    def check_disks(self) -> None:
        """The broker names a disk for each directory of the log."""
        info = json.loads(remoting.ok(self.connection.request(RUNTIME_INFO)).body)["table"]
        for directory in self.broker.log_directories:
            share = float(info[f"commitLogDiskRatio_{directory}"])
            if not 0 <= share <= 1 or share < float(info["commitLogDiskRatio"]) - 0.01:
                raise AssertionError(f"{directory} is used to {share}, the log to {info['commitLogDiskRatio']}")

    def check_keys(self) -> None:
        for key, (topic, queue, offset) in self.keys.items():
            raw = self.queues[topic, queue][offset]
            servers.until(f"{key} to be found", lambda k=key, t=topic, r=raw: r in self._query(t, k))

    def _query(self, topic: str, key: str) -> list[bytes]:
        response = self.connection.request(QUERY_MESSAGE, {
            "topic": topic, "key": key, "maxNum": 32, "beginTimestamp": 0, "endTimestamp": (1 << 63) - 1})
        return raw_records(response.body) if response.code == remoting.SUCCESS else []


def full_index_end(broker: store_broker.StoreBroker) -> int:
    """The store time of the last message in a full index file."""
    headers = [struct.unpack(">qqqqii", file.read_bytes()[:40]) for file in (broker.root / "index").iterdir()]
    return max((end for _, end, _, _, _, count in headers if count >= store_broker.INDEX_ENTRIES), default=0)


def saved_offsets(text: str) -> dict[tuple[str, int], int]:
    table = re.search(rf'"{ORDERS}@{READERS}"\s*:\s*{{([^}}]*)}}', text)
    pairs = re.findall(r'"?(\d+)"?\s*:\s*(\d+)', table.group(1)) if table else []
    return {(ORDERS, int(queue)): int(offset) for queue, offset in pairs}


def saved_delays(text: str) -> dict[int, int]:
    table = re.search(r'"offsetTable"\s*:\s*{([^}]*)}', text)
    pairs = re.findall(r'"?(\d+)"?\s*:\s*(\d+)', table.group(1)) if table else []
    return {int(level): int(offset) for level, offset in pairs}
