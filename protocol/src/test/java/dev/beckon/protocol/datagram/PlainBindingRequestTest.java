package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/** What an ordinary STUN client sends and gets when the public mode is on. */
class PlainBindingRequestTest {
  private static final String TRANSACTION_ID = "0102030405060708090a0b0c";
  private final DatagramReader reader = new DatagramReader();
  private final DatagramWriter writer = new DatagramWriter();

  @Test
  void isNoMessageOfADevice() {
    byte[] request = request("");

    assertThat(reader.read(request, request.length)).isNull();
    assertThat(reader.type()).isEqualTo(DatagramType.PLAIN_BINDING_REQUEST);
    assertThat(reader.unknownRequiredAttribute()).isEqualTo(-1);
    assertThat(reader.isAuthentic(new HmacSha256(), new byte[32])).isFalse();
    assertThatThrownBy(() -> Datagram.decode(request, request.length))
        .isInstanceOfSatisfying(
            MalformedDatagramException.class,
            e -> assertThat(e.reason()).isEqualTo(Malformation.MISSING_ATTRIBUTE));
  }

  @Test
  void mayCarryWhatADeviceMayNot() {
    byte[] request = request("0006 0003 ffffff00" + "0008 0014" + "00".repeat(20) + "8022 0000");

    assertThat(reader.read(request, request.length)).isNull();
    assertThat(reader.type()).isEqualTo(DatagramType.PLAIN_BINDING_REQUEST);
  }

  @Test
  void isRefusedWithAWrongFingerprint() {
    byte[] request = request("8028 0004 00000000");

    assertThat(reader.read(request, request.length)).isEqualTo(Malformation.BAD_FINGERPRINT);
  }

  @Test
  void isAnsweredWithAddressAndFingerprint() {
    byte[] request = request("");
    reader.read(request, request.length);
    InetAddress from = Samples.address(new byte[] {(byte) 192, 0, 2, 1});

    int length =
        writer
            .begin(DatagramType.KEEPALIVE_ANSWER, reader.bytes(), reader.transactionIdOffset())
            .mappedAddress(AddressBits.high(from), AddressBits.low(from), 32853)
            .finishPlain();

    byte[] answer = Arrays.copyOf(writer.bytes(), length);
    assertThat(Hex.of(answer))
        .startsWith("0101 0014 2112a442".replace(" ", "") + TRANSACTION_ID)
        .contains("002000080001a147e112a643");
    assertFingerprint(answer);
  }

  @Test
  void isAnswered420ForAnUnknownRequiredAttribute() {
    byte[] request = request("0003 0004 00000006" + "0024 0004 00000000");
    reader.read(request, request.length);

    byte[] answer = Arrays.copyOf(writer.bytes(), writer.unknownAttributeError(reader));

    assertThat(Hex.of(answer))
        .startsWith("0111001821 12a442".replace(" ", "") + TRANSACTION_ID)
        .contains("0009000400000414" + "000a000200030000");
    assertFingerprint(answer);
  }

  private static void assertFingerprint(byte[] bytes) {
    CRC32 crc = new CRC32();
    crc.update(bytes, 0, bytes.length - 8);
    assertThat(Hex.of(Arrays.copyOfRange(bytes, bytes.length - 8, bytes.length)))
        .isEqualTo("80280004" + "%08x".formatted((int) crc.getValue() ^ 0x5354554E));
  }

  private static byte[] request(String attributes) {
    byte[] body = Hex.bytes(attributes);
    return Hex.bytes(
        "0001" + "%04x".formatted(body.length) + "2112a442" + TRANSACTION_ID + Hex.of(body));
  }
}
