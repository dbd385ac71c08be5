package dev.beckon.cli.demo;

import dev.beckon.cli.terminal.Ink;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import dev.beckon.lab.Nat;
import dev.beckon.lab.NatLab;
import dev.beckon.lab.Topology;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Two devices behind one symmetric NAT, the kind that is hardest to come through; three servers on
 * hosts of their own.
 */
final class NatNetwork implements DemoNetwork {

  private static final Nat KIND = Nat.SYMMETRIC;
  private static final int SESSION_PORT = 5349;

  private final NatLab lab;
  private final Path scratch;

  /**
   * Builds it.
   *
   * @param scratch deleted when all has ended
   */
  NatNetwork(Path scratch) {
    this.scratch = scratch;
    lab = NatLab.start(Topology.behind(KIND).withDevices(2).withServers(3), scratch);
  }

  @Override
  public LabProcess onServer(int number, List<String> command, Consumer<String> onLine) {
    return lab.server(number).start(command, onLine);
  }

  @Override
  public LabProcess onDevice(int number, List<String> command, Consumer<String> onLine) {
    return lab.device(number).start(command, onLine);
  }

  @Override
  public List<String> serverAddresses(int number) {
    return lab.server(number).addresses();
  }

  @Override
  public int freePort() {
    return SESSION_PORT; // each host is the server's own
  }

  @Override
  public String deviceAddress(int number) {
    return lab.device(number).address();
  }

  @Override
  public boolean translates() {
    return true;
  }

  @Override
  public List<Mapping> mappings() {
    return lab.router().mappings();
  }

  @Override
  public void reboot() {
    lab.router().reboot();
  }

  @Override
  public int tcpSockets(int device) {
    return (int)
        lab.device(device).sockets().stream().filter(s -> s.protocol().equals("tcp")).count();
  }

  @Override
  public String apiFromOutside(int number, int port) {
    return "127.0.0.1:" + lab.server(number).door(port, scratch).address().getPort();
  }

  @Override
  public List<String> picture(List<String> devices, Ink ink) {
    return Picture.nat(
        devices,
        List.of(lab.device(1).address(), lab.device(2).address()),
        KIND,
        lab.router().address(),
        List.of(lab.server(1).address(), lab.server(2).address(), lab.server(3).address()),
        ink);
  }

  @Override
  public void close() {
    lab.close();
  }
}
