package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a device dial a server, without a command for it. */
@Command(name = "wake", description = "Make a device dial a server, without a command for it.")
final class WakeCommand implements Runnable {

  private final Surroundings surroundings;

  @Mixin private final ServerOptions server = new ServerOptions();
  @Mixin private final OutputOptions output = new OutputOptions();

  @Parameters(
      paramLabel = "DEVICE",
      description = "The device's ID.",
      converter = DeviceIdConverter.class)
  private String device = "";

  @Option(
      names = "--app-server",
      paramLabel = "NUMBER",
      description = "The server that the device shall dial (default: the one that is asked).")
  private @Nullable Integer appServer;

  WakeCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  @Override
  public void run() {
    ObjectNode request = Api.JSON.createObjectNode();
    if (appServer != null) {
      request.put("server", appServer);
    }
    JsonNode answer =
        server.open(surroundings).post("/v1/devices/" + Api.escape(device) + "/wakes", request);
    if (output.json()) {
      output.print(surroundings, answer);
    } else {
      surroundings
          .out()
          .println(
              "waking "
                  + device
                  + (appServer == null ? "" : " for server " + appServer)
                  + " until "
                  + answer.path("deadline").asText());
    }
  }
}
