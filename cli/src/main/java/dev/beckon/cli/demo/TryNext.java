package dev.beckon.cli.demo;

import dev.beckon.cli.terminal.Ink;
import java.nio.file.Path;
import java.util.List;

/** Commands for the user's own shell, to be copied as they are. */
final class TryNext {

  private TryNext() {}

  static List<String> lines(String beckon, String url, Path token, List<String> devices, Ink ink) {
    return List.of(
        "",
        "It goes on running until you press Ctrl-C. In another terminal, try:",
        "",
        "  export BECKON_SERVER=" + url + " BECKON_TOKEN=$(cat " + token + ")",
        "",
        "  " + beckon + " device list",
        "  " + beckon + " device show " + devices.get(0),
        "  " + beckon + " send " + devices.get(0) + " display text=\"Dinner is ready\" --wait",
        "  " + beckon + " send " + devices.get(1) + " echo text=hi --wait",
        "  " + beckon + " command list",
        "",
        ink.faint("Each command takes --help. The server's API is at " + url + "/openapi.yaml"));
  }
}
