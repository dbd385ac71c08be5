package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;

import dev.beckon.protocol.ProtocolDocument;
import dev.beckon.protocol.Security;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** docs/PROTOCOL.md and the code say the same; its vectors were made by another implementation. */
class ProtocolDocumentTest {
  private static final ProtocolDocument DOCUMENT = ProtocolDocument.read();
  private static final Map<String, String> KEYS = DOCUMENT.vectors().get(0);
  private static final byte[] MASTER_KEY = Hex.bytes(value(KEYS, "master-key"));

  static Stream<Named<Map<String, String>>> messages() {
    return DOCUMENT.vectors().stream()
        .skip(1)
        .map(vector -> Named.of(value(vector, "vector"), vector));
  }

  @Test
  void deviceKeysAreDerivedAsWritten() {
    KEYS.forEach(
        (name, key) -> {
          int slash = name.lastIndexOf('/');
          if (slash > 0) {
            DeviceId id = new DeviceId(name.substring(0, slash));
            int generation = Integer.parseInt(name.substring(slash + 1));
            assertThat(Hex.of(DeviceKey.derive(MASTER_KEY, id, generation))).isEqualTo(key);
          }
        });
    assertThat(KEYS).hasSizeGreaterThan(4);
  }

  @ParameterizedTest
  @MethodSource("messages")
  void vectorsAreWhatTheCodecWrites(Map<String, String> vector) {
    Datagram message = message(vector);
    byte[] written =
        security(vector).protectsDatagrams()
            ? message.encode(deviceKey(vector))
            : message.encodeUnprotected();
    byte[] bytes = vector.containsKey("fingerprint") ? Samples.withFingerprint(written) : written;

    assertThat(Hex.of(bytes)).isEqualTo(value(vector, "bytes"));
  }

  @ParameterizedTest
  @MethodSource("messages")
  void vectorsReadAsWritten(Map<String, String> vector) throws MalformedDatagramException {
    byte[] bytes = Hex.bytes(value(vector, "bytes"));

    assertThat(Datagram.decode(bytes, bytes.length, security(vector)))
        .usingRecursiveComparison()
        .isEqualTo(message(vector));
    assertThat(Datagram.isAuthentic(bytes, bytes.length, deviceKey(vector)))
        .isEqualTo(security(vector).protectsDatagrams());
  }

  @Test
  void everyKindOfMessageHasAVector() {
    assertThat(messages().map(named -> message(named.getPayload()).getClass().getSimpleName()))
        .contains("Keepalive", "KeepaliveAnswer", "Wake", "WakeAnswer");
  }

  @Test
  void messageTypesAreTheDocumented() {
    Map<String, String> documented = new TreeMap<>();
    DOCUMENT.table("message").forEach(row -> documented.put(row.get(0), row.get(1)));
    Map<String, String> coded = new TreeMap<>();
    for (DatagramType type : DatagramType.values()) {
      if (type != DatagramType.PLAIN_BINDING_REQUEST) {
        String name = type.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
        coded.put(name.replace("one way", "one-way"), "0x%04X".formatted(type.code()));
      }
    }

    assertThat(documented).isEqualTo(coded);
  }

  @Test
  void attributesAreTheDocumented() throws IllegalAccessException {
    Map<String, String> documented = new TreeMap<>();
    for (List<String> row : DOCUMENT.table("attribute")) {
      documented.put(row.get(0).replace('-', '_'), row.get(1));
    }
    Map<String, String> coded = new TreeMap<>();
    for (Field field : Attribute.class.getDeclaredFields()) {
      if (field.getType() == int.class && !field.getName().endsWith("_LENGTH")) {
        coded.put(field.getName(), "0x%04X".formatted(field.getInt(null)));
      }
    }
    coded.remove("MESSAGE_INTEGRITY"); // known only to be refused

    assertThat(documented).isEqualTo(coded);
  }

  @Test
  void attributeLengthsAreTheDocumented() throws IllegalAccessException, NoSuchFieldException {
    for (List<String> row : DOCUMENT.table("attribute")) {
      if (row.get(2).matches("\\d+")) {
        String name = row.get(0).replace("MESSAGE-INTEGRITY-SHA256", "INTEGRITY");
        Field length = Attribute.class.getDeclaredField(name.replace('-', '_') + "_LENGTH");
        assertThat(length.getInt(null)).as(name).isEqualTo(Integer.parseInt(row.get(2)));
      }
    }
  }

  @Test
  void flagsAreTheDocumented() {
    assertThat(DOCUMENT.table("flag of STATUS").stream().map(row -> row.subList(0, 2)))
        .containsExactly(
            List.of("stale", String.valueOf(DatagramWriter.FLAG_STALE)),
            List.of("unproven", String.valueOf(DatagramWriter.FLAG_UNPROVEN)));
  }

  @Test
  void reasonsForDroppingAreTheDocumented() {
    assertThat(DOCUMENT.table("reason").stream().map(row -> row.get(0)))
        .containsExactlyElementsOf(Arrays.stream(Malformation.values()).map(Enum::name).toList());
  }

  private static Datagram message(Map<String, String> vector) {
    byte[] transactionId = Hex.bytes(value(vector, "transaction-id"));
    DeviceId deviceId = new DeviceId(value(vector, "device-id"));
    int generation = (int) number(vector, "generation");
    return switch (value(vector, "message")) {
      case "keepalive" ->
          new Keepalive(
              transactionId,
              deviceId,
              (int) number(vector, "key-id"),
              new Interval((int) number(vector, "interval")),
              generation,
              number(vector, "sequence"),
              hexNumber(vector, "path-token"),
              Boolean.parseBoolean(value(vector, "one-way")));
      case "keepalive-answer" -> {
        boolean stale = Boolean.parseBoolean(value(vector, "stale"));
        yield new KeepaliveAnswer(
            transactionId,
            new InetSocketAddress(
                address(value(vector, "mapped-address")), (int) number(vector, "mapped-port")),
            stale,
            Boolean.parseBoolean(value(vector, "unproven")),
            number(vector, "server-time"),
            number(vector, "directory-version"),
            stale ? 0 : hexNumber(vector, "path-token"),
            stale ? number(vector, "last-sequence") : 0);
      }
      case "wake" ->
          new Wake(
              transactionId,
              deviceId,
              (int) number(vector, "key-id"),
              generation,
              hexNumber(vector, "wake-id"),
              number(vector, "deadline"),
              (int) number(vector, "server-number"),
              number(vector, "dial-back-delay"),
              number(vector, "sequence"));
      case "wake-answer" -> new WakeAnswer(transactionId, hexNumber(vector, "wake-id"));
      default -> throw new AssertionError("message: " + value(vector, "message"));
    };
  }

  private static Security security(Map<String, String> vector) {
    return Security.parse(vector.getOrDefault("security", "mutual"));
  }

  private static byte[] deviceKey(Map<String, String> vector) {
    return DeviceKey.derive(
        MASTER_KEY, new DeviceId(value(vector, "device-id")), (int) number(vector, "generation"));
  }

  private static long number(Map<String, String> vector, String name) {
    return Long.parseLong(value(vector, name));
  }

  private static long hexNumber(Map<String, String> vector, String name) {
    return Long.parseUnsignedLong(value(vector, name), 16);
  }

  private static String value(Map<String, String> vector, String name) {
    String value = vector.get(name);
    assertThat(value).as("%s of %s", name, vector.get("vector")).isNotNull();
    return java.util.Objects.requireNonNull(value);
  }

  private static InetAddress address(String text) {
    try {
      return InetAddress.getByName(text);
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }
}
