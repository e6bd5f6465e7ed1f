'use strict';

// The unmodified RocketMQ Node.js client against a real server process, which RMQ_INTEROP_NAMESRV names (../run_all.py
// starts one). One feature a test; the features are the rows of docs/clients.md. Standard input ends with the runner, and
// so does this process: the client's timers would keep it alive.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { after, test } = require('node:test');
const { Consumer, Message, Producer } = require('ali-ons');
const httpclient = require('urllib');

const NAMESRV = process.env.RMQ_INTEROP_NAMESRV;
assert(NAMESRV, 'RMQ_INTEROP_NAMESRV is not set: run ../run_all.py node');
const DEADLINE_MS = 60_000;

let serial = 0;
const unique = what => `${what}-${process.pid}-${++serial}`;

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function options(more) {
  return {
    nameSrv: NAMESRV, accessKeyId: 'none', accessKeySecret: 'none', httpclient, logger: quiet,
    instanceName: unique('instance'), pollNameServerInteval: 500, heartbeatBrokerInterval: 500, rebalanceInterval: 500, ...more,
  };
}

// This client has no request that creates a topic, and it does not send to one that is not there.
function newTopic(what, queues) {
  const topic = unique(what);
  const rmq = (...command) => execFileSync(process.env.RMQ_BIN, [ ...command, '--namesrv', NAMESRV ], { stdio: 'pipe' });
  rmq('topic', 'create', topic, '--queues', String(queues));
  for (const end = Date.now() + DEADLINE_MS; ;) {
    try {
      rmq('route', 'show', topic);
      return topic;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

async function newProducer() {
  const producer = new Producer(options({ producerGroup: unique('producers'), retryTimesWhenSendFailed: 0 }));
  producer.on('error', () => {});
  await producer.ready();
  return producer;
}

function message(topic, body, { tag, ...properties } = {}) {
  return Object.assign(new Message(topic, tag ?? '', body), properties);
}

async function send(producer, ...args) {
  const result = await producer.send(message(...args));
  assert.equal(result.sendStatus, 'SEND_OK');
  return result;
}

// Messages that wait to be taken.
class Received {
  #messages = [];
  #wake = () => {};

  add(one) {
    this.#messages.push(one);
    this.#wake();
  }

  async take(count) {
    const end = Date.now() + DEADLINE_MS;
    while (this.#messages.length < count) {
      const left = end - Date.now();
      assert(left > 0, `only ${this.#messages.length} of ${count} messages: ${bodies(this.#messages)}`);
      await new Promise(resolve => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => { clearTimeout(timer); resolve(); };
      });
    }
    return this.#messages.splice(0, count);
  }

  assertEmpty() {
    assert.deepEqual(bodies(this.#messages), []);
  }
}

const bodies = messages => messages.map(one => one.body.toString());
const sorted = texts => [ ...texts ].sort();

// Begins at the first message; `handle` may throw, which asks for the message once more.
async function startConsumer(consumerGroup, topic, tags, handle, more) {
  const consumer = new Consumer(options({ consumerGroup, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', ...more }));
  consumer.on('error', () => {});
  consumer.subscribe(topic, tags, async one => handle(one));
  await consumer.ready();
  return consumer;
}

test('send and consume', async () => {
  const topic = newTopic('send', 4);
  const producer = await newProducer();
  const sent = [ 'short', 'long '.repeat(2000) ];
  const { msgId, queueOffset } = await send(producer, topic, sent[0], { tag: 'T', keys: [ 'k1', 'k2' ] });
  assert.equal(queueOffset, 0);
  await send(producer, topic, sent[1]); // compressed
  const received = new Received();
  await startConsumer(unique('group'), topic, '*', one => received.add(one));
  const messages = await received.take(2);
  assert.deepEqual(sorted(bodies(messages)), sorted(sent));
  const short = messages.find(one => one.body.toString() === 'short');
  assert.equal(short.msgId, msgId);
  assert.equal(short.keys, 'k1 k2');
  assert.equal(short.tags, 'T');
  // A consumer that waits is told of the next message, not when its long poll is over.
  const start = Date.now();
  await send(producer, topic, 'next');
  assert.deepEqual(bodies(await received.take(1)), [ 'next' ]);
  assert(Date.now() - start < 5000, 'a held pull is answered by the next message');
  received.assertEmpty();
});

test('retry until dead letter', async () => {
  const topic = newTopic('retry', 1);
  const group = unique('group');
  await send(await newProducer(), topic, 'unloved', { keys: [ 'key' ] });
  const attempts = new Received();
  await startConsumer(group, topic, '*', one => {
    attempts.add(one);
    throw new Error('once more');
  }, { maxReconsumeTimes: 2 });
  (await attempts.take(3)).forEach((one, times) => {
    assert.equal(one.reconsumeTimes, times);
    assert.equal(one.body.toString(), 'unloved');
    assert.equal(one.topic, topic);
  });
  const dead = new Received();
  await startConsumer(unique('group'), `%DLQ%${group}`, '*', one => dead.add(one));
  const [ letter ] = await dead.take(1);
  assert.equal(letter.body.toString(), 'unloved');
  assert.equal(letter.keys, 'key');
  attempts.assertEmpty();
});

test('delay level', async () => {
  const topic = newTopic('delay', 1);
  const received = new Received();
  await startConsumer(unique('group'), topic, '*', one => received.add(one));
  const producer = await newProducer();
  // The server's levels: 1 s and 3 s.
  const start = Date.now();
  await send(producer, topic, 'three', { delayTimeLevel: 2 });
  await send(producer, topic, 'one', { delayTimeLevel: 1 });
  await send(producer, topic, 'now');
  for (const [ body, after ] of [[ 'now', 0 ], [ 'one', 1000 ], [ 'three', 3000 ]]) {
    assert.deepEqual(bodies(await received.take(1)), [ body ]);
    const waited = Date.now() - start;
    assert(waited >= after - 20 && waited <= after + 3000, `${body} came after ${waited} ms`);
  }
});

// One queue: by sharding key this client spreads what belongs to queue 0 over all queues.
test('ordered', async () => {
  const topic = newTopic('ordered', 1);
  const producer = await newProducer();
  const sent = Array.from({ length: 100 }, (_, i) => `m${i}`);
  for (const body of sent) await send(producer, topic, body, { shardingKey: 'key' });
  const received = new Received();
  await startConsumer(unique('group'), topic, '*', one => received.add(one));
  assert.deepEqual(bodies(await received.take(sent.length)), sent);
});

test('broadcast', async () => {
  const topic = newTopic('broadcast', 4);
  const group = unique('group');
  const all = [ new Received(), new Received() ];
  for (const received of all) await startConsumer(group, topic, '*', one => received.add(one), { isBroadcast: true });
  const producer = await newProducer();
  const sent = Array.from({ length: 40 }, (_, i) => `m${i}`);
  for (const body of sent) await send(producer, topic, body);
  for (const received of all) {
    assert.deepEqual(sorted(bodies(await received.take(sent.length))), sorted(sent));
    received.assertEmpty();
  }
});

// What matches is sent last: whoever has it has passed everything else of the one queue.
async function tagFilter(expression, others, wanted) {
  const topic = newTopic('tags', 1);
  const producer = await newProducer();
  const expected = [];
  for (let round = 0; round < 3; round++) {
    for (const tag of [ ...others, ...wanted ]) await send(producer, topic, tag, { tag });
    expected.push(...wanted);
  }
  const received = new Received();
  await startConsumer(unique('group'), topic, expression, one => received.add(one));
  assert.deepEqual(bodies(await received.take(expected.length)), expected);
  await send(producer, topic, others[0], { tag: others[0] });
  await send(producer, topic, wanted[0], { tag: wanted[0] });
  assert.deepEqual(bodies(await received.take(1)), [ wanted[0] ]);
  received.assertEmpty();
}

test('tag filter', () => tagFilter('TagA || BB', [ 'TagB' ], [ 'TagA', 'BB' ]));

test('tag filter beyond ASCII', () => tagFilter('größe || 标签', [ 'große', '标' ], [ 'größe', '标签' ]));

after(() => setImmediate(() => process.exit()));
