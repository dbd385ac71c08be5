package dev.beckon.lab;

/**
 * How badly a line treats the packets of one direction.
 *
 * @param loss probability that a packet is lost
 * @param duplication probability that it arrives twice
 * @param corruption probability that the first byte of its content is overwritten
 * @param udpOnly whether TCP is spared
 */
public record Weather(double loss, double duplication, double corruption, boolean udpOnly) {

  /** Checks the ranges. */
  public Weather {
    check("loss", loss);
    check("duplication", duplication);
    check("corruption", corruption);
  }

  private static void check(String name, double probability) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new IllegalArgumentException(name + ": " + probability + " (expected 0.0 to 1.0)");
    }
  }

  /** Packets of all protocols get lost. */
  public static Weather losing(double probability) {
    return new Weather(probability, 0, 0, false);
  }

  /** Datagrams arrive twice. */
  public static Weather duplicating(double probability) {
    return new Weather(0, probability, 0, true);
  }

  /** Datagrams arrive with another first byte. */
  public static Weather corrupting(double probability) {
    return new Weather(0, 0, probability, true);
  }
}
