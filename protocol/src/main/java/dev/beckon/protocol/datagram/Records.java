package dev.beckon.protocol.datagram;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What the records share: the step between the reused reader and writer and immutable messages. */
final class Records {
  private Records() {}

  static byte[] transactionId(DatagramReader reader) {
    int at = reader.transactionIdOffset();
    return Arrays.copyOfRange(reader.bytes(), at, at + DatagramReader.TRANSACTION_ID_BYTES);
  }

  static DeviceId deviceId(DatagramReader reader) {
    return new DeviceId(
        new String(
            reader.bytes(),
            reader.deviceIdOffset(),
            reader.deviceIdLength(),
            StandardCharsets.US_ASCII));
  }

  static void checkTransactionId(byte[] transactionId) {
    if (transactionId.length != DatagramReader.TRANSACTION_ID_BYTES) {
      throw new IllegalArgumentException(
          "transaction ID: " + transactionId.length + " bytes (expected 12)");
    }
  }

  /** Checks that {@code value} fits {@code bits} bits as an unsigned number. */
  static void checkBits(String name, long value, int bits) {
    if (value < 0 || value >>> bits != 0) {
      throw new IllegalArgumentException(
          name + ": " + value + " (expected 0 to 2^" + bits + " - 1)");
    }
  }
}
