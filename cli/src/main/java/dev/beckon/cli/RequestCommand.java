package dev.beckon.cli;

import com.fasterxml.jackson.databind.JsonNode;

/** A command that asks the server once, and shows what it answers. */
abstract class RequestCommand extends ClientCommand implements Runnable {

  RequestCommand(Surroundings surroundings) {
    super(surroundings);
  }

  /** Asks. */
  abstract JsonNode ask(Api api);

  /** Shows the answer to people; programs get it as it is. */
  abstract void show(JsonNode answer);

  @Override
  public final void run() {
    JsonNode answer = ask(api());
    if (json()) {
      print(answer);
    } else {
      show(answer);
    }
  }
}
