package dev.beckon.protocol.datagram;

/**
 * A device's answer to a wake: it arrived, is authentic, and will be acted on or was already.
 *
 * <pre>
 *   success response 0x036E of method 0x0BE
 *   WAKE-ID    8 bytes
 *   MESSAGE-INTEGRITY-SHA256, 16 bytes
 * </pre>
 *
 * @param transactionId of the transmission that is answered
 * @param wakeId of the wake
 */
@SuppressWarnings("ArrayRecordComponent") // a message is handled once, never compared
public record WakeAnswer(byte[] transactionId, long wakeId) implements Datagram {

  public WakeAnswer {
    Records.checkTransactionId(transactionId);
  }

  static WakeAnswer from(DatagramReader reader) {
    return new WakeAnswer(Records.transactionId(reader), reader.wakeId());
  }

  @Override
  public void write(DatagramWriter writer, boolean integrityFollows) {
    writer.begin(DatagramType.WAKE_ANSWER, transactionId, 0).wakeId(wakeId);
  }
}
