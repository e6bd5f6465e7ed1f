#!/usr/bin/env python3
"""Tests the tests: a small fake broker loses, doubles, moves and damages messages, and the check of
the kill -9 test must notice each. Needs no rmq."""

import socketserver
import struct
import sys
import threading
import time
import unittest
import zlib

import load
import remoting


class FakeBroker(socketserver.ThreadingTCPServer):
    """Lists of (body, properties, commit log offset) by queue, which a test may change at will."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Peer)
        self.lock = threading.Lock()
        self.queues = [[] for _ in range(load.QUEUES)]
        self.physical = 0
        self.damage_crc = False
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class _Peer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.setsockopt(remoting.socket.IPPROTO_TCP, remoting.socket.TCP_NODELAY, 1)
        inbound = bytearray()
        while True:
            data = self.request.recv(1 << 16)
            if not data:
                return
            inbound += data
            for header, body in remoting.split_frames(inbound):
                request = remoting.Response(remoting.json.loads(header), body)
                with self.server.lock:
                    code, ext, answer = self.answer(request)
                self.request.sendall(remoting.frame(
                    code, request.opaque, ext, answer, flag=remoting.FLAG_RESPONSE))

    def answer(self, request):
        ext = request.ext
        if request.code == remoting.UPDATE_AND_CREATE_TOPIC:
            return 0, {}, b""
        if request.code in (remoting.SEND_MESSAGE_V2, remoting.SEND_BATCH_MESSAGE):
            return 0, self.store(request), b""
        queue = self.server.queues[int(ext["queueId"])]
        if request.code == remoting.GET_MAX_OFFSET:
            return 0, {"offset": len(queue)}, b""
        if request.code == remoting.GET_MIN_OFFSET:
            return 0, {"offset": 0}, b""
        offset = int(ext["queueOffset"])
        found = queue[offset:offset + 32]
        out = b"".join(self.record(int(ext["queueId"]), offset + i, *entry)
                       for i, entry in enumerate(found))
        return 0, {"nextBeginOffset": offset + len(found)}, out

    def store(self, request):
        queue = self.server.queues[int(request.ext["e"])]
        messages = [(request.body, request.ext["i"].encode())]
        if request.ext["m"] == "true":
            messages = []
            at = 0
            while at < len(request.body):
                size, _, _, _, body_size = struct.unpack_from(">IIIII", request.body, at)
                messages.append((request.body[at + 20:at + 20 + body_size],
                                 request.body[at + 22 + body_size:at + size]))
                at += size
        first = len(queue)
        ids = []
        for body, properties in messages:
            self.server.physical += 1
            ids.append("7F00000100002A9F%016X" % self.server.physical)
            queue.append((body, properties, self.server.physical))
        return {"msgId": ",".join(ids), "queueId": request.ext["e"], "queueOffset": first}

    def record(self, queue_id, offset, body, properties, physical):
        topic = b"t"
        crc = (zlib.crc32(body) & 0x7FFFFFFF) ^ self.server.damage_crc
        head = struct.pack(">IIIIQQIQ8sQ8sIQI", remoting.MAGIC_V1, crc, queue_id, 0, offset,
                           physical, 0, 0, bytes(8), 0, bytes(8), 0, 0, len(body))
        rest = body + bytes([len(topic)]) + topic + struct.pack(">H", len(properties)) + properties
        return struct.pack(">I", 4 + len(head) + len(rest)) + head + rest


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.broker = FakeBroker()
        self.ledger = load.Ledger("t")
        load.create(self.broker.server_address, "t")
        work = load.Load(self.broker.server_address, self.ledger, b"x", connections=3, window=8)
        work.run_until(time.monotonic() + 10, lambda: work.messages_sent > 400)
        work.sending = False
        work.run_until(time.monotonic() + 10, lambda: work.in_flight == 0)
        work.close()
        self.assertEqual(work.in_flight, 0)
        self.assertEqual(work.messages_acknowledged, work.messages_sent)

    def tearDown(self):
        self.broker.shutdown()
        self.broker.server_close()

    def check(self):
        return load.check(self.broker.server_address, self.ledger)

    def assert_noticed(self, words):
        _, errors = self.check()
        self.assertTrue(any(words in error for error in errors), errors)

    def test_good(self):
        read, errors = self.check()
        self.assertEqual(errors, [])
        self.assertEqual(read, len(self.ledger.acknowledged))
        self.assertEqual(self.check(), (0, []), "nothing new")
        self.assertEqual(load.check(self.broker.server_address, self.ledger, whole=True),
                         (read, []))

    def test_last_message_lost(self):
        self.broker.queues[3].pop()
        self.assert_noticed("acknowledged and lost")

    def test_message_lost_in_the_middle(self):
        del self.broker.queues[3][5]
        self.assert_noticed("was acknowledged for")

    def test_queue_lost_after_it_was_checked(self):
        self.assertEqual(self.check()[1], [])
        self.broker.queues[0].clear()
        self.assert_noticed("and ends at 0")

    def test_unacknowledged_message_twice(self):
        identity = b"x-0-1"
        entry = (load.body_of(identity), load.properties_of(identity), 1)
        self.broker.queues[1].append(entry)
        self.assert_noticed("twice")

    def test_message_that_was_never_sent(self):
        self.broker.queues[1].append((b"?", load.properties_of(b"?"), 1))
        self.assert_noticed("never sent")

    def test_other_body(self):
        body, properties, physical = self.broker.queues[2][4]
        self.broker.queues[2][4] = (body[:-1] + b"!", properties, physical)
        self.assert_noticed("is not what was sent")

    def test_other_place_in_the_commit_log(self):
        body, properties, physical = self.broker.queues[2][4]
        self.broker.queues[2][4] = (body, properties, physical + 1)
        self.assert_noticed("it lies at")

    def test_wrong_checksum(self):
        self.broker.damage_crc = True
        self.assert_noticed("wrong checksum")

    def test_one_offset_given_twice(self):
        place, (identity, _) = next(iter(self.ledger.acknowledged.items()))
        self.ledger.acknowledge([b"other"], place[0], place[1], b"7F" * 16)
        self.assert_noticed("given to %s and to" % identity)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False).result.wasSuccessful() else 1)
