package dev.beckon.server.udp;

import dev.beckon.protocol.datagram.AddressBits;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;

/**
 * Linux's socket calls, through the foreign function API. Numbers and layouts are those of 64-bit
 * little-endian Linux on x86-64 and AArch64, which are the same.
 *
 * <p>A call that fails returns minus the error number, as the kernel itself does it.
 */
public final class LinuxSockets {
  public static final int EINTR = 4;
  public static final int EAGAIN = 11;

  /** Nobody listens there: reported by the next call on a connected socket, then forgotten. */
  public static final int ECONNREFUSED = 111;

  static final int AF_INET = 2;
  static final int AF_INET6 = 10;
  public static final int SOL_SOCKET = 1;
  public static final int SO_SNDBUF = 7;
  public static final int SO_RCVBUF = 8;
  static final int SO_REUSEPORT = 15;
  static final int SO_RCVTIMEO = 20;
  static final int IPPROTO_IPV6 = 41;
  static final int IPV6_V6ONLY = 26;
  public static final int MSG_DONTWAIT = 0x40;
  static final int MSG_WAITFORONE = 0x10000;

  private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
  private static final int SHUT_RDWR = 2;

  private static final ValueLayout.OfInt I = ValueLayout.JAVA_INT;
  private static final MemoryLayout P = ValueLayout.ADDRESS;

  /**
   * The handles are constants of a class of their own, so that other systems never look them up.
   */
  private static final class Calls {
    static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");
    static final MethodHandle SOCKET = find("socket", FunctionDescriptor.of(I, I, I, I));
    static final MethodHandle BIND = find("bind", FunctionDescriptor.of(I, I, P, I));
    static final MethodHandle CONNECT = find("connect", FunctionDescriptor.of(I, I, P, I));
    static final MethodHandle SETSOCKOPT =
        find("setsockopt", FunctionDescriptor.of(I, I, I, I, P, I));
    static final MethodHandle GETSOCKNAME = find("getsockname", FunctionDescriptor.of(I, I, P, P));
    static final MethodHandle RECVMMSG = find("recvmmsg", FunctionDescriptor.of(I, I, P, I, I, P));
    static final MethodHandle SENDMMSG = find("sendmmsg", FunctionDescriptor.of(I, I, P, I, I));
    static final MethodHandle SHUTDOWN = find("shutdown", FunctionDescriptor.of(I, I, I));
    static final MethodHandle CLOSE = find("close", FunctionDescriptor.of(I, I));

    @SuppressWarnings("restricted") // native access is what this class is for
    static final MethodHandle STRERROR =
        Linker.nativeLinker()
            .downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("strerror"),
                FunctionDescriptor.of(
                    ValueLayout.ADDRESS.withTargetLayout(
                        MemoryLayout.sequenceLayout(256, ValueLayout.JAVA_BYTE)),
                    I));

    @SuppressWarnings("restricted")
    private static MethodHandle find(String name, FunctionDescriptor function) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), function, ERRNO);
    }
  }

  private LinuxSockets() {}

  /** Whether this system is one that they exist on. */
  public static boolean available() {
    String architecture = System.getProperty("os.arch");
    return System.getProperty("os.name").equals("Linux")
        && (architecture.equals("amd64") || architecture.equals("aarch64"))
        && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
  }

  /** Room for {@code errno}, one per thread. */
  public static MemorySegment callState(Arena arena) {
    return arena.allocate(Linker.Option.captureStateLayout());
  }

  public static int open(MemorySegment state, boolean ipv4) throws IOException {
    return checked(
        state,
        () ->
            (int)
                Calls.SOCKET.invokeExact(state, ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM_CLOEXEC, 0));
  }

  public static void bind(MemorySegment state, int socket, MemorySegment address)
      throws IOException {
    int length = (int) address.byteSize();
    checked(state, () -> (int) Calls.BIND.invokeExact(state, socket, address, length));
  }

  /** From now on the socket sends to that address, and takes from it alone. */
  public static void connect(MemorySegment state, int socket, MemorySegment address)
      throws IOException {
    int length = (int) address.byteSize();
    checked(state, () -> (int) Calls.CONNECT.invokeExact(state, socket, address, length));
  }

  /** A socket address as the kernel takes it. */
  public static MemorySegment address(Arena arena, InetSocketAddress address) {
    InetAddress ip = address.getAddress();
    int scope = ip instanceof Inet6Address ipv6 ? ipv6.getScopeId() : 0;
    MemorySegment name = arena.allocate(32, 8);
    int length =
        Messages.writeAddress(
            name, 0, AddressBits.high(ip), AddressBits.low(ip), address.getPort(), scope);
    return name.asSlice(0, length);
  }

  public static void setOption(
      MemorySegment state, int socket, int level, int name, MemorySegment value)
      throws IOException {
    int length = (int) value.byteSize();
    checked(
        state, () -> (int) Calls.SETSOCKOPT.invokeExact(state, socket, level, name, value, length));
  }

  /** Writes the local address; {@code length} holds the room before. */
  public static void localAddress(
      MemorySegment state, int socket, MemorySegment address, MemorySegment length)
      throws IOException {
    checked(state, () -> (int) Calls.GETSOCKNAME.invokeExact(state, socket, address, length));
  }

  /** Waits for one; number of messages received, at least 1, or minus an error number. */
  static int receive(MemorySegment state, int socket, MemorySegment messages, int count) {
    return receive(state, socket, messages, count, MSG_WAITFORONE);
  }

  /** As above, with the kernel's flags: {@link #MSG_DONTWAIT} for what is there already. */
  public static int receive(
      MemorySegment state, int socket, MemorySegment messages, int count, int flags) {
    try {
      int received =
          (int)
              Calls.RECVMMSG.invokeExact(state, socket, messages, count, flags, MemorySegment.NULL);
      return received >= 0 ? received : -state.get(I, 0);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Number of messages sent, at least 1, or minus the error number of the first one. */
  public static int send(MemorySegment state, int socket, MemorySegment messages, int count) {
    try {
      int sent = (int) Calls.SENDMMSG.invokeExact(state, socket, messages, count, MSG_DONTWAIT);
      return sent >= 0 ? sent : -state.get(I, 0);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Wakes whoever waits in {@link #receive}: Linux does so for unconnected sockets as well, though
   * it calls it an error.
   */
  static void shutdown(MemorySegment state, int socket) {
    try {
      int ignored = (int) Calls.SHUTDOWN.invokeExact(state, socket, SHUT_RDWR);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  public static void close(MemorySegment state, int socket) {
    try {
      int ignored = (int) Calls.CLOSE.invokeExact(state, socket);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** The system's words for an error number. */
  public static String describe(int error) {
    try {
      return ((MemorySegment) Calls.STRERROR.invokeExact(error)).getString(0);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  private interface Call {
    int run() throws Throwable;
  }

  private static int checked(MemorySegment state, Call call) throws IOException {
    try {
      int result = call.run();
      if (result < 0) {
        throw new IOException(describe(state.get(I, 0)));
      }
      return result;
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  private static Error impossible(Throwable e) {
    return new AssertionError("C functions throw nothing", e);
  }
}
