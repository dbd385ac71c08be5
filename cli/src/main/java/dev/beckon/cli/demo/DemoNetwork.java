package dev.beckon.cli.demo;

import dev.beckon.cli.terminal.Ink;
import dev.beckon.lab.LabProcess;
import dev.beckon.lab.Mapping;
import java.util.List;
import java.util.function.Consumer;

/** Where the demo's processes run. Closing it ends them all. */
interface DemoNetwork extends AutoCloseable {

  /** Starts a program where a server is, from 1: the rendezvous server, then the others. */
  LabProcess onServer(int number, List<String> command, Consumer<String> onLine);

  /** Starts a program where a device is, from 1. */
  LabProcess onDevice(int number, List<String> command, Consumer<String> onLine);

  /** A server's two addresses as the devices know them, from 1. They may be the same. */
  List<String> serverAddresses(int number);

  /** A TCP port that is free where a server is. */
  int freePort();

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

  /** Where the user's own shell reaches a port of a server's loopback, as address:port. */
  String apiFromOutside(int number, int port);

  /** A picture of it, with the names that the devices have in the demo. */
  List<String> picture(List<String> devices, Ink ink);

  @Override
  void close();
}
