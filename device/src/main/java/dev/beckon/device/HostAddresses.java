package dev.beckon.device;

import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * The addresses of hosts, asked for anew at each dial. When a name cannot be resolved, its last
 * good addresses serve: those under which the fleet's server was found, kept across restarts. A
 * wrong one does no harm, for the server must prove itself wherever it is dialled.
 *
 * <pre>
 *   hosts.properties  host=TIME ADDRESS[ ADDRESS]…   (TIME: when they were good, unix milliseconds)
 * </pre>
 *
 * <p>Thread-safe. Blocks while it resolves.
 */
final class HostAddresses {
  /** Addresses of one host that are tried; more are of no use to somebody who waits. */
  static final int MAX_ADDRESSES = 8;

  private static final int MAX_HOSTS = 64;

  /** Addresses that stay the same are written to the disk again after so long. */
  private static final long WRITE_AGAIN_MILLIS = 24L * 3_600_000;

  /**
   * Where a host is.
   *
   * @param addresses at least one, in the order in which to try them
   * @param goodMillis 0 if they were resolved just now; else they are the last good ones, good at
   *     this unix time
   */
  record Found(String host, List<InetAddress> addresses, long goodMillis) {
    Found {
      addresses = List.copyOf(addresses);
    }

    /** What an operator should know once {@code used} served; empty if all is well. */
    String note(InetAddress used) {
      return goodMillis == 0
          ? ""
          : "host "
              + host
              + ": cannot be resolved; used "
              + used.getHostAddress()
              + " of "
              + Instant.ofEpochMilli(goodMillis).truncatedTo(ChronoUnit.SECONDS);
    }
  }

  private record Good(List<InetAddress> addresses, long millis) {}

  private final Path file;
  private final Resolver resolver;
  private final LabGuard guard;
  private final LongSupplier wallMillis;
  private final Map<String, Good> known = new LinkedHashMap<>();
  private final Map<String, Good> written = new LinkedHashMap<>();
  private boolean closed;

  /**
   * @param file where the last good addresses are kept
   * @param guard says which addresses are allowed at all
   * @param wallMillis the device's clock, unix time
   */
  HostAddresses(Path file, Resolver resolver, LabGuard guard, LongSupplier wallMillis) {
    this.file = file;
    this.resolver = resolver;
    this.guard = guard;
    this.wallMillis = wallMillis;
    load();
    written.putAll(known);
  }

  /**
   * @throws UnknownHostException if the name cannot be resolved and never was
   * @throws IOException if the device may not speak to any of its addresses
   */
  Found find(String host) throws IOException {
    Found found = resolved(host);
    return new Found(host, guard.allowed(host, found.addresses()), found.goodMillis());
  }

  private Found resolved(String host) throws UnknownHostException {
    try {
      List<InetAddress> addresses = inTurn(Arrays.asList(resolver.resolve(host)));
      if (!addresses.isEmpty()) {
        return new Found(host, addresses, 0);
      }
    } catch (UnknownHostException e) {
      // The last good ones, if there are any.
    }
    Good good;
    synchronized (this) {
      good = known.get(host);
    }
    if (good == null) {
      throw new UnknownHostException("host: " + host + " (cannot be resolved)");
    }
    return new Found(host, good.addresses(), good.millis());
  }

  /**
   * The fleet's server was found at {@code used}: the addresses are good. Waits for the disk if
   * they are others than before; their order does not count, for resolvers rotate it.
   */
  synchronized void good(Found found, InetAddress used) {
    if (closed || found.goodMillis() != 0 || isLiteral(found.host())) {
      return;
    }
    List<InetAddress> addresses = new ArrayList<>(found.addresses());
    addresses.remove(used);
    addresses.add(0, used);
    Good good = new Good(List.copyOf(addresses), wallMillis.getAsLong());
    known.remove(found.host()); // the newest is the last to go
    known.put(found.host(), good);
    if (known.size() > MAX_HOSTS) {
      known.remove(known.keySet().iterator().next());
    }
    Good former = written.get(found.host());
    if (former == null
        || !Set.copyOf(former.addresses()).equals(Set.copyOf(good.addresses()))
        || good.millis() - former.millis() > WRITE_AGAIN_MILLIS) {
      store();
    }
  }

  /** Writes nothing from now on: whoever still finds a server finds it for himself. */
  synchronized void close() {
    closed = true;
  }

  /** Both families in turn, the one that the resolver puts first first. */
  static List<InetAddress> inTurn(List<InetAddress> addresses) {
    List<InetAddress> first = new ArrayList<>();
    List<InetAddress> other = new ArrayList<>();
    for (InetAddress address : addresses) {
      boolean same = first.isEmpty() || first.get(0).getClass() == address.getClass();
      (same ? first : other).add(address);
    }
    List<InetAddress> ordered = new ArrayList<>();
    for (int i = 0; i < Math.max(first.size(), other.size()); i++) {
      if (i < first.size()) {
        ordered.add(first.get(i));
      }
      if (i < other.size()) {
        ordered.add(other.get(i));
      }
    }
    return ordered.subList(0, Math.min(ordered.size(), MAX_ADDRESSES));
  }

  private static boolean isLiteral(String host) {
    return host.indexOf(':') >= 0 || host.matches("[0-9.]+");
  }

  private void load() {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(Files.readString(file)));
    } catch (NoSuchFileException e) {
      return;
    } catch (IOException | IllegalArgumentException e) {
      System.getLogger("dev.beckon.device")
          .log(System.Logger.Level.WARNING, "hosts: " + file + " cannot be read", e);
      return;
    }
    for (String host : properties.stringPropertyNames()) {
      String[] words = properties.getProperty(host).split(" ");
      try {
        long millis = Long.parseLong(words[0]);
        List<InetAddress> addresses = new ArrayList<>();
        for (String word : Arrays.asList(words).subList(1, words.length)) {
          if (isLiteral(word)) { // or it would be looked up
            addresses.add(InetAddress.getByName(word));
          }
        }
        if (!addresses.isEmpty() && known.size() < MAX_HOSTS) {
          known.put(host, new Good(List.copyOf(addresses), millis));
        }
      } catch (NumberFormatException | UnknownHostException e) {
        // Damaged: the host is resolved again.
      }
    }
  }

  private void store() {
    String text =
        known.entrySet().stream()
            .map(
                entry ->
                    entry.getKey()
                        + "="
                        + entry.getValue().millis()
                        + entry.getValue().addresses().stream()
                            .map(address -> " " + address.getHostAddress())
                            .collect(Collectors.joining()))
            .collect(Collectors.joining("\n", "", "\n"));
    try {
      SecretFiles.replace(file, text.getBytes(StandardCharsets.ISO_8859_1));
      written.clear();
      written.putAll(known);
    } catch (IOException e) {
      // They are known until the device stops.
    }
  }
}
