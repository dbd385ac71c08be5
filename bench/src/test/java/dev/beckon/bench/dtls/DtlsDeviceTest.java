package dev.beckon.bench.dtls;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Our DTLS device against Californium, which must take it for real. */
@Timeout(120)
class DtlsDeviceTest {

  @Test
  void isAnsweredByCaliforniumAndAForgedRecordIsNot() throws Exception {
    InetSocketAddress server = CaliforniumServer.start("NO_DEDUPLICATOR", 10);
    byte[] random = new byte[32];
    new Random(1).nextBytes(random);
    DtlsDevice device = new DtlsDevice("sim-00000000", random, new RecordCipher());
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(server);
      socket.setSoTimeout(20_000);
      send(socket, device.hello());
      while (!device.isEstablished()) {
        byte[] answer = device.receive(receive(socket));
        if (answer.length > 0) {
          send(socket, answer);
        }
      }

      byte[] forged = request(device, 1);
      forged[forged.length - 1] ^= 1;
      send(socket, forged);
      socket.setSoTimeout(300);
      assertThatThrownBy(() -> receive(socket)).isInstanceOf(SocketTimeoutException.class);

      socket.setSoTimeout(20_000);
      send(socket, request(device, 2));
      assertThat(DtlsDevice.isAnswer(receive(socket))).isTrue();
    }
  }

  @Test
  void aLoadOfAFewDevicesReportsItsRate() throws Exception {
    InetSocketAddress server = CaliforniumServer.start("PEERS_MARK_AND_SWEEP", 100);
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, US_ASCII));
    try {
      DtlsLoad.main(
          new String[] {
            "--address",
            "127.0.0.1:" + server.getPort(),
            "--first",
            "0",
            "--sessions",
            "20",
            "--warm-up",
            "0",
            "--seconds",
            "1",
            "--server-pid",
            String.valueOf(ProcessHandle.current().pid())
          });
    } finally {
      System.setOut(before);
    }
    assertThat(printed.toString(US_ASCII))
        .contains("\"sessions\":20", "\"answersPerSecond\":")
        .doesNotContain("\"answersPerSecond\":0,");
  }

  private static byte[] request(DtlsDevice device, int messageId) throws Exception {
    ByteBuffer plain = ByteBuffer.allocate(16);
    plain.put((byte) 0x40).put((byte) 0x02).putShort((short) messageId);
    plain.put((byte) 0xB1).put((byte) 'k').flip();
    ByteBuffer out = ByteBuffer.allocate(256);
    device.send(plain, out);
    return Arrays.copyOf(out.array(), out.position());
  }

  private static void send(DatagramSocket socket, byte[] bytes) throws Exception {
    socket.send(new DatagramPacket(bytes, bytes.length));
  }

  private static ByteBuffer receive(DatagramSocket socket) throws Exception {
    DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
    socket.receive(packet);
    return ByteBuffer.wrap(packet.getData(), 0, packet.getLength()).slice();
  }
}
