package dev.beckon.protocol.datagram;

import java.net.InetSocketAddress;

/**
 * The server's answer to a keepalive.
 *
 * <pre>
 *   Binding success response 0x0101
 *   XOR-MAPPED-ADDRESS  the source address and port that the server saw
 *   STATUS              flags 2 (1 stale, 2 unproven), server time 6, directory version 4
 *   PATH-TOKEN          8 bytes; in a stale answer SEQUENCE instead: the last one that counted
 *   MESSAGE-INTEGRITY-SHA256, 16 bytes
 * </pre>
 *
 * @param stale whether the keepalive's sequence was older than {@code lastSequence}
 * @param unproven whether the address counts only once the path token was echoed from it
 * @param serverTimeMillis unix time, below 2^48
 * @param directoryVersion below 2^32; 0 means that the server has no directory
 * @param pathToken to be echoed in the next keepalive; 0 in a stale answer
 * @param lastSequence below 2^48; 0 unless stale
 */
@SuppressWarnings("ArrayRecordComponent") // a message is handled once, never compared
public record KeepaliveAnswer(
    byte[] transactionId,
    InetSocketAddress mappedAddress,
    boolean stale,
    boolean unproven,
    long serverTimeMillis,
    long directoryVersion,
    long pathToken,
    long lastSequence)
    implements Datagram {

  public KeepaliveAnswer {
    Records.checkTransactionId(transactionId);
    Records.checkBits("server time", serverTimeMillis, 48);
    Records.checkBits("directory version", directoryVersion, 32);
    Records.checkBits("last sequence", lastSequence, 48);
    if (stale ? pathToken != 0 : lastSequence != 0) {
      throw new IllegalArgumentException(
          "stale: "
              + stale
              + " (expected a last sequence and no path token in a stale answer, else the"
              + " reverse)");
    }
  }

  static KeepaliveAnswer from(DatagramReader reader) {
    boolean stale = reader.isStale();
    return new KeepaliveAnswer(
        Records.transactionId(reader),
        new InetSocketAddress(
            AddressBits.toAddress(reader.mappedAddressHigh(), reader.mappedAddressLow()),
            reader.mappedPort()),
        stale,
        reader.isUnproven(),
        reader.serverTimeMillis(),
        reader.directoryVersion(),
        stale ? 0 : reader.pathToken(),
        stale ? reader.sequence() : 0);
  }

  @Override
  public void write(DatagramWriter writer, boolean integrityFollows) {
    int flags =
        (stale ? DatagramWriter.FLAG_STALE : 0) | (unproven ? DatagramWriter.FLAG_UNPROVEN : 0);
    writer
        .begin(DatagramType.KEEPALIVE_ANSWER, transactionId, 0)
        .mappedAddress(
            AddressBits.high(mappedAddress.getAddress()),
            AddressBits.low(mappedAddress.getAddress()),
            mappedAddress.getPort())
        .status(flags, serverTimeMillis, directoryVersion);
    if (stale) {
      writer.sequence(lastSequence);
    } else {
      writer.pathToken(pathToken);
    }
  }
}
