package dev.beckon.cli.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.beckon.lab.JavaCommand;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The play: everything that the demo does, in its order. */
final class Demo {

  static final List<String> NAMES = List.of("kitchen", "printer");
  private static final List<String> DELIVERIES = List.of("push", "inquiry");
  private static final String KEEPALIVE_INTERVAL = "3s";
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String CLI = "dev.beckon.cli.Main";
  private static final String AGENT = "dev.beckon.agent.Main";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final DemoNetwork network;
  private final Path folder;
  private final Screen screen;
  private final ArrayNode commands = JSON.createArrayNode();
  private List<DemoDevice> devices = List.of();
  private ReadyLine ready = ReadyLine.NONE;
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
    Paint paint = screen.paint();
    screen.lines(network.picture(NAMES, paint));
    screen.line("");
    ready = screen.step("the server starts and makes its fleet CA", this::startServer);
    screen.step("two devices enroll with one-time codes", this::enroll);
    devices = screen.step("their agents start", this::startAgents);
    screen.step(
        "both idle: a keepalive every 3 s (a lab setting; 25 s otherwise)", this::awaitIdle);
    showIdle();
    send("a command for each, while they idle", "The oven is hot");
    reboot();
    showAddresses();
    return allSucceeded;
  }

  private ReadyLine startServer() {
    String host = network.serverAddress();
    LabProcess server =
        network.onServer(
            program(
                CLI,
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
    return ReadyLine.parse(server.await("ready", l -> l.startsWith("ready "), PATIENCE));
  }

  private boolean enroll() {
    List<LabProcess> additions = NAMES.stream().map(name -> client("device", "add", name)).toList();
    List<LabProcess> enrollments = new ArrayList<>();
    for (int i = 0; i < NAMES.size(); i++) {
      String code = output(additions.get(i)).strip();
      enrollments.add(
          network.onDevice(
              i + 1, program(AGENT, "enroll", code, "--data", data(i).toString()), _ -> {}));
    }
    enrollments.forEach(Demo::output);
    return true;
  }

  private List<DemoDevice> startAgents() {
    return IntStream.range(0, NAMES.size()).mapToObj(this::startAgent).toList();
  }

  private DemoDevice startAgent(int i) {
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

  /** The first session of a device tells its actions; it is idle once that is over. */
  private boolean awaitIdle() {
    devices.forEach(device -> device.awaitAnswers(3));
    return true;
  }

  private void showIdle() {
    showAddresses();
    if (network.translates()) {
      for (DemoDevice device : devices) {
        screen.line(
            "    %s has %d TCP sockets: no connection, nothing that listens"
                .formatted(device.name(), network.tcpSockets(device.number())));
      }
    }
    screen.line("");
  }

  private void showAddresses() {
    Paint paint = screen.paint();
    List<Mapping> mappings = network.mappings();
    for (DemoDevice device : devices) {
      screen.line(
          "    %s  inner %s  mapped %s  server %s"
              .formatted(
                  paint.bold(device.name()),
                  paint.address(device.inner(mappings)),
                  paint.address(device.mapped()),
                  paint.address(ready.udp())));
    }
  }

  private void reboot() {
    if (!network.translates()) {
      screen.line("  (no router here that could be rebooted)");
      return;
    }
    List<String> before = devices.stream().map(DemoDevice::mapped).toList();
    screen.step(
        "the router reboots: all mappings gone, the devices do not notice",
        () -> {
          network.reboot();
          return network.mappings().size();
        });
    send("again: the wakes are lost until the next keepalive makes a new mapping", "Back again");
    for (int i = 0; i < devices.size(); i++) {
      screen.line(
          screen.paint().faint("    %s was %s".formatted(devices.get(i).name(), before.get(i))));
    }
  }

  private void send(String what, String text) {
    List<LabProcess> senders =
        NAMES.stream()
            .map(name -> client("send", name, "echo", "text=" + text, "--wait", "--json"))
            .toList();
    List<JsonNode> ended = screen.step(what, () -> senders.stream().map(Demo::json).toList());
    List<Mapping> mappings = network.mappings();
    for (int i = 0; i < ended.size(); i++) {
      show(devices.get(i), ended.get(i), mappings);
    }
  }

  private void show(DemoDevice device, JsonNode command, List<Mapping> mappings) {
    Timeline timeline = new Timeline(command, device.inner(mappings), mappings);
    List<Timeline.Row> rows = timeline.rows(device.log());
    screen.lines(new TimelineText(screen.paint()).lines(command, device.delivery(), rows));
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

  /** Runs the command line beside the server, as its operator would. */
  private LabProcess client(String... words) {
    List<String> all = new ArrayList<>(Arrays.asList(words));
    all.addAll(List.of("--server", "http://" + ready.http(), "--token-file", token().toString()));
    return network.onServer(program(CLI, all.toArray(String[]::new)), _ -> {});
  }

  private List<String> program(String main, String... arguments) {
    if (network.translates()) {
      return JavaCommand.of(main, arguments);
    }
    return JavaCommand.of(
        Tethered.class.getName(), Stream.concat(Stream.of(main), Stream.of(arguments)).toList());
  }

  private static String output(LabProcess process) {
    int exitCode = process.awaitEnd(PATIENCE);
    String text = String.join("\n", process.lines());
    if (exitCode != 0) {
      throw new DemoException("ended with exit code " + exitCode + ":\n" + text);
    }
    return text;
  }

  /** What a command printed, also when it did not succeed: the state says so. */
  private static JsonNode json(LabProcess process) {
    process.awaitEnd(PATIENCE);
    String text = String.join("\n", process.lines());
    int start = text.indexOf('{');
    if (start < 0) {
      throw new DemoException("no answer:\n" + text);
    }
    try {
      return JSON.readTree(text.substring(start));
    } catch (JsonProcessingException e) {
      throw new DemoException("no answer that can be read:\n" + text);
    }
  }

  /** Where the server's API takes requests, on the server's own loopback. */
  int httpPort() {
    return Integer.parseInt(ready.http().substring(ready.http().lastIndexOf(':') + 1));
  }

  /** The file with the token for it. */
  Path token() {
    return folder.resolve("server").resolve("admin.token");
  }

  /** All commands as told, for programs. */
  ArrayNode commands() {
    return commands;
  }
}
