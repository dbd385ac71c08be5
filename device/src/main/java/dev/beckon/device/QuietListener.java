package dev.beckon.device;

import java.net.InetSocketAddress;
import java.time.Instant;

/** Passes on to a listener, and keeps what it throws from the device's threads. */
final class QuietListener implements DeviceListener {
  private static final System.Logger LOG = System.getLogger("dev.beckon.device");

  private final DeviceListener listener;

  QuietListener(DeviceListener listener) {
    this.listener = listener;
  }

  @Override
  public void onKeepaliveAnswered(InetSocketAddress mapped, InetSocketAddress server) {
    quietly(() -> listener.onKeepaliveAnswered(mapped, server));
  }

  @Override
  public void onMappedAddress(InetSocketAddress mapped) {
    quietly(() -> listener.onMappedAddress(mapped));
  }

  @Override
  public void onSocket(InetSocketAddress local, InetSocketAddress server, String why) {
    quietly(() -> listener.onSocket(local, server, why));
  }

  @Override
  public void onUnresolved(String host) {
    quietly(() -> listener.onUnresolved(host));
  }

  @Override
  public void onWake(int number, long wakeId, Instant deadline, String verdict) {
    quietly(() -> listener.onWake(number, wakeId, deadline, verdict));
  }

  @Override
  public void onDial(int number, InetSocketAddress server, long wakeId) {
    quietly(() -> listener.onDial(number, server, wakeId));
  }

  @Override
  public void onDialFailed(int number, InetSocketAddress server, String reason) {
    quietly(() -> listener.onDialFailed(number, server, reason));
  }

  @Override
  public void onSessionOpened(int number, long wakeId) {
    quietly(() -> listener.onSessionOpened(number, wakeId));
  }

  @Override
  public void onSessionClosed(int number, String reason) {
    quietly(() -> listener.onSessionClosed(number, reason));
  }

  @Override
  public void onDirectory(long version, String verdict) {
    quietly(() -> listener.onDirectory(version, verdict));
  }

  @Override
  public void onRenewed(int keyId, Instant validUntil) {
    quietly(() -> listener.onRenewed(keyId, validUntil));
  }

  @Override
  public void onCommand(String commandId, String action, String state, String reason) {
    quietly(() -> listener.onCommand(commandId, action, state, reason));
  }

  private static void quietly(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.WARNING, "a listener of the device failed", e);
    }
  }
}
