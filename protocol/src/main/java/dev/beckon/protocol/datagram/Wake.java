package dev.beckon.protocol.datagram;

/**
 * A wake: asks a device to dial. It has no authority of its own: it names a server by a number,
 * never an address or a command.
 *
 * <pre>
 *   request 0x026E of method 0x0BE
 *   USERNAME   device ID
 *   KEY        key ID 1, zero 1, generation 2
 *   SEQUENCE   the newest sequence that the server has of the device
 *   WAKE-ID    8 bytes
 *   WAKE       deadline 6, server number 2, dial-back delay 4
 *   MESSAGE-INTEGRITY-SHA256, 16 bytes
 * </pre>
 *
 * @param keyId of the master key that the device key comes from, 0 to 255
 * @param generation of the device's identity, 0 to 65,535
 * @param wakeId the same in every transmission of one wake
 * @param deadlineMillis unix time, below 2^48; the device does not dial after it
 * @param serverNumber 0 = this server, 65,535 = pull the directory, else an application server
 * @param dialBackDelayMillis the device dials after a random part of it; below 2^32
 * @param sequenceEcho proof of freshness, below 2^48
 */
@SuppressWarnings("ArrayRecordComponent") // a message is handled once, never compared
public record Wake(
    byte[] transactionId,
    DeviceId deviceId,
    int keyId,
    int generation,
    long wakeId,
    long deadlineMillis,
    int serverNumber,
    long dialBackDelayMillis,
    long sequenceEcho)
    implements Datagram {

  /** The server that sends the wake: the rendezvous server. */
  public static final int RENDEZVOUS_SERVER = 0;

  /** Not a server to take a command from: the device shall pull the directory. */
  public static final int DIRECTORY_SERVER = 0xFFFF;

  public Wake {
    Records.checkTransactionId(transactionId);
    Records.checkBits("key ID", keyId, 8);
    Records.checkBits("generation", generation, 16);
    Records.checkBits("deadline", deadlineMillis, 48);
    Records.checkBits("server number", serverNumber, 16);
    Records.checkBits("dial-back delay", dialBackDelayMillis, 32);
    Records.checkBits("sequence echo", sequenceEcho, 48);
  }

  static Wake from(DatagramReader reader) {
    return new Wake(
        Records.transactionId(reader),
        Records.deviceId(reader),
        reader.keyId(),
        reader.generation(),
        reader.wakeId(),
        reader.deadlineMillis(),
        reader.serverNumber(),
        reader.dialBackDelayMillis(),
        reader.sequence());
  }

  @Override
  public void write(DatagramWriter writer, boolean integrityFollows) {
    byte[] id = deviceId.bytes();
    writer
        .begin(DatagramType.WAKE, transactionId, 0)
        .deviceId(id, 0, id.length)
        .key(keyId, 0, generation)
        .sequence(sequenceEcho)
        .wakeId(wakeId)
        .wake(deadlineMillis, serverNumber, dialBackDelayMillis);
  }
}
