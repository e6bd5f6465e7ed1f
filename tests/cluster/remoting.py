"""The RocketMQ protocol as these tests need it, written from the protocol's description and not
from rmq's code, so that both can be wrong only separately: frames with JSON headers, sends, pulls,
and the decoding of stored records."""

import json
import re
import socket
import struct
import zlib

SEND_MESSAGE_V2 = 310
SEND_BATCH_MESSAGE = 320
PULL_MESSAGE = 11
QUERY_CONSUMER_OFFSET = 14
UPDATE_CONSUMER_OFFSET = 15
UPDATE_AND_CREATE_TOPIC = 17
GET_BROKER_RUNTIME_INFO = 28
GET_MAX_OFFSET = 30
GET_MIN_OFFSET = 31
GET_ROUTEINFO_BY_TOPIC = 105
DELETE_TOPIC_IN_BROKER = 215
GET_BROKER_HA_STATUS = 907

SUCCESS = 0
TOPIC_NOT_EXIST = 17
PULL_NOT_FOUND = 19

FLAG_RESPONSE = 1
FRAME_MAX = 16 * 1024 * 1024 - 4  # the largest legal length word

PULL_FLAG_SUSPEND = 2
PULL_FLAG_SUBSCRIPTION = 4

MAGIC_V1 = 0xDAA320A7
MAGIC_V2 = 0xDAA320AB


def frame(code, opaque, ext=None, body=b"", flag=0):
    """One request."""
    header = json.dumps(
        {"code": code, "extFields": {k: str(v) for k, v in (ext or {}).items()}, "flag": flag,
         "language": "PYTHON", "opaque": opaque, "serializeTypeCurrentRPC": "JSON",
         "version": 479}, separators=(",", ":")).encode()
    return struct.pack(">II", 4 + len(header) + len(body), len(header)) + header + body


class Response:
    """code, opaque, remark, ext (strings by name), body."""

    def __init__(self, header, body):
        self.code = header["code"]
        self.opaque = header["opaque"]
        self.flag = header.get("flag", 0)
        self.remark = header.get("remark")
        self.ext = header.get("extFields") or {}
        self.body = body


def split_frames(data):
    """The complete frames in a bytearray as (header bytes, body), which are taken from it."""
    at = 0
    end = len(data)
    frames = []
    while end - at >= 8:
        length, word = struct.unpack_from(">II", data, at)
        if end - at < 4 + length:
            break
        if word >> 24 != 0:
            raise ValueError("a JSON request was answered with header type %d" % (word >> 24))
        body_at = at + 8 + word
        frames.append((bytes(data[at + 8:body_at]), bytes(data[body_at:at + 4 + length])))
        at += 4 + length
    del data[:at]
    return frames


class Connection:
    """One blocking connection with one request at a time."""

    def __init__(self, address, timeout=10.0, source=None):
        self.socket = socket.create_connection(address, timeout, source_address=source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._opaque = 0

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def request(self, code, ext=None, body=b""):
        self._opaque += 1
        self.socket.sendall(frame(code, self._opaque, ext, body))
        while True:
            response = self.receive()
            if response.flag & FLAG_RESPONSE and response.opaque == self._opaque:
                return response

    def receive(self):
        while True:
            frames = split_frames_one(self._buffer)
            if frames:
                return Response(json.loads(frames[0]), frames[1])
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionError("the server closed the connection")
            self._buffer += data


def split_frames_one(data):
    """The first complete frame, taken from a bytearray, or None."""
    if len(data) < 8:
        return None
    length, word = struct.unpack_from(">II", data, 0)
    if len(data) < 4 + length:
        return None
    header = bytes(data[8:8 + word])
    body = bytes(data[8 + word:4 + length])
    del data[:4 + length]
    return header, body


def ok(response):
    """The response, when it is a success."""
    if response.code != SUCCESS:
        raise RuntimeError("code %d: %s" % (response.code, response.remark))
    return response


def create_topic(connection, topic, queues):
    ok(connection.request(UPDATE_AND_CREATE_TOPIC, {
        "topic": topic, "defaultTopic": "TBW102", "readQueueNums": queues,
        "writeQueueNums": queues, "perm": 6, "topicFilterType": "SINGLE_TAG", "topicSysFlag": 0,
        "order": "false"}))


class Queue:
    """Offsets and contents of one queue."""

    def __init__(self, connection, topic, queue_id, group="checkers"):
        self.connection = connection
        self.place = {"topic": topic, "queueId": queue_id}
        self.group = group

    def max_offset(self):
        return int(ok(self.connection.request(GET_MAX_OFFSET, self.place)).ext["offset"])

    def min_offset(self):
        return int(ok(self.connection.request(GET_MIN_OFFSET, self.place)).ext["offset"])

    def pull(self, offset, count=32):
        return self.connection.request(PULL_MESSAGE, pull_fields(
            self.place["topic"], self.place["queueId"], offset, count, self.group))

    def records(self, begin, end):
        """Every record of [begin, end), in the order of the queue."""
        offset = begin
        while offset < end:
            response = ok(self.pull(offset))
            for record in records(response.body):
                if record.queue_offset >= end:
                    return
                yield record
            following = int(response.ext["nextBeginOffset"])
            if following <= offset:
                raise RuntimeError("pull at %d goes on at %d" % (offset, following))
            offset = following


def pull_fields(topic, queue_id, offset, count, group, suspend_ms=0):
    flags = PULL_FLAG_SUBSCRIPTION | (PULL_FLAG_SUSPEND if suspend_ms else 0)
    return {"consumerGroup": group, "topic": topic, "queueId": queue_id, "queueOffset": offset,
            "maxMsgNums": count, "sysFlag": flags, "commitOffset": 0,
            "suspendTimeoutMillis": suspend_ms, "subscription": "*", "subVersion": 1,
            "expressionType": "TAG"}


class Record:
    __slots__ = ("queue_id", "queue_offset", "physical_offset", "store_timestamp", "body", "topic",
                 "properties", "crc_ok")


_RECORD_HEAD = struct.Struct(">IIIIIQQI")


def records(data):
    """Decodes records that lie back to back."""
    at = 0
    while at < len(data):
        size, magic, crc, queue_id, _flag, queue_offset, physical, system = \
            _RECORD_HEAD.unpack_from(data, at)
        if magic not in (MAGIC_V1, MAGIC_V2):
            raise ValueError("magic %08x at %d" % (magic, at))
        record = Record()
        record.queue_id = queue_id
        record.queue_offset = queue_offset
        record.physical_offset = physical
        here = at + 48 + (20 if system & 0x10 else 8)
        (record.store_timestamp,) = struct.unpack_from(">Q", data, here)
        here += 8 + (20 if system & 0x20 else 8) + 4 + 8
        (body_size,) = struct.unpack_from(">I", data, here)
        here += 4
        record.body = data[here:here + body_size]
        record.crc_ok = zlib.crc32(record.body) & 0x7FFFFFFF == crc
        here += body_size
        if magic == MAGIC_V1:
            topic_size = data[here]
            here += 1
        else:
            (topic_size,) = struct.unpack_from(">H", data, here)
            here += 2
        record.topic = data[here:here + topic_size]
        here += topic_size
        (properties_size,) = struct.unpack_from(">H", data, here)
        here += 2
        record.properties = data[here:here + properties_size]
        here += properties_size
        if here != at + size:
            raise ValueError("record at %d: %d bytes, of which %d make sense"
                             % (at, size, here - at))
        yield record
        at += size


def properties_text(pairs):
    return b"".join(k + b"\x01" + v + b"\x02" for k, v in pairs)


def property_of(record, name):
    for pair in record.properties.split(b"\x02"):
        key, _, value = pair.partition(b"\x01")
        if key == name:
            return value
    return None


def batch_body(messages):
    """The body of a batch: (body, properties) each."""
    out = []
    for body, properties in messages:
        out.append(struct.pack(">IIIII", 22 + len(body) + len(properties), 0, 0, 0, len(body)))
        out.append(body)
        out.append(struct.pack(">H", len(properties)))
        out.append(properties)
    return b"".join(out)


class SendTemplate:
    """Send requests of one topic, made with little work each."""

    def __init__(self, topic, group="loaders"):
        self._head = ('"extFields":{"a":"%s","b":"%s","c":"TBW102","d":"4","f":"0","h":"0",'
                      '"j":"0","k":"false","g":"1700000000000"' % (group, topic)).encode()

    def send(self, opaque, queue_id, body, properties, batch=False):
        header = b'{"code":%d,%b,"e":"%d","m":"%b","i":"%b"},"flag":0,"language":"PYTHON",' \
                 b'"opaque":%d,"serializeTypeCurrentRPC":"JSON","version":479}' % (
                     SEND_BATCH_MESSAGE if batch else SEND_MESSAGE_V2, self._head, queue_id,
                     b"true" if batch else b"false",
                     properties.replace(b"\x01", b"\\u0001").replace(b"\x02", b"\\u0002"), opaque)
        return b"".join((struct.pack(">II", 4 + len(header) + len(body), len(header)), header,
                         body))


_CODE = re.compile(rb'"code":(-?\d+)')
_OPAQUE = re.compile(rb'"opaque":(-?\d+)')
_OFFSET = re.compile(rb'"queueOffset":"(\d+)"')
_QUEUE = re.compile(rb'"queueId":"(\d+)"')
_MESSAGE_ID = re.compile(rb'"msgId":"([0-9A-Fa-f,]*)"')


def send_answer(header):
    """(opaque, code, queue id, queue offset, message ids) of a send's response header; the last
    three are None unless the code is 0."""
    opaque = int(_OPAQUE.search(header).group(1))
    code = int(_CODE.search(header).group(1))
    if code != SUCCESS:
        return opaque, code, None, None, None
    return (opaque, code, int(_QUEUE.search(header).group(1)),
            int(_OFFSET.search(header).group(1)), _MESSAGE_ID.search(header).group(1))


def physical_offset(message_id):
    """The commit log offset inside an IPv4 or IPv6 offset message id."""
    return int(message_id[-16:], 16)
