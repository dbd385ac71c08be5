package dev.beckon.cli;

import dev.beckon.protocol.Security;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.server.Role;
import dev.beckon.server.Server;
import dev.beckon.server.ServerConfig;
import dev.beckon.server.command.Commands;
import dev.beckon.server.store.StoreException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs a server until it is told to stop. */
@Command(
    name = "serve",
    description = {
      "Run the server.",
      "Prints one line, 'ready …' with its addresses, when it can take traffic. Ends on SIGTERM"
          + " or Ctrl-C."
    },
    footer = {
      "",
      "The file given with --config is YAML with the same names as the options:",
      "  data: /var/lib/beckon",
      "  udp: [192.0.2.1:3478, 192.0.2.2:3478]",
      "  advertise: beckon.example.org",
      "What the command line says counts more."
    })
final class ServeCommand implements Callable<Integer> {

  private static final List<String> KEYS =
      List.of(
          "data",
          "udp",
          "tls",
          "http",
          "advertise",
          "public-stun",
          "security",
          "insecure",
          "keep",
          "role");

  private final Surroundings surroundings;

  @Option(names = "--config", paramLabel = "FILE", description = "Settings in YAML (see below).")
  private @Nullable Path config;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Where everything is kept (default: ~/.local/share/beckon/server).")
  private @Nullable Path data;

  @Option(
      names = "--udp",
      paramLabel = "ADDR:PORT",
      description = "Keepalives and wakes; repeatable (default: every address, port 3478).")
  private List<String> udp = new ArrayList<>();

  @Option(
      names = "--tls",
      paramLabel = "ADDR:PORT",
      description = "Sessions and enrollment (default: every address, port 5349).")
  private @Nullable String tls;

  @Option(
      names = "--http",
      paramLabel = "ADDR:PORT",
      description = "The API (default: 127.0.0.1:8080).")
  private @Nullable String http;

  @Option(
      names = "--advertise",
      paramLabel = "HOST",
      description =
          "Name or address under which devices reach this server (default: the address of the"
              + " default route).")
  private @Nullable String advertise;

  @Option(names = "--public-stun", description = "Answer ordinary STUN Binding requests as well.")
  private boolean publicStun;

  @Option(
      names = "--security",
      paramLabel = "mutual|server|none",
      description =
          "Who proves what to whom (default: mutual). Devices need the same setting; the other two"
              + " are for labs.")
  private @Nullable String security;

  @Option(
      names = "--keep",
      paramLabel = "TIME",
      description = "How long ended commands are kept, 1d to 3650d (default: 30d).")
  private @Nullable String keep;

  @Option(
      names = "--insecure",
      description =
          "Allow off loopback what is only for labs: --security server or none, and the API without"
              + " TLS.")
  private boolean insecure;

  @Option(
      names = "--role",
      paramLabel = "ROLE[,ROLE]",
      description =
          "What this process does: rendezvous, delivery, directory (default: all, or that of the"
              + " number that the data folder was enrolled with).")
  private @Nullable String role;

  @Option(
      names = "--enroll",
      paramLabel = "CODE",
      description =
          "Become the application server that this code of 'beckon app-server add' is for. Needed"
              + " once; the data folder remembers it.")
  private @Nullable String enroll;

  ServeCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  @Override
  public Integer call() {
    ServerConfig settings = settings();
    Server server;
    try {
      server = Server.start(settings);
    } catch (IllegalArgumentException e) {
      throw FailureException.usage(String.valueOf(e.getMessage()), null);
    } catch (IOException e) {
      throw FailureException.failed(Failures.of(e), null);
    } catch (StoreException e) {
      throw FailureException.failed(String.valueOf(e.getMessage()), null);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> closeAndEnd(server), "beckon-close"));
    surroundings.out().println(readyLine(server, settings.data()));
    waitForSignal();
    return ExitCode.DONE;
  }

  /**
   * The server works in threads of its own; this one keeps the process until it is told to stop.
   */
  private static void waitForSignal() {
    try {
      new CountDownLatch(1).await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Told to stop, and stopped: for whoever supervises the process that is a success. */
  private static void closeAndEnd(Server server) {
    server.close();
    Runtime.getRuntime().halt(ExitCode.DONE);
  }

  private static String readyLine(Server server, Path data) {
    String udp =
        server.udpAddresses().stream()
            .map(SocketAddresses::format)
            .collect(Collectors.joining(","));
    return "ready udp="
        + (udp.isEmpty() ? "-" : udp)
        + " tls="
        + SocketAddresses.format(server.tlsAddress())
        + " http="
        + SocketAddresses.format(server.httpAddress())
        + " data="
        + data;
  }

  private ServerConfig settings() {
    Optional<ConfigFile> file =
        Optional.ofNullable(config).map(path -> ConfigFile.read(path, KEYS));
    Path folder =
        Optional.ofNullable(data)
            .or(() -> file.flatMap(f -> f.text("data")).map(Path::of))
            .orElse(surroundings.serverFolder());
    return ServerConfig.at(folder.toAbsolutePath().normalize())
        .udp(udpAddresses(file))
        .tls(address("tls", tls, file).orElse(new InetSocketAddress(ServerConfig.DEFAULT_TLS_PORT)))
        .http(
            address("http", http, file)
                .orElse(
                    new InetSocketAddress(
                        InetAddress.getLoopbackAddress(), ServerConfig.DEFAULT_HTTP_PORT)))
        .advertise(
            Optional.ofNullable(advertise)
                .or(() -> file.flatMap(f -> f.text("advertise")))
                .orElse(null))
        .publicStun(publicStun || file.flatMap(f -> f.flag("public-stun")).orElse(false))
        .keep(kept(file))
        .insecure(insecure || file.flatMap(f -> f.flag("insecure")).orElse(false))
        .security(security(file))
        .roles(roles(file))
        .enroll(enroll)
        .build();
  }

  private Set<Role> roles(Optional<ConfigFile> file) {
    if (role == null) {
      return file.flatMap(f -> f.text("role").map(text -> writtenRoles(f, text))).orElse(Set.of());
    }
    try {
      return Role.parse(role);
    } catch (IllegalArgumentException e) {
      throw FailureException.usage("--" + e.getMessage(), null);
    }
  }

  private static Set<Role> writtenRoles(ConfigFile file, String text) {
    try {
      return Role.parse(text);
    } catch (IllegalArgumentException e) {
      throw file.bad("role", text, "rendezvous, delivery, directory, or some of them");
    }
  }

  private Security security(Optional<ConfigFile> file) {
    return Optional.ofNullable(security)
        .map(ServeCommand::typedSecurity)
        .or(() -> file.flatMap(f -> f.text("security").map(text -> writtenSecurity(f, text))))
        .orElse(Security.MUTUAL);
  }

  private static Security typedSecurity(String text) {
    return securityOf(text)
        .orElseThrow(
            () ->
                FailureException.usage(
                    "--security: " + text + " (expected " + expectedInsteadOf(text) + ")", null));
  }

  private static Security writtenSecurity(ConfigFile file, String text) {
    return securityOf(text).orElseThrow(() -> file.bad("security", text, expectedInsteadOf(text)));
  }

  private static Optional<Security> securityOf(String text) {
    return Arrays.stream(Security.values()).filter(mode -> mode.text().equals(text)).findFirst();
  }

  private static String expectedInsteadOf(String text) {
    List<String> modes = Arrays.stream(Security.values()).map(Security::text).toList();
    return "mutual, server or none"
        + Nearest.to(text, modes).map(mode -> "; did you mean " + mode + "?").orElse("");
  }

  private Duration kept(Optional<ConfigFile> file) {
    String expected = "1d to 3650d, such as 30d or 36h";
    if (keep != null) {
      return keptFor(keep)
          .orElseThrow(
              () ->
                  FailureException.usage("--keep: " + keep + " (expected " + expected + ")", null));
    }
    return file.flatMap(
            f ->
                f.text("keep")
                    .map(text -> keptFor(text).orElseThrow(() -> f.bad("keep", text, expected))))
        .orElse(Commands.DEFAULT_KEEP);
  }

  private static Optional<Duration> keptFor(String text) {
    if (!text.matches("[0-9]{1,6}[hd]")) {
      return Optional.empty();
    }
    long number = Long.parseLong(text.substring(0, text.length() - 1));
    Duration time = text.endsWith("d") ? Duration.ofDays(number) : Duration.ofHours(number);
    return time.compareTo(Commands.MIN_KEEP) >= 0 && time.compareTo(Commands.MAX_KEEP) <= 0
        ? Optional.of(time)
        : Optional.empty();
  }

  private List<InetSocketAddress> udpAddresses(Optional<ConfigFile> file) {
    if (!udp.isEmpty()) {
      return udp.stream().map(text -> typed("--udp", text)).toList();
    }
    return file.map(f -> f.texts("udp").stream().map(text -> written(f, "udp", text)).toList())
        .orElse(List.of());
  }

  private static Optional<InetSocketAddress> address(
      String key, @Nullable String text, Optional<ConfigFile> file) {
    if (text != null) {
      return Optional.of(typed("--" + key, text));
    }
    return file.flatMap(f -> f.text(key).map(value -> written(f, key, value)));
  }

  private static InetSocketAddress typed(String option, String text) {
    return SocketAddressText.parse(text)
        .orElseThrow(
            () ->
                FailureException.usage(
                    option + ": " + text + " (expected " + SocketAddressText.EXPECTED + ")", null));
  }

  private static InetSocketAddress written(ConfigFile file, String key, String text) {
    return SocketAddressText.parse(text)
        .orElseThrow(() -> file.bad(key, text, SocketAddressText.EXPECTED));
  }
}
