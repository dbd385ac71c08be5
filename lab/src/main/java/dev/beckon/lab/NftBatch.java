package dev.beckon.lab;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/**
 * The messages that make a masquerading router, as the kernel's nf_tables reads them: what {@code
 * nft} would send for the rules in {@link LabScript}. Pure bytes; lengths and types are in the
 * machine's byte order, values in the network's.
 */
final class NftBatch {

  private static final String TABLE = "router";
  private static final int IPV4 = 2;

  // linux/netfilter/nfnetlink.h and nf_tables.h
  private static final int BATCH_BEGIN = 0x10;
  private static final int BATCH_END = 0x11;
  private static final int SUBSYSTEM = 10;
  private static final int NEW_TABLE = 0;
  private static final int NEW_CHAIN = 3;
  private static final int NEW_RULE = 6;
  private static final int NESTED = 0x8000;
  private static final int FULLY_RANDOM = 1 << 4;
  private static final int META_INPUT_INTERFACE = 6;
  private static final int META_OUTPUT_INTERFACE = 7;
  private static final int HOOK_INPUT = 1;
  private static final int HOOK_POSTROUTING = 4;
  private static final int PRIORITY_FILTER = 0;
  private static final int PRIORITY_SOURCE_NAT = 100;
  private static final int INTERFACE_NAME_BYTES = 16;

  // linux/netlink.h
  private static final int REQUEST = 0x1;
  private static final int ACKNOWLEDGE = 0x4;
  private static final int CREATE = 0x400;
  private static final int HEADER_BYTES = 20;

  private final ByteBuffer bytes = ByteBuffer.allocate(2048).order(ByteOrder.nativeOrder());
  private int sequence;

  private NftBatch() {}

  /** Masquerades what leaves by {@code wan}; drops what comes in there for the router itself. */
  static byte[] masquerade(boolean fullyRandom) {
    NftBatch batch = new NftBatch();
    batch.message(BATCH_BEGIN, 0, REQUEST, SUBSYSTEM, new byte[0]);
    batch.nft(NEW_TABLE, 0, text(1, TABLE));
    batch.nft(NEW_CHAIN, 0, chain("outward", "nat", HOOK_POSTROUTING, PRIORITY_SOURCE_NAT));
    batch.nft(
        NEW_RULE,
        0,
        rule("outward", META_OUTPUT_INTERFACE, expression("masq", flags(fullyRandom))));
    batch.nft(NEW_CHAIN, 0, chain("closed", "filter", HOOK_INPUT, PRIORITY_FILTER));
    batch.nft(NEW_RULE, ACKNOWLEDGE, rule("closed", META_INPUT_INTERFACE, drop()));
    batch.message(BATCH_END, 0, REQUEST, SUBSYSTEM, new byte[0]);
    byte[] result = new byte[batch.bytes.position()];
    batch.bytes.flip().get(result);
    return result;
  }

  private void nft(int type, int flags, byte[] attributes) {
    message(SUBSYSTEM << 8 | type, IPV4, REQUEST | CREATE | flags, 0, attributes);
  }

  private void message(int type, int family, int flags, int resource, byte[] attributes) {
    bytes.putInt(HEADER_BYTES + attributes.length);
    bytes.putShort((short) type).putShort((short) flags);
    bytes.putInt(sequence++).putInt(0);
    bytes.put((byte) family).put((byte) 0);
    bytes.put((byte) (resource >> 8)).put((byte) resource);
    bytes.put(attributes);
  }

  private static byte[] chain(String name, String type, int hook, int priority) {
    return join(
        text(1, TABLE),
        text(3, name),
        nested(4, number(1, hook), number(2, priority)),
        text(7, type));
  }

  /** A rule for packets of the outer interface. */
  private static byte[] rule(String chain, int interfaceKey, byte[] action) {
    byte[] name = new byte[INTERFACE_NAME_BYTES];
    System.arraycopy("wan".getBytes(StandardCharsets.US_ASCII), 0, name, 0, 3);
    return join(
        text(1, TABLE),
        text(2, chain),
        nested(
            4,
            expression("meta", number(2, interfaceKey), number(1, 1)),
            expression("cmp", number(1, 1), number(2, 0), nested(3, attribute(1, name))),
            action));
  }

  private static byte[] flags(boolean fullyRandom) {
    return fullyRandom ? number(1, FULLY_RANDOM) : new byte[0];
  }

  private static byte[] drop() {
    return expression("immediate", number(1, 0), nested(2, nested(2, number(1, 0))));
  }

  private static byte[] expression(String name, byte[]... attributes) {
    return nested(1, text(1, name), nested(2, attributes));
  }

  private static byte[] nested(int type, byte[]... attributes) {
    return attribute(type | NESTED, join(attributes));
  }

  private static byte[] text(int type, String value) {
    return attribute(type, (value + "\0").getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] number(int type, int value) {
    return attribute(type, ByteBuffer.allocate(4).putInt(value).array());
  }

  private static byte[] attribute(int type, byte[] value) {
    int padded = (value.length + 3) & ~3;
    return ByteBuffer.allocate(4 + padded)
        .order(ByteOrder.nativeOrder())
        .putShort((short) (4 + value.length))
        .putShort((short) type)
        .put(value)
        .array();
  }

  private static byte[] join(byte[]... parts) {
    List<byte[]> all = Stream.of(parts).toList();
    ByteBuffer joined = ByteBuffer.allocate(all.stream().mapToInt(p -> p.length).sum());
    all.forEach(joined::put);
    return joined.array();
  }
}
