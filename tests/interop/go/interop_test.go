package interop

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func TestSendAndConsume(t *testing.T) {
	t.Parallel()
	// Not created: the first send does that.
	topic := unique("send")
	p := newProducer(t)
	sent := []string{"sync", "oneway", "async", "batch0", "batch1", strings.Repeat("long ", 4000)}
	result := send(t, p, primitive.NewMessage(topic, []byte("sync")).WithKeys([]string{"k1", "k2"}).WithTag("T"))
	equal(t, "first offset", 0, result.QueueOffset)
	require(t, p.SendOneWay(context.Background(), primitive.NewMessage(topic, []byte("oneway"))))
	done := make(chan error, 1)
	require(t, p.SendAsync(context.Background(), func(_ context.Context, _ *primitive.SendResult, err error) {
		done <- err
	}, primitive.NewMessage(topic, []byte("async"))))
	require(t, <-done)
	send(t, p, primitive.NewMessage(topic, []byte("batch0")), primitive.NewMessage(topic, []byte("batch1")))
	send(t, p, primitive.NewMessage(topic, []byte(sent[5]))) // compressed

	awaitRoute(t, topic)
	r := newReceived()
	startConsumer(t, unique("group"), topic, "*", r.accept)
	messages := r.take(t, len(sent))
	equal(t, "bodies", sorted(sent), sorted(bodies(messages)))
	for _, message := range messages {
		if string(message.Body) == "sync" {
			equal(t, "keys", "k1 k2", message.GetKeys())
			equal(t, "tag", "T", message.GetTags())
			equal(t, "message id", result.OffsetMsgID, message.OffsetMsgId)
		}
	}
	// A consumer that waits is told of the next message, not when its long poll is over.
	start := time.Now()
	send(t, p, primitive.NewMessage(topic, []byte("next")))
	equal(t, "next", []string{"next"}, bodies(r.take(t, 1)))
	if waited := time.Since(start); waited > 5*time.Second {
		t.Fatalf("a held pull was answered after %v", waited)
	}
	r.expectNoMore(t)
}

func TestRetryUntilDeadLetter(t *testing.T) {
	t.Parallel()
	topic := newTopic(t, "retry", 1)
	group := unique("group")
	send(t, newProducer(t), primitive.NewMessage(topic, []byte("unloved")).WithKeys([]string{"key"}))
	attempts := newReceived()
	startConsumer(t, group, topic, "*", func(ctx context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		_, _ = attempts.accept(ctx, messages...)
		return consumer.ConsumeRetryLater, nil
	}, consumer.WithMaxReconsumeTimes(2))
	for times, message := range attempts.take(t, 3) {
		equal(t, "reconsume times", times, message.ReconsumeTimes)
		equal(t, "body", "unloved", string(message.Body))
		equal(t, "topic", topic, message.Topic)
	}
	dead := newReceived()
	awaitRoute(t, "%DLQ%"+group)
	startConsumer(t, unique("group"), "%DLQ%"+group, "*", dead.accept)
	letter := dead.take(t, 1)[0]
	equal(t, "body", "unloved", string(letter.Body))
	equal(t, "key", "key", letter.GetKeys())
	attempts.expectNoMore(t)
}

func TestDelayLevel(t *testing.T) {
	t.Parallel()
	topic := newTopic(t, "delay", 1)
	r := newReceived()
	startConsumer(t, unique("group"), topic, "*", r.accept)
	p := newProducer(t)
	// The server's levels: 1 s and 3 s.
	start := time.Now()
	send(t, p, primitive.NewMessage(topic, []byte("three")).WithDelayTimeLevel(2))
	send(t, p, primitive.NewMessage(topic, []byte("one")).WithDelayTimeLevel(1))
	send(t, p, primitive.NewMessage(topic, []byte("now")))
	for _, expected := range []struct {
		body  string
		after time.Duration
	}{{"now", 0}, {"one", time.Second}, {"three", 3 * time.Second}} {
		equal(t, "body", expected.body, string(r.take(t, 1)[0].Body))
		if waited := time.Since(start); waited < expected.after-20*time.Millisecond || waited > expected.after+3*time.Second {
			t.Fatalf("%s came after %v", expected.body, waited)
		}
	}
}

func TestOrdered(t *testing.T) {
	t.Parallel()
	topic := newTopic(t, "ordered", 4)
	p := newProducer(t, producer.WithQueueSelector(producer.NewHashQueueSelector()))
	const keys, perKey = 8, 20
	for i := 0; i < perKey; i++ {
		for key := 0; key < keys; key++ {
			send(t, p, primitive.NewMessage(topic, []byte(fmt.Sprint(i))).WithShardingKey(fmt.Sprint("key", key)))
		}
	}
	var mutex sync.Mutex
	next := map[string]int{}
	suspended := false
	handled := make(chan error, keys*perKey)
	consume := func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		mutex.Lock()
		defer mutex.Unlock()
		for _, message := range messages {
			key := message.GetShardingKey()
			// One is refused once: it must come again before those behind it.
			if key == "key3" && next[key] == 7 && !suspended {
				suspended = true
				return consumer.SuspendCurrentQueueAMoment, nil
			}
			if string(message.Body) != fmt.Sprint(next[key]) {
				handled <- fmt.Errorf("%s: %s instead of %d", key, message.Body, next[key])
			}
			next[key]++
			handled <- nil
		}
		return consumer.ConsumeSuccess, nil
	}
	// One consumer: this client keeps the lock of a queue that it leaves to another, until the lock expires.
	startConsumer(t, unique("group"), topic, "*", consume, consumer.WithConsumerOrder(true),
		consumer.WithSuspendCurrentQueueTimeMillis(100*time.Millisecond))
	end := time.After(deadline)
	for i := 0; i < keys*perKey; i++ {
		select {
		case err := <-handled:
			require(t, err)
		case <-end:
			t.Fatalf("%d of %d messages", i, keys*perKey)
		}
	}
	equal(t, "suspended", true, suspended)
}

func TestBroadcast(t *testing.T) {
	t.Parallel()
	topic := newTopic(t, "broadcast", 4)
	group := unique("group")
	all := []received{newReceived(), newReceived()}
	for _, r := range all {
		startConsumer(t, group, topic, "*", r.accept, consumer.WithConsumerModel(consumer.BroadCasting))
	}
	p := newProducer(t)
	var sent []string
	for i := 0; i < 40; i++ {
		sent = append(sent, fmt.Sprint("m", i))
		send(t, p, primitive.NewMessage(topic, []byte(sent[i])))
	}
	for _, r := range all {
		equal(t, "each consumer gets each", sorted(sent), sorted(bodies(r.take(t, len(sent)))))
		r.expectNoMore(t)
	}
}

// tagFilter sends what matches last, so that whoever has it has passed everything else of the one queue.
func tagFilter(t *testing.T, expression string, others []string, wanted []string) {
	t.Helper()
	topic := newTopic(t, "tags", 1)
	p := newProducer(t)
	var expected []string
	for round := 0; round < 3; round++ {
		send(t, p, primitive.NewMessage(topic, []byte("no tag")))
		for _, tag := range others {
			send(t, p, primitive.NewMessage(topic, []byte(tag)).WithTag(tag))
		}
		for _, tag := range wanted {
			send(t, p, primitive.NewMessage(topic, []byte(tag)).WithTag(tag))
			expected = append(expected, tag)
		}
	}
	r := newReceived()
	startConsumer(t, unique("group"), topic, expression, r.accept)
	equal(t, "messages", sorted(expected), sorted(bodies(r.take(t, len(expected)))))
	r.expectNoMore(t)
	send(t, p, primitive.NewMessage(topic, []byte(others[0])).WithTag(others[0]))
	send(t, p, primitive.NewMessage(topic, []byte(wanted[0])).WithTag(wanted[0]))
	equal(t, "message", wanted[:1], bodies(r.take(t, 1)))
}

func TestTagFilter(t *testing.T) {
	t.Parallel()
	// "Aa" and "BB" have the same hash: the client compares the text.
	tagFilter(t, "TagA || BB", []string{"TagB", "Aa"}, []string{"TagA", "BB"})
}

// This client hashes the UTF-8 bytes of a tag, the server its UTF-16 units.
func TestTagFilterBeyondASCII(t *testing.T) {
	t.Parallel()
	tagFilter(t, "größe || 标签", []string{"große", "标"}, []string{"größe", "标签"})
}

func TestRequestReply(t *testing.T) {
	t.Parallel()
	topic := newTopic(t, "request", 1)
	p := newProducer(t)
	startConsumer(t, unique("group"), topic, "*", func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			reply, err := consumer.CreateReplyMessage(message, nil)
			if err != nil {
				return consumer.ConsumeRetryLater, err
			}
			reply.Body = append([]byte("answer to "), message.Body...)
			if _, err = p.SendSync(context.Background(), reply); err != nil {
				return consumer.ConsumeRetryLater, err
			}
		}
		return consumer.ConsumeSuccess, nil
	})
	// A reply finds its way only to a client that the broker knows. This client's first heartbeat goes, 1 s after its start,
	// to the brokers that it knows by then; so the first requests may remain without an answer.
	send(t, p, primitive.NewMessage(newTopic(t, "acquaintance", 1), []byte("hello")))
	ask := func(question string, ttl time.Duration) (*primitive.Message, error) {
		return p.Request(context.Background(), ttl, primitive.NewMessage(topic, []byte(question)))
	}
	end := time.Now().Add(deadline)
	for {
		if _, err := ask("anybody there?", time.Second); err == nil {
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	for i := 0; i < 3; i++ {
		question := fmt.Sprint("question ", i)
		answer, err := ask(question, 20*time.Second)
		require(t, err)
		equal(t, "answer", "answer to "+question, string(answer.Body))
	}
}
