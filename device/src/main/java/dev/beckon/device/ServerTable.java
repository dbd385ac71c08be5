package dev.beckon.device;

import dev.beckon.device.directory.Directory;
import dev.beckon.device.directory.DirectoryCheck;
import dev.beckon.device.directory.DirectoryRefusedException;
import dev.beckon.device.directory.DirectoryVerdict;
import dev.beckon.protocol.datagram.Wake;
import dev.beckon.protocol.directory.ServerAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Where the device dials, by server number: the rendezvous server by its enrollment, all others by
 * the directory, whose last good list is kept across restarts.
 *
 * <p>Thread-safe.
 */
final class ServerTable {
  private static final System.Logger LOG = System.getLogger("dev.beckon.device");

  private final InetSocketAddress rendezvous;
  private final DirectoryFile file;
  private final Supplier<? extends Collection<X509Certificate>> roots;
  private final DeviceClock clock;
  private volatile Directory directory;

  /**
   * @param rendezvous address of the rendezvous server, not resolved
   * @param roots the fleet's CA certificates at any moment
   */
  ServerTable(
      InetSocketAddress rendezvous,
      DirectoryFile file,
      Supplier<? extends Collection<X509Certificate>> roots,
      DeviceClock clock) {
    this.rendezvous = rendezvous;
    this.file = file;
    this.roots = roots;
    this.clock = clock;
    this.directory = file.load();
  }

  /** The list that the device has. */
  Directory directory() {
    return directory;
  }

  /** The server's address, not resolved; null if the device has none. */
  @Nullable InetSocketAddress addressOf(int server) {
    if (server == Wake.RENDEZVOUS_SERVER) {
      return rendezvous;
    }
    ServerAddress address = directory.addressOf(server);
    return address == null
        ? null
        : InetSocketAddress.createUnresolved(address.host(), address.port());
  }

  /** A server sent a list: takes it if it is good, and keeps it on the disk. */
  synchronized DirectoryVerdict offer(byte[] signed) {
    try {
      directory = DirectoryCheck.check(signed, roots.get(), directory.version(), clock.instant());
    } catch (DirectoryRefusedException e) {
      if (e.verdict() != DirectoryVerdict.SAME) {
        LOG.log(System.Logger.Level.WARNING, e.getMessage());
      }
      return e.verdict();
    }
    try {
      file.store(signed);
    } catch (IOException e) {
      // It is good all the same; after a restart the device pulls it again.
      LOG.log(System.Logger.Level.WARNING, "the directory could not be stored", e);
    }
    return DirectoryVerdict.ACCEPTED;
  }
}
