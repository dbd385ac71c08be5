package dev.beckon.cli.demo;

import dev.beckon.lab.LabProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** One server of the demo: its process and its API. */
final class DemoServer {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final DemoNetwork network;
  private final int number;
  private final Path data;
  private final LabProcess process;

  private DemoServer(DemoNetwork network, int number, Path data, LabProcess process) {
    this.network = network;
    this.number = number;
    this.data = data;
    this.process = process;
  }

  /**
   * Starts it; it may not take traffic yet when this returns.
   *
   * @param number of its host, from 1
   * @param data its data folder
   * @param command that starts it, with this data folder
   */
  static DemoServer start(DemoNetwork network, int number, Path data, List<String> command) {
    return new DemoServer(network, number, data, network.onServer(number, command, _ -> {}));
  }

  /** Waits until it takes traffic. */
  ReadyLine awaitReady() {
    return ReadyLine.parse(process.await("ready", l -> l.startsWith("ready "), PATIENCE));
  }

  /** Waits until it takes traffic; its API, reached from outside. */
  DemoApi awaitApi() {
    String address = network.apiFromOutside(number, awaitReady().httpPort());
    try {
      return new DemoApi(address, Files.readString(tokenFile()).strip());
    } catch (IOException e) {
      throw new DemoException("no token: " + e);
    }
  }

  /** The file with the token for its API. */
  Path tokenFile() {
    return data.resolve("admin.token");
  }

  String networkNamespace() {
    return process.networkNamespace();
  }

  /** Ends it and waits until it is gone. */
  void stop() {
    process.stop();
    process.awaitEnd(PATIENCE);
  }
}
