package rmq.interop;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.header.PullMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.namesrv.GetRouteInfoRequestHeader;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Ports, header encodings, and requests nobody serves. */
class ProtocolTest extends ServerTest {
    @Test
    void anUnknownCodeIsAnsweredAtOnce() throws Exception {
        for (String address : List.of(server.namesrv(), server.broker(), server.vip())) {
            // Well below any client's timeout: an answer, not silence.
            final RemotingCommand response = Requests.invoke(
                address, RemotingCommand.createRequestCommand(9999, null), 2000);
            assertEquals(3, response.getCode());
            assertTrue(response.getRemark().contains("request type 9999 not supported"),
                response.getRemark());
        }
    }

    @Test
    void anUnknownTopicHasNoRoute() throws Exception {
        final GetRouteInfoRequestHeader header = new GetRouteInfoRequestHeader();
        header.setTopic(Clients.unique("unknown"));
        final RemotingCommand response = Requests.invoke(server.namesrv(),
            RemotingCommand.createRequestCommand(RequestCode.GET_ROUTEINFO_BY_TOPIC, header), 2000);
        assertEquals(ResponseCode.TOPIC_NOT_EXIST, response.getCode());
        assertTrue(response.getRemark().contains(header.getTopic()), response.getRemark());
    }

    @Test
    void vipChannel() throws Exception {
        final DefaultMQProducer producer = clients.newProducer();
        producer.setVipChannelEnabled(true);
        producer.start();
        final String topic = clients.newTopic(producer, "vip", 2);
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        final DefaultMQPushConsumer consumer =
            clients.newPushConsumer(Clients.unique("group"), MessageModel.CLUSTERING);
        consumer.setVipChannelEnabled(true);
        consumer.subscribe(topic, "*");
        consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
            received.addAll(messages);
            return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
        });
        consumer.start();
        for (int i = 0; i < 20; i++) {
            producer.send(new Message(topic, Bodies.text("vip" + i)));
        }
        assertEquals(20, Await.take("all messages", received, 20).size());
        // The client only falls back to it for what it sends: the port itself must answer.
        assertEquals(ResponseCode.SUCCESS, Requests.sendRaw(server.vip(), topic,
            producer.fetchPublishMessageQueues(topic).get(0).getBrokerName(),
            Bodies.text("raw")).getCode());
        assertEquals("raw",
            Bodies.text(Await.take("message by the VIP port", received, 1).get(0).getBody()));
    }

    @Test
    void thePortForVipsServesNoPulls() throws Exception {
        final PullMessageRequestHeader header = new PullMessageRequestHeader();
        header.setConsumerGroup(Clients.unique("group"));
        header.setTopic("TBW102");
        header.setQueueId(0);
        header.setQueueOffset(0L);
        header.setMaxMsgNums(1);
        header.setSysFlag(0);
        header.setCommitOffset(0L);
        header.setSuspendTimeoutMillis(0L);
        header.setSubVersion(0L);
        final RemotingCommand response = Requests.invoke(server.vip(),
            RemotingCommand.createRequestCommand(RequestCode.PULL_MESSAGE, header), 2000);
        assertEquals(3, response.getCode());
    }

    /** A Java client in a JVM of its own, as the encoding is chosen once per process. */
    @Test
    void binaryHeaders() throws Exception {
        final Path log = server.directory.resolve("binary-client.log");
        final Process client = new ProcessBuilder(
            System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
            "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Drocketmq.serialize.type=ROCKETMQ",
            "-Drocketmq.log.root=" + server.directory.resolve("binary-client-logs"),
            "-cp", System.getProperty("java.class.path"), BinaryHeaderClient.class.getName(),
            server.namesrv()).redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            assertTrue(client.waitFor(60, TimeUnit.SECONDS), () -> Server.tail(log));
            assertEquals(0, client.exitValue(), () -> Server.tail(log));
        } finally {
            client.destroyForcibly();
        }
    }
}
