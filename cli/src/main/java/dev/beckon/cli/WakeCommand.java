package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a device dial a server, without a command for it. */
@Command(name = "wake", description = "Make a device dial a server, without a command for it.")
final class WakeCommand extends RequestCommand {

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
    super(surroundings);
  }

  @Override
  JsonNode ask(Api api) {
    ObjectNode request = Api.JSON.createObjectNode();
    if (appServer != null) {
      request.put("server", appServer);
    }
    return api.post("/v1/devices/" + Api.escape(device) + "/wakes", request);
  }

  @Override
  void show(JsonNode answer) {
    print(
        "waking "
            + device
            + (appServer == null ? "" : " for server " + appServer)
            + " until "
            + answer.path("deadline").asText());
  }
}
