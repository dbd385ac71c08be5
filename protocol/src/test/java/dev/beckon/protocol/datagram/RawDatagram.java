package dev.beckon.protocol.datagram;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A STUN message taken apart, to be put together wrongly: attributes are only types and bytes here.
 * Shares no code with the codec that it tests, and signs with the JDK's own Mac.
 */
final class RawDatagram {
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record RawAttribute(int type, byte[] value) {}

  private int type;
  private final byte[] transactionId;
  private final List<RawAttribute> attributes = new ArrayList<>();

  private RawDatagram(int type, byte[] transactionId) {
    this.type = type;
    this.transactionId = transactionId;
  }

  static RawDatagram of(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    RawDatagram raw = new RawDatagram(buffer.getShort(0), Arrays.copyOfRange(bytes, 8, 20));
    buffer.position(20);
    while (buffer.hasRemaining()) {
      int attributeType = buffer.getShort() & 0xFFFF;
      byte[] value = new byte[buffer.getShort()];
      buffer.get(value);
      buffer.position((buffer.position() + 3) & ~3);
      raw.add(attributeType, value);
    }
    return raw;
  }

  RawDatagram type(int messageType) {
    type = messageType;
    return this;
  }

  RawDatagram add(int attributeType, byte[] value) {
    attributes.add(new RawAttribute(attributeType, value));
    return this;
  }

  RawDatagram addFirst(int attributeType, byte[] value) {
    attributes.add(0, new RawAttribute(attributeType, value));
    return this;
  }

  RawDatagram remove(int attributeType) {
    attributes.removeIf(attribute -> attribute.type == attributeType);
    return this;
  }

  RawDatagram replace(int attributeType, byte[] value) {
    attributes.replaceAll(a -> a.type == attributeType ? new RawAttribute(a.type, value) : a);
    return this;
  }

  byte[] value(int attributeType) {
    return attributes.stream()
        .filter(attribute -> attribute.type == attributeType)
        .findFirst()
        .orElseThrow()
        .value;
  }

  List<Integer> types() {
    return attributes.stream().map(RawAttribute::type).toList();
  }

  /** Puts a right integrity at the end, so that only what a test did to the rest can be wrong. */
  RawDatagram sign(byte[] key) {
    remove(Attribute.MESSAGE_INTEGRITY_SHA256);
    add(Attribute.MESSAGE_INTEGRITY_SHA256, new byte[16]);
    byte[] whole = bytes();
    byte[] covered = Arrays.copyOf(whole, whole.length - 20);
    replace(Attribute.MESSAGE_INTEGRITY_SHA256, Arrays.copyOf(mac(key, covered), 16));
    return this;
  }

  byte[] bytes() {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (RawAttribute attribute : attributes) {
      int length = attribute.value.length;
      body.writeBytes(
          ByteBuffer.allocate(4 + ((length + 3) & ~3))
              .putShort((short) attribute.type)
              .putShort((short) length)
              .put(attribute.value)
              .array());
    }
    return ByteBuffer.allocate(20 + body.size())
        .putShort((short) type)
        .putShort((short) body.size())
        .putInt(0x2112A442)
        .put(transactionId)
        .put(body.toByteArray())
        .array();
  }

  static byte[] mac(byte[] key, byte[] message) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(message);
    } catch (java.security.GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }
}
