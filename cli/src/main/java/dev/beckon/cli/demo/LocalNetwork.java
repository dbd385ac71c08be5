package dev.beckon.cli.demo;

import dev.beckon.cli.terminal.Ink;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** This machine alone: the same processes on loopback, where no router can be made. */
final class LocalNetwork implements DemoNetwork {

  private static final String LOOPBACK = "127.0.0.1";

  private final Path scratch;
  private final Queue<LabProcess> processes = new ConcurrentLinkedQueue<>();
  private final Thread hook = new Thread(this::end, "demo ends");

  LocalNetwork(Path scratch) {
    this.scratch = scratch;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  @Override
  public LabProcess onServer(int number, List<String> command, Consumer<String> onLine) {
    LabProcess process = LabProcess.start("server" + number, command, onLine);
    processes.add(process);
    return process;
  }

  @Override
  public LabProcess onDevice(int number, List<String> command, Consumer<String> onLine) {
    LabProcess process = LabProcess.start("device" + number, command, onLine);
    processes.add(process);
    return process;
  }

  @Override
  public List<String> serverAddresses(int number) {
    return List.of(LOOPBACK, LOOPBACK);
  }

  @Override
  public int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String deviceAddress(int number) {
    return LOOPBACK;
  }

  @Override
  public boolean translates() {
    return false;
  }

  @Override
  public List<Mapping> mappings() {
    return List.of();
  }

  @Override
  public void reboot() {}

  @Override
  public int tcpSockets(int device) {
    return 0;
  }

  @Override
  public String apiFromOutside(int number, int port) {
    return LOOPBACK + ":" + port;
  }

  @Override
  public List<String> picture(List<String> devices, Ink ink) {
    return Picture.loopback(devices, LOOPBACK, ink);
  }

  @Override
  public void close() {
    if (Runtime.getRuntime().removeShutdownHook(hook)) {
      end();
    }
  }

  private void end() {
    processes.forEach(LabProcess::close);
    try (Stream<Path> files = Files.walk(scratch)) {
      files.sorted(Comparator.reverseOrder()).forEach(LocalNetwork::delete);
    } catch (IOException | UncheckedIOException busy) {
      // What a dying process still holds stays in the temporary folder.
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
