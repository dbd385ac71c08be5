package dev.beckon.cli.demo;

import dev.beckon.cli.terminal.Ink;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import java.util.List;
import java.util.function.Consumer;

/** Where the demo's processes run. Closing it ends them all. */
interface DemoNetwork extends AutoCloseable {

  /** Starts a program where the server is. */
  LabProcess onServer(List<String> command, Consumer<String> onLine);

  /** Starts a program where a device is, from 1. */
  LabProcess onDevice(int number, List<String> command, Consumer<String> onLine);

  /** The server's address as the devices know it. */
  String serverAddress();

  /** A device's own address. */
  String deviceAddress(int number);

  /** Whether a router translates between them. */
  boolean translates();

  /** What the router remembers now; empty without one. */
  List<Mapping> mappings();

  /** Makes the router forget; nothing without one. */
  void reboot();

  /** Number of TCP sockets, listening or connected, where a device is. */
  int tcpSockets(int device);

  /** Where the user's own shell reaches a port of the server's loopback, as address:port. */
  String apiFromOutside(int port);

  /** A picture of it, with the names that the devices have in the demo. */
  List<String> picture(List<String> devices, Ink ink);

  @Override
  void close();
}
