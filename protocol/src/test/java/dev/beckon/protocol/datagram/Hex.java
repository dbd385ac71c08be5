package dev.beckon.protocol.datagram;

import java.util.HexFormat;

/** Bytes as RFCs print them: pairs of hex digits, with white space wherever it helps to read. */
final class Hex {
  private Hex() {}

  static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replaceAll("\\s", ""));
  }

  static String of(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
