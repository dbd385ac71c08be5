package dev.beckon.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.cli.terminal.Ink;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The play: everything that the demo does, in its order. */
final class Demo {

  static final List<String> NAMES = List.of("kitchen", "printer");
  private static final List<String> DELIVERIES = List.of("push", "inquiry");
  private static final String KEEPALIVE_INTERVAL = "3s";
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String AGENT = "dev.beckon.agent.Main";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final DemoNetwork network;
  private final Path folder;
  private final Screen screen;
  private final ArrayNode commands = JSON.createArrayNode();
  private Optional<LabProcess> server = Optional.empty();
  private List<DemoDevice> devices = List.of();
  private ReadyLine ready = ReadyLine.NONE;
  private DemoApi api = new DemoApi("127.0.0.1", "");
  private String apiAddress = "";
  private boolean allSucceeded = true;

  /**
   * A demo to be played.
   *
   * @param folder where the server and the devices keep their files
   */
  Demo(DemoNetwork network, Path folder, Screen screen) {
    this.network = network;
    this.folder = folder;
    this.screen = screen;
  }

  /** Plays it; whether every command succeeded. */
  boolean play() {
    Ink ink = screen.ink();
    screen.lines(network.picture(NAMES, ink));
    screen.line("");
    api = screen.step("the server starts and makes its fleet CA", this::startServer);
    devices = screen.step("two devices enroll with one-time codes and start", this::startDevices);
    screen.step(
        "both idle: a keepalive every 3 s (a lab setting; 25 s otherwise)", this::awaitIdle);
    showIdle();
    show(screen.step("a command for each, while they idle", () -> send("The oven is hot")));
    if (network.translates()) {
      screen.step("both idle again: their sessions have ended", this::awaitIdle);
      String step =
          "the router reboots, all mappings gone; a command for each, before a device notices";
      show(screen.step(step, this::rebootAndSend));
      showAddresses();
    } else {
      screen.line("  (no router here that could be rebooted)");
    }
    return allSucceeded;
  }

  private DemoApi startServer() {
    String host = network.serverAddress();
    LabProcess process =
        network.onServer(
            program(
                "dev.beckon.cli.Main",
                "serve",
                "--data",
                folder.resolve("server").toString(),
                "--udp",
                host + ":0",
                "--tls",
                host + ":0",
                "--http",
                "127.0.0.1:0",
                "--advertise",
                host),
            _ -> {});
    server = Optional.of(process);
    ready = ReadyLine.parse(process.await("ready", l -> l.startsWith("ready "), PATIENCE));
    apiAddress = network.apiFromOutside(ready.httpPort());
    try {
      return new DemoApi(apiAddress, Files.readString(tokenFile()).strip());
    } catch (IOException e) {
      throw new DemoException("no token: " + e);
    }
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
    Stream<String> ofServer = server.stream().map(p -> "server " + p.networkNamespace());
    Stream<String> ofDevices =
        devices.stream().map(d -> d.name() + " " + d.agent().networkNamespace());
    return Stream.concat(ofServer, ofDevices).collect(Collectors.joining(", "));
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
    return send("Back again");
  }

  private List<JsonNode> send(String text) {
    List<JsonNode> accepted = NAMES.stream().map(name -> api.echo(name, text)).toList();
    return accepted.stream().map(api::ended).toList();
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
    return apiAddress;
  }

  /** The file with the token for it. */
  Path tokenFile() {
    return folder.resolve("server").resolve("admin.token");
  }

  /** All commands as told, for programs. */
  ArrayNode commands() {
    return commands;
  }
}
