package dev.beckon.server;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** What one server process does. By default it does all of it. */
public enum Role {
  /** Remembers where devices are, wakes them, enrolls devices and servers: server number 0. */
  RENDEZVOUS,
  /** Takes commands and hands them to devices: for number 0, or for a number of its own. */
  DELIVERY,
  /** Versions, signs and serves the list of application servers: server number 65535. */
  DIRECTORY;

  /** As on the command line: {@code rendezvous}, {@code delivery} or {@code directory}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Several of them as on the command line, separated by commas. */
  public static String text(Set<Role> roles) {
    return roles.stream().sorted().map(Role::text).collect(Collectors.joining(","));
  }

  /**
   * Reads roles separated by commas.
   *
   * @throws IllegalArgumentException if one is none of the three, or there is none
   */
  public static Set<Role> parse(String text) {
    Set<Role> roles = EnumSet.noneOf(Role.class);
    for (String each : text.split(",", -1)) {
      roles.add(
          Arrays.stream(values())
              .filter(role -> role.text().equals(each.strip()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "role: "
                              + text
                              + " (expected rendezvous, delivery, directory, or some of them"
                              + " separated by commas)")));
    }
    return roles;
  }
}
