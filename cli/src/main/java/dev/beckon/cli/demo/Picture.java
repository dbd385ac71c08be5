package dev.beckon.cli.demo;

import dev.beckon.lab.Nat;
import java.util.List;
import java.util.Locale;

/** The network drawn with its real addresses. */
final class Picture {

  private Picture() {}

  static List<String> nat(
      List<String> names,
      List<String> addresses,
      Nat kind,
      String router,
      String server,
      Paint paint) {
    String nat = "NAT (" + kind.name().toLowerCase(Locale.ROOT).replace('_', '-') + ")";
    return List.of(
        "  " + device(names.get(0), addresses.get(0), paint) + " ─┐",
        "  "
            + " ".repeat(WIDTH)
            + "  ├─ "
            + nat
            + " "
            + paint.address(router)
            + " ── server "
            + paint.address(server),
        "  " + device(names.get(1), addresses.get(1), paint) + " ─┘");
  }

  static List<String> loopback(List<String> names, String server, Paint paint) {
    return List.of(
        "  " + String.join(", ", names) + " ── loopback ── server " + paint.address(server));
  }

  private static final int WIDTH = 24;

  private static String device(String name, String address, Paint paint) {
    String gap = " ".repeat(Math.max(1, WIDTH - name.length() - address.length()));
    return paint.bold(name) + gap + paint.address(address);
  }
}
