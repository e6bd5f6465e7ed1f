// The unmodified RocketMQ Go client against a real server process, which RMQ_INTEROP_NAMESRV and RMQ_INTEROP_BROKER name
// (../run_all.py starts one). One feature a test; the features are the rows of docs/clients.md.
package interop

import (
	"context"
	"fmt"
	"os"
	"sort"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

const deadline = 60 * time.Second

var serial int64

func TestMain(m *testing.M) {
	rlog.SetLogLevel("error")
	os.Exit(m.Run())
}

// unique is a name that no other test uses, for a topic, a group or an instance.
func unique(what string) string {
	return fmt.Sprintf("%s-%d-%d", what, os.Getpid(), atomic.AddInt64(&serial, 1))
}

func require(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func address(t *testing.T, variable string) string {
	t.Helper()
	value := os.Getenv(variable)
	if value == "" {
		t.Fatalf("%s is not set: run ../run_all.py go", variable)
	}
	return value
}

func resolver(t *testing.T) primitive.NsResolver {
	t.Helper()
	return primitive.NewPassthroughResolver([]string{address(t, "RMQ_INTEROP_NAMESRV")})
}

func newAdmin(t *testing.T) admin.Admin {
	t.Helper()
	a, err := admin.NewAdmin(admin.WithResolver(resolver(t)))
	require(t, err)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// newTopic creates a topic and waits until its route is known: a client asks for a route only every 30 s.
func newTopic(t *testing.T, what string, queues int) string {
	t.Helper()
	topic := unique(what)
	require(t, newAdmin(t).CreateTopic(context.Background(), admin.WithTopicCreate(topic),
		admin.WithBrokerAddrCreate(address(t, "RMQ_INTEROP_BROKER")),
		admin.WithReadQueueNums(queues), admin.WithWriteQueueNums(queues)))
	awaitRoute(t, topic)
	return topic
}

func awaitRoute(t *testing.T, topic string) {
	t.Helper()
	a := newAdmin(t)
	end := time.Now().Add(deadline)
	for {
		queues, err := a.FetchPublishMessageQueues(context.Background(), topic)
		if err == nil && len(queues) > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("no route of %s: %v", topic, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// newProducer is started; sends are not retried, because a failure must show.
func newProducer(t *testing.T, options ...producer.Option) rocketmq.Producer {
	t.Helper()
	p, err := rocketmq.NewProducer(append([]producer.Option{
		producer.WithNsResolver(resolver(t)), producer.WithGroupName(unique("producers")),
		producer.WithInstanceName(unique("instance")), producer.WithRetry(0)}, options...)...)
	require(t, err)
	require(t, p.Start())
	t.Cleanup(func() { _ = p.Shutdown() })
	return p
}

func send(t *testing.T, p rocketmq.Producer, messages ...*primitive.Message) *primitive.SendResult {
	t.Helper()
	result, err := p.SendSync(context.Background(), messages...)
	require(t, err)
	if result.Status != primitive.SendOK {
		t.Fatalf("not sent: %v", result)
	}
	return result
}

type handler = func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error)

// startConsumer begins at the first message.
func startConsumer(t *testing.T, group, topic, tags string, handle handler, options ...consumer.Option) {
	t.Helper()
	c, err := rocketmq.NewPushConsumer(append([]consumer.Option{
		consumer.WithNsResolver(resolver(t)), consumer.WithGroupName(group),
		consumer.WithInstance(unique("instance")),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset)}, options...)...)
	require(t, err)
	require(t, c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: tags}, handle))
	require(t, c.Start())
	t.Cleanup(func() { _ = c.Shutdown() })
}

type received chan *primitive.MessageExt

func newReceived() received { return make(received, 1000) }

func (r received) accept(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	for _, message := range messages {
		r <- message
	}
	return consumer.ConsumeSuccess, nil
}

func (r received) take(t *testing.T, count int) []*primitive.MessageExt {
	t.Helper()
	var taken []*primitive.MessageExt
	end := time.After(deadline)
	for len(taken) < count {
		select {
		case message := <-r:
			taken = append(taken, message)
		case <-end:
			t.Fatalf("%d of %d messages came: %v", len(taken), count, bodies(taken))
		}
	}
	return taken
}

func (r received) expectNoMore(t *testing.T) {
	t.Helper()
	select {
	case message := <-r:
		t.Fatalf("not expected: %v", message)
	default:
	}
}

func bodies(messages []*primitive.MessageExt) []string {
	var all []string
	for _, message := range messages {
		all = append(all, string(message.Body))
	}
	return all
}

func sorted(texts []string) []string {
	result := append([]string{}, texts...)
	sort.Strings(result)
	return result
}

func equal(t *testing.T, what string, expected, actual interface{}) {
	t.Helper()
	if fmt.Sprint(expected) != fmt.Sprint(actual) {
		t.Fatalf("%s: expected %v, not %v", what, expected, actual)
	}
}
