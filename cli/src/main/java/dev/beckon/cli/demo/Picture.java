package dev.beckon.cli.demo;

import dev.beckon.cli.terminal.Ink;
import dev.beckon.lab.Nat;
import java.util.List;
import java.util.Locale;

/** The network drawn with its real addresses. */
final class Picture {

  private Picture() {}

  /**
   * Two devices behind a NAT.
   *
   * @param servers addresses of the rendezvous, the application and the directory server
   */
  static List<String> nat(
      List<String> names,
      List<String> addresses,
      Nat kind,
      String router,
      List<String> servers,
      Ink ink) {
    String nat = "NAT (" + kind.name().toLowerCase(Locale.ROOT).replace('_', '-') + ")";
    String gap = " ".repeat(WIDTH);
    String between = " ".repeat(nat.length() + router.length() + 4);
    return List.of(
        "  "
            + device(names.get(0), addresses.get(0), ink)
            + " ─┐ "
            + between
            + " ┌─ rendezvous server  "
            + ink.address(servers.get(0)),
        "  "
            + gap
            + "  ├─ "
            + nat
            + " "
            + ink.address(router)
            + " ──┼─ application server "
            + ink.address(servers.get(1)),
        "  "
            + device(names.get(1), addresses.get(1), ink)
            + " ─┘ "
            + between
            + " └─ directory server   "
            + ink.address(servers.get(2)));
  }

  static List<String> loopback(List<String> names, String server, Ink ink) {
    return List.of(
        "  " + String.join(", ", names) + " ── loopback ── server " + ink.address(server));
  }

  private static final int WIDTH = 24;

  private static String device(String name, String address, Ink ink) {
    String gap = " ".repeat(Math.max(1, WIDTH - name.length() - address.length()));
    return ink.bold(name) + gap + ink.address(address);
  }
}
