package dev.beckon.cli;

/** Colours for one stream: real ones if it is a terminal, none otherwise. */
record Ink(boolean colours) {

  String good(String text) {
    return paint("32", text);
  }

  String bad(String text) {
    return paint("31", text);
  }

  String waiting(String text) {
    return paint("33", text);
  }

  String bold(String text) {
    return paint("1", text);
  }

  String faint(String text) {
    return paint("2", text);
  }

  private String paint(String code, String text) {
    return colours ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
  }
}
