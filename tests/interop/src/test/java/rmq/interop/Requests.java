package rmq.interop;

import org.apache.rocketmq.client.exception.MQBrokerException;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyRemotingClient;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;
import org.apache.rocketmq.remoting.protocol.RequestCode;
import org.apache.rocketmq.remoting.protocol.ResponseCode;
import org.apache.rocketmq.remoting.protocol.body.ClusterInfo;
import org.apache.rocketmq.remoting.protocol.header.SendMessageRequestHeader;
import org.apache.rocketmq.remoting.protocol.header.SendMessageRequestHeaderV2;
import org.apache.rocketmq.remoting.protocol.header.namesrv.GetRouteInfoRequestHeader;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Single requests by the Java remoting client, for what the message clients never send. */
final class Requests {
    private Requests() {
    }

    /** The answer; an exception when none comes within {@code timeoutMillis}. */
    static RemotingCommand invoke(String address, RemotingCommand request, long timeoutMillis)
        throws Exception {
        return Shared.CLIENT.invokeSync(address, request, timeoutMillis);
    }

    /** One for the whole JVM, ended with it: an orderly shutdown takes 3 s. */
    private static final class Shared {
        static final NettyRemotingClient CLIENT = new NettyRemotingClient(new NettyClientConfig());

        static {
            CLIENT.start();
        }
    }

    /** What this name server says of {@code topic}; empty when it does not know it. */
    static TopicRouteData route(String topic, String namesrv) throws Exception {
        final GetRouteInfoRequestHeader header = new GetRouteInfoRequestHeader();
        header.setTopic(topic);
        final RemotingCommand response = invoke(namesrv, RemotingCommand.createRequestCommand(
            RequestCode.GET_ROUTEINFO_BY_TOPIC, header), 2000);
        if (response.getCode() != ResponseCode.SUCCESS) {
            final TopicRouteData unknown = new TopicRouteData();
            unknown.setBrokerDatas(List.of());
            return unknown;
        }
        return TopicRouteData.decode(response.getBody(), TopicRouteData.class);
    }

    /** The brokers that this name server names for {@code topic}. */
    static Set<String> brokersOf(String topic, String namesrv) throws Exception {
        return route(topic, namesrv).getBrokerDatas().stream().map(BrokerData::getBrokerName)
            .collect(Collectors.toSet());
    }

    /** The clusters, brokers and addresses that this name server knows. */
    static ClusterInfo cluster(String namesrv) throws Exception {
        final RemotingCommand response = invoke(namesrv,
            RemotingCommand.createRequestCommand(RequestCode.GET_BROKER_CLUSTER_INFO, null), 2000);
        return ClusterInfo.decode(response.getBody(), ClusterInfo.class);
    }

    /** SEND_MESSAGE_V2 past all checks of the producer. */
    static RemotingCommand sendRaw(String address, String topic, String brokerName, byte[] body,
        int sysFlag, Map<String, String> properties) throws Exception {
        final SendMessageRequestHeader header = new SendMessageRequestHeader();
        header.setProducerGroup("raw-producers");
        header.setTopic(topic);
        header.setDefaultTopic("TBW102");
        header.setDefaultTopicQueueNums(4);
        header.setQueueId(0);
        header.setSysFlag(sysFlag);
        header.setBornTimestamp(System.currentTimeMillis());
        header.setFlag(0);
        header.setProperties(MessageDecoder.messageProperties2String(properties));
        header.setReconsumeTimes(0);
        header.setBrokerName(brokerName);
        final RemotingCommand request = RemotingCommand.createRequestCommand(
            RequestCode.SEND_MESSAGE_V2,
            SendMessageRequestHeaderV2.createSendMessageRequestHeaderV2(header));
        request.setBody(body);
        final RemotingCommand response = invoke(address, request, 5000);
        if (response.getCode() != ResponseCode.SUCCESS) {
            throw new MQBrokerException(response.getCode(), response.getRemark());
        }
        return response;
    }

    static RemotingCommand sendRaw(String address, String topic, String brokerName, byte[] body)
        throws Exception {
        return sendRaw(address, topic, brokerName, body, 0, Map.of());
    }
}
