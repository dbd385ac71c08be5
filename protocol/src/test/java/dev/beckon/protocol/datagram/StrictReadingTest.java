package dev.beckon.protocol.datagram;

import static dev.beckon.protocol.datagram.Malformation.AFTER_INTEGRITY;
import static dev.beckon.protocol.datagram.Malformation.ATTRIBUTE_LENGTH;
import static dev.beckon.protocol.datagram.Malformation.BAD_DEVICE_ID;
import static dev.beckon.protocol.datagram.Malformation.BAD_FINGERPRINT;
import static dev.beckon.protocol.datagram.Malformation.BAD_VALUE;
import static dev.beckon.protocol.datagram.Malformation.DUPLICATE_ATTRIBUTE;
import static dev.beckon.protocol.datagram.Malformation.INTEGRITY_MISSING;
import static dev.beckon.protocol.datagram.Malformation.LENGTH_MISMATCH;
import static dev.beckon.protocol.datagram.Malformation.MISSING_ATTRIBUTE;
import static dev.beckon.protocol.datagram.Malformation.NOT_STUN;
import static dev.beckon.protocol.datagram.Malformation.SHA1_INTEGRITY;
import static dev.beckon.protocol.datagram.Malformation.TOO_LONG;
import static dev.beckon.protocol.datagram.Malformation.TOO_SHORT;
import static dev.beckon.protocol.datagram.Malformation.UNKNOWN_REQUIRED_ATTRIBUTE;
import static dev.beckon.protocol.datagram.Malformation.UNKNOWN_TYPE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Everything here is rightly signed: only its form is refused. */
class StrictReadingTest {
  private static final byte[] KEY = Hex.bytes("3a".repeat(32));
  private static final Random RANDOM = new Random(11);

  private static final byte[] KEEPALIVE =
      new Keepalive(
              Samples.bytes(RANDOM, 12),
              new DeviceId("kitchen"),
              1,
              new Interval(25),
              1,
              7,
              9,
              false)
          .encode(KEY);
  private static final byte[] WAKE =
      new Wake(Samples.bytes(RANDOM, 12), new DeviceId("kitchen"), 1, 1, 5, 6, 0, 0, 7).encode(KEY);

  static Stream<byte[]> oneOfEachKind() {
    return Samples.MAKERS.stream().map(maker -> maker.apply(RANDOM).encode(KEY));
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void everyAttributeMayStandOnlyOnce(byte[] bytes) {
    for (int type : RawDatagram.of(bytes).types()) {
      if (type != Attribute.MESSAGE_INTEGRITY_SHA256) {
        RawDatagram raw = RawDatagram.of(bytes);
        assertRefused(raw.addFirst(type, raw.value(type)).sign(KEY), DUPLICATE_ATTRIBUTE);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void everyAttributeButTheFillerMustBeThere(byte[] bytes) {
    List<Integer> types = RawDatagram.of(bytes).types();
    for (int type : types) {
      if (type == Attribute.FILLER || type == Attribute.MESSAGE_INTEGRITY_SHA256) {
        continue;
      }
      RawDatagram raw = RawDatagram.of(bytes).remove(type);
      if (types.contains(Attribute.PATH_TOKEN) && types.contains(Attribute.KEY)) {
        raw.add(0xC7FF, new byte[64]); // so that a keepalive is not too short as well
      }
      assertRefused(raw.sign(KEY), MISSING_ATTRIBUTE);
    }
    assertRefused(
        RawDatagram.of(bytes).remove(Attribute.MESSAGE_INTEGRITY_SHA256), INTEGRITY_MISSING);
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void everyFixedLengthIsChecked(byte[] bytes) {
    for (int type : RawDatagram.of(bytes).types()) {
      if (type == Attribute.USERNAME || type == Attribute.FILLER) {
        continue;
      }
      int right = RawDatagram.of(bytes).value(type).length;
      for (int wrong = 0; wrong <= 40; wrong++) {
        if (wrong != right) {
          byte[] value = java.util.Arrays.copyOf(RawDatagram.of(bytes).value(type), wrong);
          assertRefused(RawDatagram.of(bytes).replace(type, value), ATTRIBUTE_LENGTH);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void onlyFingerprintMayFollowTheIntegrity(byte[] bytes) {
    for (int type : new int[] {Attribute.KEY, Attribute.MESSAGE_INTEGRITY, 0xC7FF, 0x7FFF}) {
      assertRefused(RawDatagram.of(bytes).add(type, new byte[4]), AFTER_INTEGRITY);
    }
    byte[] integrity = RawDatagram.of(bytes).value(Attribute.MESSAGE_INTEGRITY_SHA256);
    assertRefused(
        RawDatagram.of(bytes).add(Attribute.MESSAGE_INTEGRITY_SHA256, integrity), AFTER_INTEGRITY);
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void nothingMayFollowTheFingerprint(byte[] bytes) {
    byte[] longer = RawDatagram.of(bytes).add(0xC7FF, new byte[4]).bytes();
    RawDatagram raw = RawDatagram.of(bytes);
    // The checksum is right for the datagram with what follows.
    byte[] value = new byte[4];
    raw.add(Attribute.FINGERPRINT, value).add(0xC7FF, new byte[4]);
    byte[] whole = raw.bytes();
    java.util.zip.CRC32 crc = new java.util.zip.CRC32();
    crc.update(whole, 0, bytes.length);
    Bytes.put32(value, 0, (int) crc.getValue() ^ 0x5354554E);

    assertRefused(raw, AFTER_INTEGRITY);
    assertThat(longer).hasSizeLessThan(whole.length);
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void aWrongFingerprintIsRefusedAlthoughTheIntegrityIsRight(byte[] bytes) {
    RawDatagram raw = RawDatagram.of(Samples.withFingerprint(bytes));
    raw.value(Attribute.FINGERPRINT)[3] ^= 1;

    assertRefused(raw, BAD_FINGERPRINT);
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void sha1IntegrityIsNeverAccepted(byte[] bytes) {
    assertRefused(
        RawDatagram.of(bytes).addFirst(Attribute.MESSAGE_INTEGRITY, new byte[20]).sign(KEY),
        SHA1_INTEGRITY);
    RawDatagram alone = RawDatagram.of(bytes).remove(Attribute.MESSAGE_INTEGRITY_SHA256);
    assertRefused(alone.add(Attribute.MESSAGE_INTEGRITY, new byte[20]), SHA1_INTEGRITY);
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void unknownAttributesAreRefusedIfRequiredAndSkippedIfOptional(byte[] bytes)
      throws MalformedDatagramException {
    for (int type : new int[] {0x0003, 0x0024, 0x7FFF}) {
      assertRefused(
          RawDatagram.of(bytes).addFirst(type, new byte[3]).sign(KEY), UNKNOWN_REQUIRED_ATTRIBUTE);
    }
    for (int type : new int[] {0x8022, 0xC000, 0xFFFF}) {
      byte[] extended = RawDatagram.of(bytes).addFirst(type, new byte[3]).sign(KEY).bytes();

      assertThat(Datagram.decode(extended, extended.length).encode(KEY)).isEqualTo(bytes);
      assertThat(Datagram.isAuthentic(extended, extended.length, KEY)).isTrue();
    }
  }

  @ParameterizedTest
  @MethodSource("oneOfEachKind")
  void framingIsRefusedBeforeAnythingElse(byte[] bytes) {
    byte[] topBit = bytes.clone();
    topBit[0] |= (byte) 0x80;
    assertRefused(topBit, topBit.length, NOT_STUN);
    byte[] cookie = bytes.clone();
    cookie[7] ^= 1;
    assertRefused(cookie, cookie.length, NOT_STUN);
    assertRefused(bytes, bytes.length - 1, NOT_STUN);
    assertRefused(bytes, bytes.length - 4, LENGTH_MISMATCH);
    assertRefused(bytes, 19, TOO_SHORT);
    assertRefused(RawDatagram.of(bytes).add(0xC7FF, new byte[600]), TOO_LONG);
  }

  /** Error responses (0x0111, 0x037E) are never believed, so never read. */
  @ParameterizedTest
  @ValueSource(ints = {0x0000, 0x0111, 0x027E, 0x037E, 0x0003, 0x0103, 0x3FFF})
  void typesOfNoOwnMessageAreRefused(int type) {
    assertRefused(RawDatagram.of(WAKE).type(type).sign(KEY), UNKNOWN_TYPE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "küche", "a\u0000", "a/b"})
  void aUsernameMustBeADeviceId(String username) {
    byte[] value = username.getBytes(StandardCharsets.UTF_8);

    assertRefused(RawDatagram.of(WAKE).replace(Attribute.USERNAME, value).sign(KEY), BAD_DEVICE_ID);
  }

  @Test
  void aUsernameOf65BytesIsNoDeviceId() {
    byte[] value = "x".repeat(65).getBytes(StandardCharsets.US_ASCII);

    assertRefused(RawDatagram.of(WAKE).replace(Attribute.USERNAME, value).sign(KEY), BAD_DEVICE_ID);
  }

  @Test
  void aKeepaliveMustSayItsInterval() {
    assertRefused(
        RawDatagram.of(KEEPALIVE).replace(Attribute.KEY, new byte[] {1, 0, 0, 1}).sign(KEY),
        BAD_VALUE);
  }

  @Test
  void aKeepaliveRequestUnder92BytesIsRefused() {
    RawDatagram short88 = RawDatagram.of(KEEPALIVE).replace(Attribute.FILLER, new byte[0]);
    byte[] bytes = short88.sign(KEY).bytes();

    assertThat(bytes).hasSizeLessThan(92);
    assertRefused(bytes, bytes.length, TOO_SHORT);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 0xFF})
  void anUnknownAddressFamilyIsRefused(int family) {
    byte[] answer = Samples.answer(RANDOM, 4, false).encode(KEY);
    byte[] value = RawDatagram.of(answer).value(Attribute.XOR_MAPPED_ADDRESS);
    value[1] = (byte) family;

    assertRefused(
        RawDatagram.of(answer).replace(Attribute.XOR_MAPPED_ADDRESS, value).sign(KEY),
        ATTRIBUTE_LENGTH);
  }

  /** What a later version may use is sent as zero and ignored. */
  @Test
  void reservedBitsAreIgnored() throws MalformedDatagramException {
    byte[] key = RawDatagram.of(WAKE).value(Attribute.KEY);
    key[1] = (byte) 0xFF;
    byte[] wake = RawDatagram.of(WAKE).replace(Attribute.KEY, key).sign(KEY).bytes();
    assertThat(Datagram.decode(wake, wake.length).encode(KEY)).isEqualTo(WAKE);

    byte[] answer = Samples.answer(RANDOM, 4, false).encode(KEY);
    byte[] status = RawDatagram.of(answer).value(Attribute.STATUS);
    status[0] = (byte) 0xFF;
    status[1] |= (byte) 0xFC;
    byte[] flagged = RawDatagram.of(answer).replace(Attribute.STATUS, status).sign(KEY).bytes();
    assertThat(Datagram.decode(flagged, flagged.length).encode(KEY)).isEqualTo(answer);
  }

  @Test
  void attributesMayStandInAnyOrderBeforeTheIntegrity() throws MalformedDatagramException {
    RawDatagram raw = RawDatagram.of(WAKE);
    byte[] username = raw.value(Attribute.USERNAME);
    byte[] bytes =
        raw.remove(Attribute.USERNAME).add(Attribute.USERNAME, username).sign(KEY).bytes();

    assertThat(Datagram.decode(bytes, bytes.length).encode(KEY)).isEqualTo(WAKE);
    assertThat(Datagram.isAuthentic(bytes, bytes.length, KEY)).isTrue();
  }

  private static void assertRefused(RawDatagram raw, Malformation reason) {
    byte[] bytes = raw.bytes();
    assertRefused(bytes, bytes.length, reason);
  }

  private static void assertRefused(byte[] bytes, int length, Malformation reason) {
    assertThatThrownBy(() -> Datagram.decode(bytes, length))
        .isInstanceOfSatisfying(
            MalformedDatagramException.class,
            e -> {
              assertThat(e.reason()).isEqualTo(reason);
              assertThat(e.getStackTrace()).isEmpty();
            });
    assertThat(Datagram.isAuthentic(bytes, length, KEY)).isFalse();
  }
}
