package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RoundTripTest {
  private static final byte[] KEY = Hex.bytes("5c".repeat(32));

  @Test
  void everyMessageComesBackAsItWas() throws MalformedDatagramException {
    Random random = RandomSource.of("round trips");
    for (int round = 0; round < 20_000; round++) {
      Datagram datagram = Samples.MAKERS.get(round % Samples.MAKERS.size()).apply(random);
      byte[] bytes = datagram.encode(KEY);

      assertThat(Datagram.decode(bytes, bytes.length))
          .as("round %s", round)
          .usingRecursiveComparison()
          .isEqualTo(datagram);
      assertThat(Datagram.isAuthentic(bytes, bytes.length, KEY)).isTrue();
      assertThat(Datagram.decode(bytes, bytes.length).encode(KEY)).isEqualTo(bytes);
    }
  }

  @Test
  void readsADatagramThatDoesNotFillItsArray() throws MalformedDatagramException {
    Random random = new Random(3);
    Wake wake = Samples.wake(random);
    byte[] bytes = wake.encode(KEY);
    byte[] larger = Samples.bytes(random, 1500);
    System.arraycopy(bytes, 0, larger, 0, bytes.length);

    assertThat(Datagram.decode(larger, bytes.length)).usingRecursiveComparison().isEqualTo(wake);
  }

  @Test
  void aReaderForgetsTheDatagramBefore() throws MalformedDatagramException {
    DatagramReader reader = new DatagramReader();
    byte[] wake = Samples.wake(new Random(4)).encode(KEY);
    byte[] answer = new WakeAnswer(new byte[12], 99).encode(KEY);

    assertThat(reader.read(wake, wake.length)).isNull();
    assertThat(reader.read(answer, answer.length)).isNull();
    assertThat(reader.type()).isEqualTo(DatagramType.WAKE_ANSWER);
    assertThat(reader.wakeId()).isEqualTo(99);

    assertThat(reader.read(new byte[3], 3)).isEqualTo(Malformation.TOO_SHORT);
    assertThatThrownBy(reader::type).isInstanceOf(IllegalStateException.class);
    assertThat(reader.isAuthentic(new HmacSha256(), KEY)).isFalse();
  }

  @Test
  void aWriterForgetsTheDatagramBefore() {
    DatagramWriter writer = new DatagramWriter();
    HmacSha256 hmac = new HmacSha256();
    byte[] ones = Hex.bytes("ff".repeat(64));
    writer.begin(DatagramType.WAKE, ones, 0).deviceId(ones, 0, 64).finish(hmac, KEY);
    Keepalive keepalive =
        new Keepalive(new byte[12], new DeviceId("a"), 1, new Interval(25), 1, 2, 0, false);

    int length =
        writer
            .begin(DatagramType.KEEPALIVE, new byte[12], 0)
            .deviceId(new byte[] {'a'}, 0, 1)
            .key(1, 25, 1)
            .sequence(2)
            .pathToken(0)
            .fillTo(DatagramReader.MIN_KEEPALIVE_BYTES, true)
            .finish(hmac, KEY);

    assertThat(java.util.Arrays.copyOf(writer.bytes(), length)).isEqualTo(keepalive.encode(KEY));
  }

  @Test
  void anIpv4MappedAddressIsThatIpv4Address() {
    InetAddress ipv4 = Samples.address(new byte[] {(byte) 203, 0, 113, 7});
    byte[] mapped = Hex.bytes("00000000 00000000 0000ffff cb007107");

    assertThat(AddressBits.high(ipv4)).isEqualTo(Bytes.i64(mapped, 0));
    assertThat(AddressBits.low(ipv4)).isEqualTo(Bytes.i64(mapped, 8));
    assertThat(AddressBits.isIpv4(AddressBits.high(ipv4), AddressBits.low(ipv4))).isTrue();
    assertThat(AddressBits.toAddress(AddressBits.high(ipv4), AddressBits.low(ipv4)))
        .isInstanceOf(Inet4Address.class)
        .isEqualTo(ipv4);
  }

  /** A dual-stack server may see, and another implementation may send, an IPv4-mapped address. */
  @Test
  void anIpv4MappedAddressInAnAnswerReadsAsIpv4() throws MalformedDatagramException {
    KeepaliveAnswer answer = Samples.answer(new Random(5), 4, false);
    byte[] transactionId = answer.transactionId();
    byte[] mapped =
        Hex.bytes(
            "0002"
                + "%04x".formatted(answer.mappedAddress().getPort() ^ 0x2112)
                + "00000000000000000000ffff"
                + Hex.of(answer.mappedAddress().getAddress().getAddress()));
    byte[] mask = Hex.bytes("00000000" + "2112a442" + Hex.of(transactionId));
    for (int i = 4; i < mapped.length; i++) {
      mapped[i] ^= mask[i];
    }
    byte[] bytes =
        RawDatagram.of(answer.encode(KEY))
            .replace(Attribute.XOR_MAPPED_ADDRESS, mapped)
            .sign(KEY)
            .bytes();

    assertThat(bytes).hasSize(92);
    assertThat(Datagram.isAuthentic(bytes, bytes.length, KEY)).isTrue();
    assertThat(Datagram.decode(bytes, bytes.length)).usingRecursiveComparison().isEqualTo(answer);
  }

  @Test
  void everyIpv6AddressButTheMappedOnesStaysIpv6() {
    for (String hex :
        new String[] {
          "00000000000000000000000000000000",
          "00000000000000000000000000000001",
          "00000000000000000000fffecb007107",
          "0000000000000001 0000ffffcb007107",
          "20010db8000000000000ffffcb007107",
          "ffffffffffffffffffffffffffffffff"
        }) {
      InetAddress address = Samples.address(Hex.bytes(hex));

      assertThat(AddressBits.isIpv4(AddressBits.high(address), AddressBits.low(address))).isFalse();
      assertThat(AddressBits.toAddress(AddressBits.high(address), AddressBits.low(address)))
          .isEqualTo(address);
    }
  }

  @Test
  void refusesToBuildWhatDoesNotFit() {
    DeviceId id = new DeviceId("a");
    Interval interval = new Interval(25);
    byte[] tid = new byte[12];
    InetSocketAddress from = new InetSocketAddress(Samples.address(new byte[4]), 1);

    assertRefused(
        () -> new Keepalive(new byte[11], id, 0, interval, 0, 0, 0, false),
        "transaction ID: 11 bytes (expected 12)");
    assertRefused(
        () -> new Keepalive(tid, id, 256, interval, 0, 0, 0, false),
        "key ID: 256 (expected 0 to 2^8 - 1)");
    assertRefused(
        () -> new Keepalive(tid, id, 0, interval, -1, 0, 0, false),
        "generation: -1 (expected 0 to 2^16 - 1)");
    assertRefused(
        () -> new Keepalive(tid, id, 0, interval, 0, 1L << 48, 0, false),
        "sequence: 281474976710656 (expected 0 to 2^48 - 1)");
    assertRefused(
        () -> new Wake(tid, id, 0, 0, 0, 0, 65536, 0, 0),
        "server number: 65536 (expected 0 to 2^16 - 1)");
    assertRefused(
        () -> new KeepaliveAnswer(tid, from, false, false, 0, 1L << 32, 0, 0),
        "directory version: 4294967296 (expected 0 to 2^32 - 1)");
    assertRefused(
        () -> new KeepaliveAnswer(tid, from, true, false, 0, 0, 1, 2),
        "stale: true (expected a last sequence and no path token in a stale answer,"
            + " else the reverse)");
    assertRefused(
        () -> new KeepaliveAnswer(tid, from, false, false, 0, 0, 1, 2),
        "stale: false (expected a last sequence and no path token in a stale answer,"
            + " else the reverse)");
  }

  private static void assertRefused(Runnable building, String message) {
    assertThatThrownBy(building::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }
}
