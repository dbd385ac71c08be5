package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Option;

/** A command that makes an enrollment code and prints it, alone on standard output. */
abstract class InvitingCommand extends RequestCommand {

  private final String next;

  @Option(
      names = "--valid",
      paramLabel = "DURATION",
      description =
          "How long the code can be used, such as 10m or 24h (default: ${DEFAULT-VALUE}).")
  private String valid = "1h";

  /**
   * @param next what to do with the code, and where
   */
  InvitingCommand(Surroundings surroundings, String next) {
    super(surroundings);
    this.next = next;
  }

  final String valid() {
    return valid;
  }

  @Override
  void show(JsonNode answer) {
    print(answer.path("enrollmentCode").asText());
    if (surroundings().outIsTerminal()) {
      remark("  " + next.formatted("within " + valid));
    }
  }
}
