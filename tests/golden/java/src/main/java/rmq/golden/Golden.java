package rmq.golden;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Where golden files go; remembers how each was made, for the table in data/README.md. */
final class Golden {
  private record Row(String file, int bytes, String made) {}

  private final Path directory;
  private final List<Row> rows = new ArrayList<>();

  Golden(Path directory) {
    this.directory = directory;
  }

  /** Writes {@code bytes} to {@code file}. {@code made} names the RocketMQ class and call that gave them. */
  void write(String file, byte[] bytes, String made) throws IOException {
    Files.write(directory.resolve(file), bytes);
    rows.add(new Row(file, bytes.length, made));
  }

  void write(String file, String text, String made) throws IOException {
    write(file, text.getBytes(StandardCharsets.UTF_8), made);
  }

  void write(String file, ByteBuffer buffer, String made) throws IOException {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    write(file, bytes, made);
  }

  void writeTable() throws IOException {
    StringBuilder text = new StringBuilder();
    text.append("# Golden files\n\n");
    text.append("Bytes made by RocketMQ 5.3.3's own classes; written by `../generate.sh`, never by hand.\n");
    text.append("The inputs are in `../java`; they use no clock and no random number, so the same bytes come again\n");
    text.append("(deflated bodies only with the same zlib).\n\n");
    text.append("| file | bytes | made by |\n| --- | ---: | --- |\n");
    rows.sort(Comparator.comparing(Row::file));
    for (Row row : rows) {
      text.append("| ").append(row.file).append(" | ").append(row.bytes).append(" | ").append(row.made).append(" |\n");
    }
    Files.writeString(directory.resolve("README.md"), text);
  }
}
