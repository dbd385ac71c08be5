package dev.beckon.server.udp;

import dev.beckon.protocol.datagram.DatagramReader;

/**
 * Datagrams that were received together, each with its source. Filled again and again by one
 * thread.
 */
public final class Batch {
  /** Enough to make system calls cheap; the first answer waits some 0.2 ms for the last. */
  public static final int CAPACITY = 64;

  // One byte more than the longest: what fills it is too long.
  private final byte[][] bytes = new byte[CAPACITY][DatagramReader.MAX_BYTES + 1];
  private final int[] lengths = new int[CAPACITY];
  private final long[] addressesHigh = new long[CAPACITY];
  private final long[] addressesLow = new long[CAPACITY];
  private final int[] ports = new int[CAPACITY];
  private int size;

  public void clear() {
    size = 0;
  }

  /** Where the bytes of the next datagram belong, before {@link #add}. */
  public byte[] room() {
    return bytes[size];
  }

  /** Adds the datagram whose bytes are in {@link #room}. */
  public void add(int length, long addressHigh, long addressLow, int port) {
    lengths[size] = length;
    addressesHigh[size] = addressHigh;
    addressesLow[size] = addressLow;
    ports[size] = port;
    size++;
  }

  public int size() {
    return size;
  }

  public byte[] bytes(int i) {
    return bytes[i];
  }

  public int length(int i) {
    return lengths[i];
  }

  /** The source as in {@link dev.beckon.protocol.datagram.AddressBits}. */
  public long addressHigh(int i) {
    return addressesHigh[i];
  }

  public long addressLow(int i) {
    return addressesLow[i];
  }

  public int port(int i) {
    return ports[i];
  }
}
