package dev.beckon.protocol.datagram;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * An IP address as two longs: IPv6 as it is, IPv4 as its IPv4-mapped IPv6 address (RFC 4291,
 * section 2.5.5.2). So one row layout and one code path hold both, without objects.
 */
public final class AddressBits {
  private static final long IPV4_PREFIX = 0xFFFF_0000_0000L;

  private AddressBits() {}

  public static long high(InetAddress address) {
    return address instanceof Inet4Address ? 0 : Bytes.i64(address.getAddress(), 0);
  }

  /** The low half of an IPv4 address; its high half is 0. */
  public static long ipv4(int address) {
    return IPV4_PREFIX | (address & 0xFFFF_FFFFL);
  }

  public static long low(InetAddress address) {
    byte[] bytes = address.getAddress();
    return bytes.length == 4 ? IPV4_PREFIX | Bytes.u32(bytes, 0) : Bytes.i64(bytes, 8);
  }

  public static boolean isIpv4(long high, long low) {
    return high == 0 && (low & 0xFFFF_FFFF_0000_0000L) == IPV4_PREFIX;
  }

  public static InetAddress toAddress(long high, long low) {
    byte[] bytes;
    if (isIpv4(high, low)) {
      bytes = new byte[4];
      Bytes.put32(bytes, 0, (int) low);
    } else {
      bytes = new byte[16];
      Bytes.put64(bytes, 0, high);
      Bytes.put64(bytes, 8, low);
    }
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new AssertionError("4 and 16 bytes are always an address", e);
    }
  }
}
