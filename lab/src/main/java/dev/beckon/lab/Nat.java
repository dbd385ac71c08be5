package dev.beckon.lab;

/**
 * How a router translates UDP, in the words of RFC 4787, section 4.1 (mapping) and 5 (filtering).
 */
public enum Nat {
  /**
   * Keeps the inner port while it is free, so that every destination sees the same mapped address:
   * endpoint-independent mapping, address-and-port-dependent filtering. Most home routers.
   */
  PORT_PRESERVING("endpoint-independent", "address-and-port-dependent"),

  /**
   * Draws a random port for every destination: address-and-port-dependent mapping and filtering.
   * Carriers, company firewalls, mobile networks.
   */
  SYMMETRIC("address-and-port-dependent", "address-and-port-dependent"),

  /**
   * One mapping for all destinations, open to all senders while it lives: endpoint-independent
   * mapping and filtering.
   */
  ENDPOINT_INDEPENDENT("endpoint-independent", "endpoint-independent");

  private final String mapping;
  private final String filtering;

  Nat(String mapping, String filtering) {
    this.mapping = mapping;
    this.filtering = filtering;
  }

  /** Mapping behaviour, RFC 4787, section 4.1. */
  public String mapping() {
    return mapping;
  }

  /** Filtering behaviour, RFC 4787, section 5. */
  public String filtering() {
    return filtering;
  }
}
