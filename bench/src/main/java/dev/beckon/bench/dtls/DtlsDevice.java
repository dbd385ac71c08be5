package dev.beckon.bench.dtls;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * One device's end of DTLS 1.2 (RFC 6347) with a pre-shared key (RFC 4279) and a connection ID (RFC
 * 9146), as far as a load needs it: no retransmission, no fragments, no renegotiation, and what the
 * server proves is not checked. Plain: bytes in, bytes out.
 *
 * <pre>
 *   ClientHello              →
 *                            ← HelloVerifyRequest
 *   ClientHello, with cookie →
 *                            ← ServerHello (its connection ID), ServerHelloDone
 *   ClientKeyExchange, ChangeCipherSpec, Finished →
 *                            ← ChangeCipherSpec, Finished
 *   application data         ⇄
 * </pre>
 */
final class DtlsDevice {
  /** The pre-shared key, of all devices. */
  static final String KEY = "one key for all of them";

  private static final int CHANGE_CIPHER_SPEC = 20;
  private static final int HANDSHAKE = 22;
  private static final int APPLICATION_DATA = 23;

  private static final int CLIENT_HELLO = 1;
  private static final int SERVER_HELLO = 2;
  private static final int HELLO_VERIFY_REQUEST = 3;
  private static final int SERVER_HELLO_DONE = 14;
  private static final int CLIENT_KEY_EXCHANGE = 16;
  private static final int FINISHED = 20;

  private static final int PSK_WITH_AES_128_GCM_SHA256 = 0x00A8;
  private static final int CONNECTION_ID_EXTENSION = 54;
  private static final int RANDOM_BYTES = 32;
  private static final int MASTER_SECRET_BYTES = 48;
  private static final int VERIFY_BYTES = 12;
  private static final int RECORD_HEADER_BYTES = 13;
  private static final int MESSAGE_HEADER_BYTES = 12;

  private final byte[] identity;
  private final byte[] random;
  private final RecordCipher cipher;
  private final ByteArrayOutputStream transcript = new ByteArrayOutputStream();
  private int messageSequence;
  private long plainSequence;
  private long sequence;
  private byte[] serverRandom = new byte[0];
  private byte[] connectionId = new byte[0];
  private RecordCipher.@Nullable Key key;
  private boolean established;

  /**
   * @param identity by which the server knows the device
   * @param random 32 bytes of its own
   * @param cipher which devices of one thread may share
   */
  DtlsDevice(String identity, byte[] random, RecordCipher cipher) {
    this.identity = identity.getBytes(US_ASCII);
    this.random = random;
    this.cipher = cipher;
  }

  /** Whether application data may be sent. */
  boolean isEstablished() {
    return established;
  }

  /** The first datagram. */
  byte[] hello() {
    return plainRecord(HANDSHAKE, clientHello(new byte[0]));
  }

  /**
   * Takes a datagram of the handshake.
   *
   * @return what to send now; empty if nothing
   * @throws GeneralSecurityException if the JDK lacks an algorithm
   * @throws IllegalStateException if the server refuses
   */
  byte[] receive(ByteBuffer datagram) throws GeneralSecurityException {
    byte[] answer = new byte[0];
    while (datagram.remaining() >= RECORD_HEADER_BYTES) {
      int type = datagram.get();
      datagram.getShort();
      int epoch = datagram.getShort();
      datagram.position(datagram.position() + 6);
      ByteBuffer content = slice(datagram, Short.toUnsignedInt(datagram.getShort()));
      if (epoch == 1) {
        established |= type == HANDSHAKE; // its Finished: it took ours
      } else if (type == HANDSHAKE) {
        while (content.hasRemaining()) {
          byte[] next = message(content);
          answer = next.length > 0 ? next : answer;
        }
      } else if (type != CHANGE_CIPHER_SPEC) {
        throw new IllegalStateException("DTLS: a record of type " + type + " (an alert is 21)");
      }
    }
    return answer;
  }

  private byte[] message(ByteBuffer content) throws GeneralSecurityException {
    int start = content.position();
    int type = content.get();
    int length = content.getInt() >>> 8; // 3 bytes of it, and one of the message sequence
    content.position(start + MESSAGE_HEADER_BYTES);
    ByteBuffer body = slice(content, length);
    if (type == HELLO_VERIFY_REQUEST) {
      body.getShort();
      byte[] cookie = new byte[Byte.toUnsignedInt(body.get())];
      body.get(cookie);
      transcript.reset(); // the first two messages do not count
      return plainRecord(HANDSHAKE, clientHello(cookie));
    }
    transcript.write(content.array(), content.arrayOffset() + start, content.position() - start);
    if (type == SERVER_HELLO) {
      serverHello(body);
    }
    return type == SERVER_HELLO_DONE ? finish() : new byte[0];
  }

  private void serverHello(ByteBuffer body) {
    body.getShort();
    serverRandom = new byte[RANDOM_BYTES];
    body.get(serverRandom);
    body.position(body.position() + 1 + Byte.toUnsignedInt(body.get(body.position()))); // session
    body.position(body.position() + 3); // cipher suite, compression
    if (!body.hasRemaining()) {
      return;
    }
    body.getShort();
    while (body.hasRemaining()) {
      int type = body.getShort();
      ByteBuffer extension = slice(body, Short.toUnsignedInt(body.getShort()));
      if (type == CONNECTION_ID_EXTENSION) {
        connectionId = new byte[Byte.toUnsignedInt(extension.get())];
        extension.get(connectionId);
      }
    }
  }

  private byte[] clientHello(byte[] cookie) {
    ByteBuffer body = ByteBuffer.allocate(160);
    body.putShort((short) RecordCipher.VERSION).put(random);
    body.put((byte) 0); // no session to resume
    body.put((byte) cookie.length).put(cookie);
    body.putShort((short) 2).putShort((short) PSK_WITH_AES_128_GCM_SHA256);
    body.put((byte) 1).put((byte) 0); // no compression
    // An empty connection ID: the server shall use none towards us, but may want one itself.
    body.putShort((short) 5).putShort((short) CONNECTION_ID_EXTENSION);
    body.putShort((short) 1).put((byte) 0);
    return handshakeMessage(CLIENT_HELLO, body);
  }

  private byte[] finish() throws GeneralSecurityException {
    if (connectionId.length == 0) {
      throw new IllegalStateException("DTLS: the server gave no connection ID");
    }
    ByteBuffer exchange = ByteBuffer.allocate(2 + identity.length);
    exchange.putShort((short) identity.length).put(identity);
    byte[] keyExchange = handshakeMessage(CLIENT_KEY_EXCHANGE, exchange);

    byte[] psk = KEY.getBytes(US_ASCII);
    ByteBuffer preMaster = ByteBuffer.allocate(2 + psk.length + 2 + psk.length);
    preMaster.putShort((short) psk.length).position(2 + psk.length);
    preMaster.putShort((short) psk.length).put(psk);
    byte[] master =
        derived(preMaster.array(), "master secret", random, serverRandom, MASTER_SECRET_BYTES);
    byte[] keys =
        derived(
            master,
            "key expansion",
            serverRandom,
            random,
            2 * RecordCipher.KEY_BYTES + 2 * RecordCipher.SALT_BYTES);
    int salts = 2 * RecordCipher.KEY_BYTES;
    RecordCipher.Key made =
        new RecordCipher.Key(
            new SecretKeySpec(keys, 0, RecordCipher.KEY_BYTES, "AES"),
            Arrays.copyOfRange(keys, salts, salts + RecordCipher.SALT_BYTES));
    key = made;
    byte[] hash = MessageDigest.getInstance("SHA-256").digest(transcript.toByteArray());
    byte[] verify = derived(master, "client finished", hash, new byte[0], VERIFY_BYTES);
    byte[] finished = handshakeMessage(FINISHED, ByteBuffer.wrap(verify).position(verify.length));

    ByteBuffer flight = ByteBuffer.allocate(512);
    flight.put(plainRecord(HANDSHAKE, keyExchange));
    flight.put(plainRecord(CHANGE_CIPHER_SPEC, new byte[] {1}));
    cipher.protect(made, connectionId, sequence++, HANDSHAKE, ByteBuffer.wrap(finished), flight);
    return Arrays.copyOf(flight.array(), flight.position());
  }

  /** Appends a datagram with application data, after the handshake. */
  void send(ByteBuffer content, ByteBuffer out) throws GeneralSecurityException {
    if (key == null) {
      throw new IllegalStateException("DTLS: no handshake yet");
    }
    cipher.protect(key, connectionId, sequence++, APPLICATION_DATA, content, out);
  }

  /** Whether a datagram brings application data from the server: an answer. */
  static boolean isAnswer(ByteBuffer datagram) {
    return datagram.remaining() > RECORD_HEADER_BYTES
        && datagram.get(datagram.position()) == APPLICATION_DATA;
  }

  /** A handshake message around the body, which ends at its position; goes to the transcript. */
  private byte[] handshakeMessage(int type, ByteBuffer body) {
    int length = body.flip().remaining();
    ByteBuffer message = ByteBuffer.allocate(MESSAGE_HEADER_BYTES + length);
    message.putInt(type << 24 | length).putShort((short) messageSequence++);
    message.put((byte) 0).putShort((short) 0); // offset of the fragment: the whole
    message.put((byte) (length >>> 16)).putShort((short) length);
    message.put(body);
    transcript.writeBytes(message.array());
    return message.array();
  }

  private byte[] plainRecord(int type, byte[] content) {
    ByteBuffer out = ByteBuffer.allocate(RECORD_HEADER_BYTES + content.length);
    out.put((byte) type).putShort((short) RecordCipher.VERSION);
    out.putLong(plainSequence++).putShort((short) content.length).put(content); // epoch 0
    return out.array();
  }

  /** The PRF of TLS 1.2 (RFC 5246, section 5). */
  private static byte[] derived(byte[] secret, String label, byte[] first, byte[] second, int bytes)
      throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(secret, "HmacSHA256"));
    ByteBuffer seed = ByteBuffer.allocate(label.length() + first.length + second.length);
    seed.put(label.getBytes(US_ASCII)).put(first).put(second);
    byte[] chained = seed.array();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    while (out.size() < bytes) {
      chained = mac.doFinal(chained);
      mac.update(chained);
      out.writeBytes(mac.doFinal(seed.array()));
    }
    return Arrays.copyOf(out.toByteArray(), bytes);
  }

  private static ByteBuffer slice(ByteBuffer from, int length) {
    ByteBuffer part = from.slice(from.position(), length);
    from.position(from.position() + length);
    return part;
  }
}
