package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.beckon.cli.terminal.Ink;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * What every command has that talks to a server: where the server is, and for whom it prints.
 * Results go to standard output, everything else that people read to standard error.
 */
abstract class ClientCommand {

  private final Surroundings surroundings;

  @Mixin private final ServerOptions server = new ServerOptions();

  @Option(names = "--json", description = "Print JSON, for programs.")
  private boolean json;

  ClientCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  final Surroundings surroundings() {
    return surroundings;
  }

  /** The server that the options name. */
  final Api api() {
    return server.open(surroundings);
  }

  /** Whether a program reads the results. */
  final boolean json() {
    return json;
  }

  final void print(String line) {
    surroundings.out().println(line);
  }

  final void print(JsonNode answer) {
    print(answer.toPrettyString());
  }

  /** Prints the rows; {@code paint} colours a cell by its text. */
  final void print(Table table, UnaryOperator<String> paint) {
    table.lines(ink(), paint).forEach(this::print);
  }

  /** Says something that is no result. */
  final void remark(String line) {
    surroundings.err().println(line);
  }

  /** The colours of standard output. */
  final Ink ink() {
    return new Ink(surroundings.colours(surroundings.outIsTerminal()));
  }
}
