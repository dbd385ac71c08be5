package dev.beckon.agent.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.beckon.agent.config.ConfigException;
import dev.beckon.device.Command;
import dev.beckon.device.Result;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ControlActionTest {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  @TempDir private Path folder;
  private HttpServer http;
  private final List<String> requests = new CopyOnWriteArrayList<>();

  @BeforeEach
  void start() throws IOException {
    http = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
    http.createContext(
        "/",
        exchange -> {
          String body =
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          requests.add(
              exchange.getRequestMethod()
                  + " "
                  + exchange.getRequestURI()
                  + " "
                  + exchange.getRequestHeaders().getFirst("Authorization")
                  + " "
                  + body);
          byte[] answer = "{\"state\":\"on\"}".getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(
              exchange.getRequestURI().getPath().contains("broken") ? 503 : 200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    http.start();
  }

  @AfterEach
  void stop() {
    http.stop(0);
  }

  @Test
  void sendsTheMagicPacketOfWakeOnLan() throws Exception {
    try (DatagramSocket machine = new DatagramSocket(0, LOOPBACK)) {
      machine.setSoTimeout(10_000);
      Result result =
          run(
              "{wake-on-lan: {nas: {mac: '00:11:22:aa:Bb:cc', broadcast: 127.0.0.1, port: "
                  + machine.getLocalPort()
                  + "}}}",
              Map.of("wake", "nas"));

      DatagramPacket packet = new DatagramPacket(new byte[200], 200);
      machine.receive(packet);
      assertThat(HexFormat.of().formatHex(Arrays.copyOf(packet.getData(), packet.getLength())))
          .isEqualTo("ffffffffffff" + "001122aabbcc".repeat(16));
      assertThat(result.values())
          .containsEntry("mac", "00:11:22:aa:Bb:cc")
          .containsEntry("sent-to", "127.0.0.1:" + machine.getLocalPort());
    }
  }

  @Test
  void callsAnotherDeviceAndReturnsItsAnswer() throws Exception {
    Result result =
        run(
            "{calls: {level: {method: PUT, url: '"
                + url("/lamps/{lamp}?level={level}")
                + "', headers: {Authorization: Bearer x},"
                + " parameters: {lamp: {}, level: {type: integer, minimum: 0, maximum: 9}}}}}",
            Map.of("call", "level", "lamp", "living room/..é?&#", "level", "3"));

    assertThat(requests)
        .containsExactly("PUT /lamps/living%20room%2F..%C3%A9%3F%26%23?level=3 Bearer x ");
    assertThat(result.values())
        .containsEntry("status", "200")
        .containsEntry("answer", "{\"state\":\"on\"}");
    assertThat(result.body()).asString(StandardCharsets.UTF_8).isEqualTo("{\"state\":\"on\"}");
  }

  @Test
  void sendsTheConfiguredBodyOrTheCommands() throws Exception {
    String calls =
        "{calls: {fixed: {method: POST, url: '"
            + url("/a")
            + "', body: 'on=1'},"
            + " free: {method: POST, url: '"
            + url("/b")
            + "'}}}";

    run(calls, Map.of("call", "fixed"));
    FailedException.caught(action(calls))
        .run(
            Command.of(
                "control",
                Map.of("call", "free"),
                Files.writeString(folder.resolve("body"), "level=4"),
                (percent, text) -> {}));

    assertThat(requests).containsExactly("POST /a null on=1", "POST /b null level=4");
  }

  @Test
  void aStatusThatMeansNoIsATypedFailure() throws Exception {
    assertThat(run("{calls: {c: {url: '" + url("/broken") + "'}}}", Map.of("call", "c")).values())
        .containsEntry("failure", "http-status")
        .containsEntry("status", "503");
  }

  @Test
  void aDeviceThatIsNotThereIsATypedFailure() throws Exception {
    assertThat(run("{calls: {c: {url: 'http://127.0.0.1:1/'}}}", Map.of("call", "c")).values())
        .containsEntry("failure", "unreachable");
  }

  @Test
  void noReasonTellsMoreOfTheUrlThanItsHost() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 1, LOOPBACK)) {
      String host = "127.0.0.1:" + silent.getLocalPort();
      String call = "{calls: {c: {url: 'http://%s/round?pin={pin}', parameters: {pin: {}}, %s}}}";
      Map<String, String> arguments = Map.of("call", "c", "pin", "a*b");

      assertThat(run(call.formatted(host, "time-limit: 300ms"), arguments).failure())
          .isEqualTo("time limit: 300ms passed (expected an answer from " + host + ")");

      http.createContext(
          "/round",
          exchange -> {
            exchange.getResponseHeaders().add("Location", exchange.getRequestURI().toString());
            exchange.sendResponseHeaders(307, -1);
            exchange.close();
          });
      String round = "127.0.0.1:" + http.getAddress().getPort();
      assertThat(run(call.formatted(round, "time-limit: 10s"), arguments).failure())
          .isEqualTo("target: " + round + " (expected at most 5 redirects)");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "fits",
      textBlock =
          """
          wake=nas              | fits
          call=on               | fits
          call=lamp lamp=x      | fits
          wake=pc               | wake: pc (expected one of nas)
          call=off              | call: off (expected one of on, lamp)
          call=on wake=nas      | wake: beside call (expected one of them)
          lamp=x                | arguments: neither wake nor call (expected one of them)
          wake=nas lamp=x       | wake: with parameters (expected none)
          call=on lamp=x        | lamp: unknown argument (expected [] for call on)
          call=lamp             | lamp: missing (expected text of 1 to 9 characters)
          call=lamp lamp=..     | url: .. (expected no part of the path to become . or ..)
          call=lamp lamp=.      | url: . (expected no part of the path to become . or ..)
          call=lamp lamp=../../x | url: .. (expected no part of the path to become . or ..)
          call=lamp lamp=a\\..\\x  | url: .. (expected no part of the path to become . or ..)
          call=lamp lamp=a/..b  | fits
          """)
  void allowsWhatTheConfigurationAllows(String arguments, String refusal) throws Exception {
    Map<String, String> map = new java.util.TreeMap<>();
    for (String pair : arguments.split(" ")) {
      map.put(pair.split("=")[0], pair.split("=")[1]);
    }

    assertThat(
            action(
                    "{wake-on-lan: {nas: {mac: 00-11-22-33-44-55}}, calls: {on: {url: 'http://a/'},"
                        + " lamp: {url: 'http://a/l/{lamp}', parameters: {lamp: {minimum: 1,"
                        + " maximum: 9}}}}}")
                .action()
                .refusal(map, false))
        .isEqualTo(refusal);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {wake-on-lan: {n: {mac: '1:2:3:4:5:6'}}}                 | mac: 1:2:3:4:5:6 (expected six bytes, such as 00:11:22:aa:bb:cc)
          {wake-on-lan: {n: {}}}                                   | mac: missing (expected six bytes
          {wake-on-lan: {n: {mac: 00-11-22-33-44-55, broadcast: x.example}}} | broadcast: x.example (expected an IPv4 address)
          {calls: {c: {}}}                                         | url: missing (expected an http URL)
          {calls: {c: {url: 'ftp://a/'}}}                          | url: ftp://a/ (expected an http:// or https:// URL with a host)
          {calls: {c: {url: 'http://{h}/', parameters: {h: {}}}}}  | url: http://{h}/ (expected a fixed host and port)
          {calls: {c: {url: 'http://a/{x}'}}}                      | url: {x} (expected one of the parameters [])
          {calls: {c: {url: 'http://a/', parameters: {x: {}}}}}    | x: unused (expected {x} in the url)
          {calls: {c: {url: 'http://a/{call}', parameters: {call: {}}}}} | call: taken (expected another name)
          {calls: {c: {url: 'http://a/', body: x}}}                | body: with GET (expected method: POST, PUT or PATCH)
          {calls: {'a b': {url: 'http://a/'}}}                     | a b: a name (expected one word
          """)
  void saysWhatIsWrongInTheConfiguration(String control, String message) {
    assertThatThrownBy(() -> action(control))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("agent.yaml:1: ")
        .hasMessageContaining(message);
  }

  private String url(String path) {
    return "http://127.0.0.1:" + http.getAddress().getPort() + path;
  }

  private static ControlAction action(String control) throws ConfigException {
    return new ControlAction(Actions.read("control: " + control).control());
  }

  private static Result run(String control, Map<String, String> arguments) throws Exception {
    return FailedException.caught(action(control))
        .run(Command.of("control", arguments, (percent, text) -> {}));
  }
}
