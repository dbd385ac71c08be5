package dev.beckon.lab;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A way from this machine's loopback to a port on the loopback of a host of the lab. The host's
 * network stays as it is: no packet of the door passes it.
 */
public final class Door implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final LabProcess inside;
  private final Relay outside;

  private Door(LabProcess inside, Relay outside) {
    this.inside = inside;
    this.outside = outside;
  }

  /**
   * Opens a door.
   *
   * @param folder a short path; takes a socket file
   * @throws LabException if it cannot be made
   */
  static Door open(Host host, InetSocketAddress target, Path folder) {
    Path file = folder.resolve("door-" + target.getPort());
    LabProcess inside =
        host.start(
            JavaCommand.of(
                Relay.class.getName(),
                file.toString(),
                target.getHostString(),
                "" + target.getPort()));
    inside.await("relay", Relay.READY::equals, PATIENCE);
    try {
      return new Door(inside, Relay.outside(file));
    } catch (IOException e) {
      inside.close();
      throw new LabException("door: cannot listen on 127.0.0.1: " + e.getMessage(), e);
    }
  }

  /** Where it stands: an address:port of this machine. */
  public InetSocketAddress address() {
    return outside.address();
  }

  /** Shuts it; connections through it may go on. */
  @Override
  public void close() {
    outside.close();
    inside.close();
  }
}
