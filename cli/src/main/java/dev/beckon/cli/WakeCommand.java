package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Makes a device dial in, without a command for it. */
@Command(name = "wake", description = "Make a device dial in, without a command for it.")
final class WakeCommand implements Runnable {

  private final Surroundings surroundings;

  @Mixin private final ServerOptions server = new ServerOptions();
  @Mixin private final OutputOptions output = new OutputOptions();

  @Parameters(
      paramLabel = "DEVICE",
      description = "The device's ID.",
      converter = DeviceIdConverter.class)
  private String device = "";

  WakeCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  @Override
  public void run() {
    JsonNode answer =
        server
            .open(surroundings)
            .post("/v1/devices/" + Api.escape(device) + "/wakes", Api.JSON.createObjectNode());
    if (output.json()) {
      output.print(surroundings, answer);
    } else {
      surroundings.out().println("waking " + device + " until " + answer.path("deadline").asText());
    }
  }
}
