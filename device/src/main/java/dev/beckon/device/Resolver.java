package dev.beckon.device;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Asks for the addresses of a host, IPv4 and IPv6 alike; blocks. */
@FunctionalInterface
interface Resolver {
  /**
   * The system's. The JDK keeps what it learns for 30 s; a program that must follow changes at once
   * sets the security property {@code networkaddress.cache.ttl} to 0 when it starts.
   */
  Resolver SYSTEM = InetAddress::getAllByName;

  /**
   * @param host name or address
   * @throws UnknownHostException if it has none, or nobody can be asked
   */
  InetAddress[] resolve(String host) throws UnknownHostException;
}
