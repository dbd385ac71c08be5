package dev.beckon.lab;

/** Which way a packet goes through a router. */
public enum Direction {
  /** From the devices to the server. */
  UP,
  /** From the server to the devices. */
  DOWN
}
