package rmq.interop;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.SerializeType;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** Program of {@link ProtocolTest#binaryHeaders}: sends and receives; exit code 0 if all is well. */
final class BinaryHeaderClient {
    private static final int COUNT = 50;

    private BinaryHeaderClient() {
    }

    public static void main(String[] arguments) {
        try (Clients clients = new Clients(arguments[0])) {
            run(clients);
        } catch (Throwable failure) {
            failure.printStackTrace();
            System.exit(1);
        }
        System.exit(0);
    }

    private static void run(Clients clients) throws Exception {
        final SerializeType mine =
            RemotingCommand.createRequestCommand(0, null).getSerializeTypeCurrentRPC();
        if (mine != SerializeType.ROCKETMQ) {
            throw new AssertionError("this client writes " + mine);
        }
        final DefaultMQProducer producer = clients.startedProducer();
        final String topic = clients.newTopic(producer, "binary", 2);
        for (int i = 0; i < COUNT; i++) {
            final Message message = new Message(topic, "TagB", "key" + i, Bodies.text("b" + i));
            message.putUserProperty("city", "大阪");
            producer.send(message);
        }
        final BlockingQueue<MessageExt> received = new LinkedBlockingQueue<>();
        clients.startedPushConsumer(
            Clients.unique("group"), MessageModel.CLUSTERING, topic, "TagB", received);
        for (MessageExt message : Await.take("all messages", received, COUNT)) {
            final String number = Bodies.text(message.getBody()).substring(1);
            if (!message.getKeys().equals("key" + number)
                || !"大阪".equals(message.getUserProperty("city"))) {
                throw new AssertionError("not as it was sent: " + message);
            }
        }
        clients.readAll(topic, COUNT);
    }
}
