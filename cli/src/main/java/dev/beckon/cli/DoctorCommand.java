package dev.beckon.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.terminal.Ink;
import dev.beckon.server.ServerConfig;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Looks at a server for what commonly goes wrong, from where it is run. */
@Command(
    name = "doctor",
    description = {
      "Look for what commonly goes wrong with a server.",
      "Checks the API and the token, and on the server's own host its data folder, certificates,"
          + " clock and ports. With --host also whether devices can be expected to reach it."
    },
    exitCodeList = {"0:nothing is wrong", "1:something is", "2:wrong usage"})
final class DoctorCommand extends ClientCommand implements Callable<Integer> {

  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final long LITTLE_DISK_BYTES = 1L << 30;
  private static final long NO_DISK_BYTES = 100L << 20;

  /** A server certificate is made anew at half of its life; the CA is rolled over by hand. */
  private static final Duration SOON = Duration.ofDays(180);

  private static final Pattern CERTIFICATE =
      Pattern.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", Pattern.DOTALL);

  private enum Finding {
    OK,
    WARNING,
    WRONG
  }

  private record Check(String name, Finding finding, String detail, String advice) {}

  private final List<Check> checks = new ArrayList<>();

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "The server's data folder (default: the default one, if there is one).")
  private @Nullable Path data;

  @Option(
      names = "--host",
      paramLabel = "HOST",
      description = "Name or address under which devices reach the server, as in --advertise.")
  private @Nullable String host;

  @Option(
      names = "--tls-port",
      paramLabel = "PORT",
      description = "The server's port for sessions (default: 5349).")
  private int tlsPort = ServerConfig.DEFAULT_TLS_PORT;

  @Option(
      names = "--udp-port",
      paramLabel = "PORT",
      description = "The server's port for keepalives (default: 3478).")
  private int udpPort = ServerConfig.DEFAULT_UDP_PORT;

  DoctorCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  public Integer call() {
    checkApi();
    Path folder = data != null ? data : surroundings().serverFolder();
    if (data != null || Files.isDirectory(folder)) {
      checkFolder(folder);
    }
    if (host != null) {
      checkHost(host);
    }
    print();
    return checks.stream().anyMatch(check -> check.finding == Finding.WRONG)
        ? ExitCode.FAILED
        : ExitCode.DONE;
  }

  private void checkApi() {
    try {
      Api api = api();
      api.get("/healthz");
      api.get("/readyz");
      ok("api", "answers, and takes traffic");
      api.get("/v1/devices?limit=1");
      ok("token", "accepted");
    } catch (FailureException e) {
      wrong("api", e.line(), e.hint() == null ? "look at the server's log" : e.hint());
    }
  }

  private void checkFolder(Path folder) {
    if (!Files.isDirectory(folder)) {
      wrong("data", folder + " (no such folder)", "name it with --data DIR");
      return;
    }
    try {
      checkPrivacy(folder);
      long free = Files.getFileStore(folder).getUsableSpace();
      String detail = (free >> 20) + " MiB free for " + folder;
      if (free < NO_DISK_BYTES) {
        wrong("disk", detail, "free some space: commands are refused when it is full");
      } else if (free < LITTLE_DISK_BYTES) {
        warn("disk", detail, "free some space, or keep ended commands for a shorter time (--keep)");
      } else {
        ok("disk", detail);
      }
      checkCertificate(folder.resolve("fleet-ca.pem"), "roll the CA over before it ends");
      checkCertificate(folder.resolve("server.pem"), "restart the server: it makes a new one");
      checkUdp();
    } catch (IOException e) {
      wrong("data", folder + " (" + Failures.of(e) + ")", "run this as the server's user");
    }
  }

  private void checkPrivacy(Path folder) throws IOException {
    if (!folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return;
    }
    for (String name :
        List.of("fleet-ca.pem", "master.keys", "admin.token", "operator.token", "beckon.db")) {
      Path file = folder.resolve(name);
      if (!Files.exists(file)) {
        continue;
      }
      Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
      if (mode.contains(PosixFilePermission.OTHERS_READ)
          || mode.contains(PosixFilePermission.GROUP_READ)) {
        wrong("privacy", file + " can be read by others", "chmod 600 " + file);
      }
    }
    if (checks.stream().noneMatch(check -> check.name.equals("privacy"))) {
      ok("privacy", "keys, tokens and database are readable by their owner only");
    }
  }

  private void checkCertificate(Path file, String advice) throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    String name = String.valueOf(file.getFileName());
    Matcher matcher = CERTIFICATE.matcher(Files.readString(file));
    X509Certificate certificate;
    try {
      if (!matcher.find()) {
        throw new CertificateException("none in it");
      }
      certificate =
          (X509Certificate)
              CertificateFactory.getInstance("X.509")
                  .generateCertificate(
                      new ByteArrayInputStream(
                          matcher.group().getBytes(StandardCharsets.US_ASCII)));
    } catch (CertificateException e) {
      wrong(name, "no certificate can be read from " + file, "restore it from a backup");
      return;
    }
    Instant now = Instant.now();
    Instant end = certificate.getNotAfter().toInstant();
    if (now.isBefore(certificate.getNotBefore().toInstant())) {
      wrong(
          "clock",
          "it is " + now + " here, before " + name + " was made",
          "set this host's clock; devices take their time from the server");
    } else if (now.isAfter(end)) {
      wrong(name, "ended on " + end, advice);
    } else {
      String left = Duration.between(now, end).toDays() + " days left";
      if (end.isBefore(now.plus(SOON))) {
        warn(name, left, advice);
      } else {
        ok(name, left);
      }
    }
  }

  /** Linux tells which UDP ports are open on this host; nobody else could ask them. */
  private void checkUdp() throws IOException {
    Path table = Path.of("/proc/net/udp");
    if (!Files.isReadable(table)) {
      return;
    }
    String port = String.format(Locale.ROOT, ":%04X ", udpPort);
    boolean open = Files.readString(table).contains(port);
    Path six = Path.of("/proc/net/udp6");
    open |= Files.isReadable(six) && Files.readString(six).contains(port);
    if (open) {
      ok("udp", "a program of this host takes UDP " + udpPort);
    } else {
      wrong(
          "udp",
          "no program of this host takes UDP " + udpPort,
          "start 'beckon serve', or name the port with --udp-port");
    }
  }

  private void checkHost(String name) {
    InetAddress address;
    try {
      address = InetAddress.getByName(name);
    } catch (UnknownHostException e) {
      wrong("host", name + " (no such host)", "devices need a name that resolves, or an address");
      return;
    }
    if (address.isLoopbackAddress() || address.isLinkLocalAddress()) {
      wrong(
          "host",
          name + " is " + address.getHostAddress() + ", of this host or link only",
          "give 'beckon serve --advertise' an address that devices can reach");
    } else if (address.isSiteLocalAddress()) {
      warn(
          "host",
          name + " is " + address.getHostAddress() + ", a private address",
          "devices of other networks need a public one: --advertise");
    } else {
      ok("host", name + " is " + address.getHostAddress());
    }
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address, tlsPort), (int) PATIENCE.toMillis());
      ok("tls", "TCP " + tlsPort + " of " + name + " can be reached from here");
    } catch (IOException e) {
      wrong(
          "tls",
          "TCP " + tlsPort + " of " + name + " (" + Failures.of(e) + ")",
          "open it in the firewall, and UDP " + udpPort + " with it");
    }
  }

  private void ok(String name, String detail) {
    checks.add(new Check(name, Finding.OK, detail, ""));
  }

  private void warn(String name, String detail, String advice) {
    checks.add(new Check(name, Finding.WARNING, detail, advice));
  }

  private void wrong(String name, String detail, String advice) {
    checks.add(new Check(name, Finding.WRONG, detail, advice));
  }

  private void print() {
    if (json()) {
      ObjectNode json = Api.JSON.createObjectNode();
      ArrayNode items = json.putArray("checks");
      for (Check check : checks) {
        ObjectNode item = items.addObject();
        item.put("check", check.name);
        item.put("finding", check.finding.name());
        item.put("detail", check.detail);
        if (!check.advice.isEmpty()) {
          item.put("advice", check.advice);
        }
      }
      print(json);
      return;
    }
    Ink ink = ink();
    for (Check check : checks) {
      String word =
          String.format(Locale.ROOT, "%-8s", check.finding.name().toLowerCase(Locale.ROOT));
      String painted =
          switch (check.finding) {
            case OK -> ink.good(word);
            case WARNING -> ink.waiting(word);
            case WRONG -> ink.bad(word);
          };
      print(
          painted
              + String.format(Locale.ROOT, "%-14s", check.name)
              + check.detail
              + (check.advice.isEmpty() ? "" : "\n" + " ".repeat(22) + check.advice));
    }
  }
}
