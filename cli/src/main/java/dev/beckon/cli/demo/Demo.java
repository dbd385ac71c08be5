package dev.beckon.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.terminal.Ink;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import dev.beckon.protocol.directory.ServerAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The play: everything that the demo does, in its order. */
final class Demo {

  static final List<String> NAMES = List.of("kitchen", "printer");
  private static final List<String> DELIVERIES = List.of("push", "inquiry");
  private static final String KEEPALIVE_INTERVAL = "3s";
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int TV_GUIDE = 7;
  private static final int TV_GUIDE_HOST = 2;
  private static final int DIRECTORY = 65_535;
  private static final int DIRECTORY_HOST = 3;
  private static final String AGENT = "dev.beckon.agent.Main";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final DemoNetwork network;
  private final Path folder;
  private final Screen screen;
  private final ArrayNode commands = JSON.createArrayNode();
  private final int port;
  private List<DemoServer> servers = List.of();
  private List<DemoDevice> devices = List.of();
  private ReadyLine ready = ReadyLine.NONE;
  private DemoApi api = new DemoApi("127.0.0.1", "");
  private DemoApi tvGuide = api;
  private boolean allSucceeded = true;
  private Instant moved = Instant.EPOCH;

  /**
   * A demo to be played.
   *
   * @param folder where the servers and the devices keep their files
   */
  Demo(DemoNetwork network, Path folder, Screen screen) {
    this.network = network;
    this.folder = folder;
    this.screen = screen;
    this.port = network.freePort();
  }

  /** Plays it; whether every command succeeded. */
  boolean play() {
    Ink ink = screen.ink();
    screen.lines(network.picture(NAMES, ink));
    screen.line("");
    api = screen.step("the server starts and makes its fleet CA", this::startServer);
    devices = screen.step("two devices enroll with one-time codes and start", this::startDevices);
    startOtherServers();
    screen.step(
        "both idle: a keepalive every 3 s (a lab setting; 25 s otherwise)", this::awaitIdle);
    showIdle();
    show(screen.step("a command for each, while they idle", () -> send(api, "The oven is hot")));
    if (network.translates()) {
      screen.step("both idle again: their sessions have ended", this::awaitIdle);
      String step =
          "the router reboots, all mappings gone; a command for each, before a device notices";
      show(screen.step(step, this::rebootAndSend));
      showAddresses();
    } else {
      screen.line("  (no router here that could be rebooted)");
    }
    playApplicationServer();
    return allSucceeded;
  }

  /** The second half: a server of somebody else's, which the devices are woken for. */
  private void playApplicationServer() {
    screen.step("the directory, signed by its own server, is pushed to both", this::awaitDirectory);
    tvGuide =
        screen.step(
            "the application server \"tv-guide\" is ready on a host of its own",
            servers.get(TV_GUIDE_HOST - 1)::awaitApi);
    show(screen.step("a command for each, posted to tv-guide", () -> send(tvGuide, "News at 8")));
    List<Instant> known =
        screen.step("tv-guide moves; its new address is pushed to both", this::moveTvGuide);
    for (int i = 0; i < devices.size(); i++) {
      long millis = Duration.between(moved, known.get(i)).toMillis();
      screen.line("    %s  knows it after %d ms".formatted(devices.get(i).name(), millis));
    }
    screen.line("");
    show(screen.step("a command for each, posted to it there", () -> send(tvGuide, "News at 9")));
  }

  private DemoApi startServer() {
    String host = network.serverAddresses(1).getFirst();
    DemoServer server =
        serve(1, "server", "--udp", host + ":0", "--tls", host + ":0", "--advertise", host);
    servers = List.of(server);
    ready = server.awaitReady();
    return server.awaitApi();
  }

  /** Begins to start them; they enroll while the devices are being commanded. */
  private void startOtherServers() {
    String tvGuideHost = network.serverAddresses(TV_GUIDE_HOST).getFirst();
    String directoryHost = network.serverAddresses(DIRECTORY_HOST).getFirst();
    int directoryPort = network.freePort();
    String tvGuideCode = api.addServer(TV_GUIDE, "tv-guide", entry(tvGuideHost, port));
    String directoryCode =
        api.addServer(DIRECTORY, "directory", entry(directoryHost, directoryPort));
    DemoServer tvGuideServer =
        serve(
            TV_GUIDE_HOST,
            "tv-guide",
            "--role",
            "delivery",
            "--enroll",
            tvGuideCode,
            "--tls",
            socket(tvGuideHost, port));
    DemoServer directoryServer =
        serve(
            DIRECTORY_HOST,
            "directory",
            "--role",
            "directory",
            "--enroll",
            directoryCode,
            "--tls",
            socket(directoryHost, directoryPort));
    servers = List.of(servers.getFirst(), tvGuideServer, directoryServer);
  }

  private DemoServer serve(int host, String name, String... options) {
    Path data = folder.resolve(name);
    List<String> words = new ArrayList<>(List.of("serve", "--data", data.toString()));
    words.addAll(List.of("--http", "127.0.0.1:0"));
    words.addAll(List.of(options));
    List<String> command = program("dev.beckon.cli.Main", words.toArray(new String[0]));
    return DemoServer.start(network, host, data, command);
  }

  private static String entry(String host, int port) {
    return port == ServerAddress.DEFAULT_PORT ? host : socket(host, port);
  }

  private static String socket(String host, int port) {
    return host + ":" + port;
  }

  private List<Instant> awaitDirectory() {
    long version = api.awaitSignedDirectory();
    return devices.stream().map(device -> device.awaitDirectory(version)).toList();
  }

  /** It starts again on its host's other address (without a NAT lab: on another port). */
  private List<Instant> moveTvGuide() {
    List<String> addresses = network.serverAddresses(TV_GUIDE_HOST);
    int newPort = network.freePort();
    long before = api.awaitSignedDirectory();
    servers.get(TV_GUIDE_HOST - 1).stop();
    DemoServer server =
        serve(TV_GUIDE_HOST, "tv-guide", "--tls", socket(addresses.getLast(), newPort));
    servers = List.of(servers.getFirst(), server, servers.getLast());
    tvGuide = server.awaitApi();
    moved = Instant.now();
    api.setServer(TV_GUIDE, "tv-guide", entry(addresses.getLast(), newPort));
    return devices.stream().map(device -> device.awaitDirectory(before + 1)).toList();
  }

  /** Both at a time; each agent runs as soon as its enrollment has ended. */
  private List<DemoDevice> startDevices() {
    List<LabProcess> enrollments =
        IntStream.range(0, NAMES.size()).mapToObj(this::startEnrollment).toList();
    return IntStream.range(0, NAMES.size())
        .mapToObj(i -> startAgent(i, enrollments.get(i)))
        .toList();
  }

  private LabProcess startEnrollment(int i) {
    String code = api.add(NAMES.get(i));
    return network.onDevice(
        i + 1, program(AGENT, "enroll", code, "--data", data(i).toString()), _ -> {});
  }

  private DemoDevice startAgent(int i, LabProcess enrollment) {
    if (enrollment.awaitEnd(PATIENCE) != 0) {
      throw new DemoException("enrollment: " + String.join("\n", enrollment.lines()));
    }
    List<String> command =
        program(
            AGENT,
            "agent",
            "--data",
            data(i).toString(),
            "--delivery",
            DELIVERIES.get(i),
            "--interval",
            KEEPALIVE_INTERVAL,
            "--lab");
    LabProcess agent = network.onDevice(i + 1, command, _ -> {});
    return new DemoDevice(NAMES.get(i), i + 1, DELIVERIES.get(i), agent);
  }

  private Path data(int device) {
    return folder.resolve(NAMES.get(device));
  }

  /** A session stays open for some seconds, in case there is more to say. */
  private boolean awaitIdle() {
    devices.forEach(DemoDevice::awaitSessionsEnd);
    return true;
  }

  private void showIdle() {
    showAddresses();
    if (network.translates()) {
      for (DemoDevice device : devices) {
        int sockets = network.tcpSockets(device.number());
        String meaning = sockets == 0 ? ": no connection, nothing that listens" : "";
        screen.line("    %s  TCP sockets: %d%s".formatted(device.name(), sockets, meaning));
      }
      screen.line(screen.ink().faint("    network namespaces: " + namespaces()));
    }
    screen.line("");
  }

  /** That no two of the processes share one. */
  private String namespaces() {
    Stream<String> ofServers = Stream.of("server " + servers.getFirst().networkNamespace());
    Stream<String> ofDevices =
        devices.stream().map(d -> d.name() + " " + d.agent().networkNamespace());
    return Stream.concat(ofServers, ofDevices).collect(Collectors.joining(", "));
  }

  private void showAddresses() {
    Ink ink = screen.ink();
    List<Mapping> mappings = network.mappings();
    for (DemoDevice device : devices) {
      screen.line(
          "    %s  inner %s  mapped %s  server %s"
              .formatted(
                  ink.bold(device.name()),
                  ink.address(device.inner(mappings)),
                  ink.address(device.mapped()),
                  ink.address(ready.udp())));
    }
  }

  private List<JsonNode> rebootAndSend() {
    network.reboot();
    return send(api, "Back again");
  }

  /** Posts a command for each device to a server, and follows them to their ends. */
  private static List<JsonNode> send(DemoApi to, String text) {
    List<JsonNode> accepted = NAMES.stream().map(name -> to.echo(name, text)).toList();
    return accepted.stream().map(to::ended).toList();
  }

  private void show(List<JsonNode> ended) {
    List<Mapping> mappings = network.mappings();
    for (int i = 0; i < ended.size(); i++) {
      show(devices.get(i), ended.get(i), mappings);
    }
  }

  private void show(DemoDevice device, JsonNode command, List<Mapping> mappings) {
    Timeline timeline = new Timeline(command, device.inner(mappings), mappings);
    List<Timeline.Row> rows = timeline.rows(device.log());
    screen.lines(new TimelineText(screen.ink()).lines(command, device.delivery(), rows));
    screen.line("");
    allSucceeded &= command.path("state").asText().equals("SUCCEEDED");
    ObjectNode told = commands.addObject().setAll((ObjectNode) command);
    told.put("delivery", device.delivery());
    ArrayNode story = told.putArray("story");
    rows.forEach(
        row ->
            story
                .addObject()
                .put("millis", row.millis())
                .put("who", row.who())
                .put("what", row.what())
                .put("detail", row.detail()));
  }

  private List<String> program(String main, String... arguments) {
    if (network.translates()) {
      return JavaCommand.of(main, arguments);
    }
    return JavaCommand.of(
        Tethered.class.getName(), Stream.concat(Stream.of(main), Stream.of(arguments)).toList());
  }

  /** Where the API is, as address:port for the user's own shell. */
  String apiAddress() {
    return api.address();
  }

  /** The file with the token for it. */
  Path tokenFile() {
    return servers.getFirst().tokenFile();
  }

  /** All commands as told, for programs. */
  ArrayNode commands() {
    return commands;
  }
}
