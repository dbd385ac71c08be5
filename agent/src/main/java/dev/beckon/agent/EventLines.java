package dev.beckon.agent;

import dev.beckon.device.DeviceListener;
import dev.beckon.protocol.datagram.SocketAddresses;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;

/**
 * Prints what happens on the device, one line each: the time, a word, then {@code name=value}
 * pairs. A value with white space or quotes stands in quotes. Words and names are stable, so that
 * programs can read them.
 */
final class EventLines implements DeviceListener {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private final PrintWriter out;
  private final InstantSource clock;
  private final CountDownLatch ready = new CountDownLatch(1);

  EventLines(PrintWriter out, InstantSource clock) {
    this.out = out;
    this.clock = clock;
  }

  @Override
  public void onKeepaliveAnswered(InetSocketAddress mapped, InetSocketAddress server) {
    print(
        "keepalive-answered",
        "mapped",
        SocketAddresses.format(mapped),
        "server",
        SocketAddresses.format(server));
  }

  @Override
  public void onMappedAddress(InetSocketAddress mapped) {
    print("mapped-address", "mapped", SocketAddresses.format(mapped));
  }

  @Override
  public void onSocket(InetSocketAddress local, InetSocketAddress server, String why) {
    print(
        "socket",
        "local",
        SocketAddresses.format(local),
        "server",
        SocketAddresses.format(server),
        "why",
        why);
  }

  @Override
  public void onUnresolved(String host) {
    print("unresolved", "host", host);
  }

  @Override
  public void onWake(int number, long wakeId, Instant deadline, String verdict) {
    print(
        "wake",
        "id",
        hex(wakeId),
        "verdict",
        verdict,
        "deadline",
        TIME.format(deadline),
        "number",
        Integer.toString(number));
  }

  @Override
  public void onDial(int number, InetSocketAddress server, long wakeId) {
    print(
        "dial",
        "server",
        SocketAddresses.format(server),
        "wake",
        wakeId == 0 ? "none" : hex(wakeId),
        "number",
        Integer.toString(number));
  }

  @Override
  public void onDialFailed(int number, InetSocketAddress server, String reason) {
    print(
        "dial-failed",
        "server",
        SocketAddresses.format(server),
        "reason",
        reason,
        "number",
        Integer.toString(number));
  }

  @Override
  public void onSessionOpened(int number, long wakeId) {
    print(
        "session-opened",
        "wake",
        wakeId == 0 ? "none" : hex(wakeId),
        "number",
        Integer.toString(number));
  }

  @Override
  public void onSessionClosed(int number, String reason) {
    print("session-closed", "reason", reason, "number", Integer.toString(number));
  }

  @Override
  public void onDirectory(long version, String verdict) {
    print("directory", "version", Long.toString(version), "verdict", verdict);
  }

  @Override
  public void onRenewed(int keyId, Instant validUntil) {
    print("renewed", "key-id", Integer.toString(keyId), "valid-until", validUntil.toString());
  }

  @Override
  public void onCommand(String commandId, String action, String state, String reason) {
    // Empty: not known (any more), or nothing to tell.
    List<String> pairs = new ArrayList<>();
    if (!action.isEmpty()) {
      pairs.addAll(List.of("action", action));
    }
    if (!reason.isEmpty()) {
      pairs.addAll(List.of("reason", reason));
    }
    print("command " + commandId + " " + state, pairs.toArray(new String[0]));
  }

  /** What the action {@code display} shows. */
  void display(String text) {
    print("display", "text", text);
  }

  /** Prints the first line, and lets those follow that have waited for it. */
  void ready(String deviceId, Path data) {
    out.println("ready device=" + deviceId + " data=" + quoted(data.toString()));
    out.flush();
    ready.countDown();
  }

  private void print(String event, String... pairs) {
    try {
      ready.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    StringBuilder line = new StringBuilder(TIME.format(clock.instant())).append(' ').append(event);
    for (int i = 0; i < pairs.length; i += 2) {
      line.append(' ').append(pairs[i]).append('=').append(quoted(pairs[i + 1]));
    }
    out.println(line);
    out.flush();
  }

  static String quoted(String value) {
    if (!value.isEmpty()
        && value.chars().allMatch(c -> c > ' ' && c != '"' && !Character.isISOControl(c))) {
      return value;
    }
    StringBuilder text = new StringBuilder("\"");
    value
        .chars()
        .forEach(
            c -> {
              switch (c) {
                case '"', '\\' -> text.append('\\').append((char) c);
                case '\n' -> text.append("\\n");
                default -> {
                  // Whoever sends a text to show must not get to control the terminal.
                  if (Character.isISOControl(c)) {
                    text.append(String.format("\\u%04x", c));
                  } else {
                    text.append((char) c);
                  }
                }
              }
            });
    return text.append('"').toString();
  }

  private static String hex(long wakeId) {
    return String.format("%016x", wakeId);
  }
}
