package dev.beckon.protocol.datagram;

/**
 * A keepalive: refreshes the NAT's mapping and the server's binding.
 *
 * <pre>
 *   Binding request 0x0001, or indication 0x0011 if one-way
 *   USERNAME     device ID
 *   KEY          key ID 1, interval 1, generation 2
 *   SEQUENCE     48 bits, and 2 bytes of padding
 *   PATH-TOKEN   8 bytes
 *   FILLER       zeros up to 92 bytes in all; not in a one-way keepalive
 *   MESSAGE-INTEGRITY-SHA256, 16 bytes
 * </pre>
 *
 * @param transactionId 12 random bytes; a retransmission repeats them
 * @param keyId of the master key that the device key comes from, 0 to 255
 * @param generation of the device's identity, 0 to 65,535
 * @param sequence greater than in every earlier keepalive, below 2^48
 * @param pathToken the newest one from the server; 0 means none
 * @param oneWay whether no answer is wanted
 */
@SuppressWarnings("ArrayRecordComponent") // a message is handled once, never compared
public record Keepalive(
    byte[] transactionId,
    DeviceId deviceId,
    int keyId,
    Interval interval,
    int generation,
    long sequence,
    long pathToken,
    boolean oneWay)
    implements Datagram {

  public Keepalive {
    Records.checkTransactionId(transactionId);
    Records.checkBits("key ID", keyId, 8);
    Records.checkBits("generation", generation, 16);
    Records.checkBits("sequence", sequence, 48);
  }

  static Keepalive from(DatagramReader reader) {
    return new Keepalive(
        Records.transactionId(reader),
        Records.deviceId(reader),
        reader.keyId(),
        new Interval(reader.intervalCode()),
        reader.generation(),
        reader.sequence(),
        reader.pathToken(),
        reader.type() == DatagramType.ONE_WAY_KEEPALIVE);
  }

  @Override
  public void write(DatagramWriter writer, boolean integrityFollows) {
    byte[] id = deviceId.bytes();
    writer
        .begin(oneWay ? DatagramType.ONE_WAY_KEEPALIVE : DatagramType.KEEPALIVE, transactionId, 0)
        .deviceId(id, 0, id.length)
        .key(keyId, interval.code(), generation)
        .sequence(sequence)
        .pathToken(pathToken);
    if (!oneWay) {
      writer.fillTo(DatagramReader.MIN_KEEPALIVE_BYTES, integrityFollows);
    }
  }
}
