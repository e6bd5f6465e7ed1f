package rmq.golden;

import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.TreeSet;
import org.apache.rocketmq.common.MixAll;
import org.apache.rocketmq.common.message.MessageDecoder;
import org.apache.rocketmq.common.message.MessageExtBrokerInner;
import org.apache.rocketmq.remoting.protocol.filter.FilterAPI;
import org.apache.rocketmq.remoting.protocol.heartbeat.SubscriptionData;

/** Hashes, identifiers and property texts. */
final class Texts {
  private Texts() {}

  static void write(Golden golden) throws Exception {
    tagHashes(golden);
    tagExpressions(golden);
    messageIds(golden);
    messageProperties(golden);
    javaProperties(golden);
  }

  private static void tagHashes(Golden golden) throws Exception {
    String[] tags = {"TagA", "TagB", "a", "0", " ", "T\u00e4g\u20ac", "\ud83d\ude00", "\u4e2d\u6587\u6807\u7b7e",
        "polygenelubricants", "TopicTest#k1", "z".repeat(300)};
    StringBuilder text = new StringBuilder();
    for (String tag : tags) {
      text.append(MessageExtBrokerInner.tagsString2tagsCode(tag)).append('\t').append(tag).append('\n');
    }
    golden.write("tag_hashes.txt", text.toString(), "`MessageExtBrokerInner.tagsString2tagsCode`: hash, tab, tag");
  }

  private static void tagExpressions(Golden golden) throws Exception {
    String[] expressions = {"", "*", "TagA", " TagA ", "TagA || TagB", "TagA||TagB||TagA", "||TagA||", "a|||b", "* || TagA",
        "|a||b|", "T\u00e4g\u20ac || \ud83d\ude00", " ", "||", "|| ||", "\tTagA\u00a0||\u3000"};
    StringBuilder text = new StringBuilder();
    for (String expression : expressions) {
      String result;
      try {
        SubscriptionData data = FilterAPI.buildSubscriptionData("T", expression);
        boolean all = data.getSubString().equals(SubscriptionData.SUB_ALL);
        result = (all ? "all" : "some") + new TreeSet<>(data.getTagsSet()) + new TreeSet<>(data.getCodeSet());
      } catch (Exception e) {
        result = "error";
      }
      text.append(result).append('\t').append(expression).append('\n');
    }
    golden.write("tag_expressions.txt", text.toString(),
        "`FilterAPI.buildSubscriptionData`: all or some, sorted tags and codes, tab, expression");
  }

  private static void messageIds(Golden golden) throws Exception {
    StringBuilder text = new StringBuilder();
    for (String ip : new String[] {"10.0.0.1", "255.254.253.252", "2001:db8::1:2"}) {
      for (long offset : new long[] {0, 1073741888L, Long.MAX_VALUE}) {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(ip), 10911);
        text.append(MessageDecoder.createMessageId(address, offset)).append(' ').append(ip).append(' ').append(offset).append('\n');
      }
    }
    golden.write("message_ids.txt", text.toString(), "`MessageDecoder.createMessageId`: id, IP, offset; port 10911");
  }

  /** What RocketMQ makes of irregular property texts; the result sorted, since its map has no order. */
  private static void messageProperties(Golden golden) throws Exception {
    String[] texts = {Frames.PROPERTIES, "", "a\u0001b", "a\u0001b\u0002", "a\u0001\u0002c\u0001d\u0002", "\u0001b\u0002c\u0001d\u0002",
        "a\u0002c\u0001d\u0002", "a\u0001b\u0001c\u0002", "a\u0001\u0001b\u0002", "\u0002\u0002a\u0001b\u0002\u0002", "a\u0001b\u0002a\u0001c\u0002",
        "\u0001\u0001\u0002", "ab\u0002c\u0001d", "a\u0001"};
    StringBuilder text = new StringBuilder();
    for (String properties : texts) {
      String rewritten = MessageDecoder.messageProperties2String(
          new java.util.TreeMap<>(MessageDecoder.string2messageProperties(properties)));
      text.append(properties).append('\t').append(rewritten).append('\n');
    }
    golden.write("message_properties.txt", text.toString(),
        "`MessageDecoder.string2messageProperties`, then `messageProperties2String` of the sorted map: text, tab, result");
  }

  private static void javaProperties(Golden golden) throws Exception {
    String source = String.join("\n",
        "# comment", "! also", "brokerName=broker-a", "  spaced   =   value with trailing  ", "colon:value", "blank value",
        "empty=", "noValue", "key\\ with\\=signs=v\\u00e4\\t\\n\\\\x", "continued=one,\\", "    two,\\", "    three",
        "namesrvAddr=10.0.0.1:9876;10.0.0.2:9876", "doubled=1", "doubled=2", "=valueWithoutKey", "path=C\\:\\\\dir", "odd=\\q", "");
    golden.write("java_properties_source.txt", source, "written by hand: the text that was loaded");
    Properties loaded = new Properties();
    loaded.load(new StringReader(source));
    StringBuilder pairs = new StringBuilder();
    for (String key : new TreeSet<>(loaded.stringPropertyNames())) {
      pairs.append(hex(key)).append(' ').append(hex(loaded.getProperty(key))).append('\n');
    }
    golden.write("java_properties_loaded.txt", pairs.toString(),
        "`Properties.load` of java_properties_source.txt: UTF-8 of key and value in hex, sorted");
    golden.write("java_properties_text.txt", MixAll.properties2String(loaded, true), "`MixAll.properties2String(p, true)` of the same");
  }

  private static String hex(String text) {
    StringBuilder out = new StringBuilder("x");
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      out.append(String.format("%02x", b));
    }
    return out.toString();
  }
}
