package dev.beckon.device;

import dev.beckon.device.keepalive.KeyRing;
import dev.beckon.device.wake.DialLogic.Ending;
import dev.beckon.device.wake.Dials;
import dev.beckon.protocol.session.UnknownServer;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** Ties the two loops together: each posts to the other's thread. */
final class LoopLink implements DatagramLoop.Dialler, Dialling {
  private @Nullable SessionLoop sessions;
  private @Nullable DatagramLoop datagrams;

  /** Must be called before either loop is started. */
  void tie(DatagramLoop datagramLoop, SessionLoop sessionLoop) {
    datagrams = datagramLoop;
    sessions = sessionLoop;
  }

  private SessionLoop sessions() {
    SessionLoop loop = sessions;
    if (loop == null) {
      throw new IllegalStateException("not started");
    }
    return loop;
  }

  private DatagramLoop datagrams() {
    DatagramLoop loop = datagrams;
    if (loop == null) {
      throw new IllegalStateException("not started");
    }
    return loop;
  }

  @Override
  public void dial(Dials.Dial dial, InetSocketAddress address) {
    sessions().dial(dial, address);
  }

  @Override
  public void wake(int server, long wakeId) {
    sessions().wake(server, wakeId);
  }

  @Override
  public void pull(int server, long wakeId) {
    sessions().pull(server, wakeId);
  }

  @Override
  public void tell(UnknownServer unknown) {
    sessions().tell(unknown);
  }

  @Override
  public void onOpened(int server) {
    datagrams().onOpened(server);
  }

  @Override
  public void onFailed(int server) {
    datagrams().onFailed(server);
  }

  @Override
  public void onRefused(int server) {
    datagrams().onRefused(server);
  }

  @Override
  public void onClosed(int server, Ending ending) {
    datagrams().onClosed(server, ending);
  }

  @Override
  public void onWakeMissed(int server, long wakeId) {
    datagrams().onWakeMissed(server, wakeId);
  }

  @Override
  public void onUnreported(int server) {
    datagrams().onUnreported(server);
  }

  @Override
  public void onPullMissed(int server, long wakeId) {
    datagrams().onPullMissed(server, wakeId);
  }

  @Override
  public void onDirectory() {
    datagrams().onDirectory();
  }

  @Override
  public void onPulled(int server) {
    datagrams().onPulled(server);
  }

  @Override
  public void onWaiting(int server, long wakeId, long deadlineMillis) {
    datagrams().onWaiting(server, wakeId, deadlineMillis);
  }

  @Override
  public void onRenewed(KeyRing.Key key) {
    datagrams().onRenewed(key);
  }

  @Override
  public void onUntold() {
    datagrams().onUntold();
  }
}
