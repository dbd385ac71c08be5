package dev.beckon.cli.terminal;

/**
 * Colours for one stream: real ones if it is a terminal, none otherwise.
 *
 * @param colours whether the stream shows them
 */
public record Ink(boolean colours) {

  public String good(String text) {
    return paint("32", text);
  }

  public String bad(String text) {
    return paint("31", text);
  }

  public String waiting(String text) {
    return paint("33", text);
  }

  public String address(String text) {
    return paint("36", text);
  }

  public String bold(String text) {
    return paint("1", text);
  }

  public String faint(String text) {
    return paint("2", text);
  }

  private String paint(String code, String text) {
    return colours ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
  }
}
