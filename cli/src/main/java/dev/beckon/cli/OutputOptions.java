package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Option;

/** The option of every command that prints something. */
final class OutputOptions {

  @Option(names = "--json", description = "Print JSON, for programs.")
  private boolean json;

  boolean json() {
    return json;
  }

  void print(Surroundings surroundings, JsonNode answer) {
    surroundings.out().println(answer.toPrettyString());
  }
}
