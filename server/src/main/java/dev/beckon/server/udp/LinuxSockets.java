package dev.beckon.server.udp;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;

/**
 * Linux's socket calls, through the foreign function API. Numbers and layouts are those of 64-bit
 * little-endian Linux on x86-64 and AArch64, which are the same.
 *
 * <p>A call that fails returns minus the error number, as the kernel itself does it.
 */
final class LinuxSockets {
  static final int EINTR = 4;
  static final int EAGAIN = 11;

  static final int AF_INET = 2;
  static final int AF_INET6 = 10;
  static final int SOL_SOCKET = 1;
  static final int SO_SNDBUF = 7;
  static final int SO_RCVBUF = 8;
  static final int SO_REUSEPORT = 15;
  static final int SO_RCVTIMEO = 20;
  static final int IPPROTO_IPV6 = 41;
  static final int IPV6_V6ONLY = 26;
  static final int MSG_DONTWAIT = 0x40;
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
  static boolean available() {
    String architecture = System.getProperty("os.arch");
    return System.getProperty("os.name").equals("Linux")
        && (architecture.equals("amd64") || architecture.equals("aarch64"))
        && ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
  }

  /** Room for {@code errno}, one per thread. */
  static MemorySegment callState(Arena arena) {
    return arena.allocate(Linker.Option.captureStateLayout());
  }

  static int open(MemorySegment state, boolean ipv4) throws IOException {
    return checked(
        state,
        () ->
            (int)
                Calls.SOCKET.invokeExact(state, ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM_CLOEXEC, 0));
  }

  static void bind(MemorySegment state, int socket, MemorySegment address) throws IOException {
    int length = (int) address.byteSize();
    checked(state, () -> (int) Calls.BIND.invokeExact(state, socket, address, length));
  }

  static void setOption(MemorySegment state, int socket, int level, int name, MemorySegment value)
      throws IOException {
    int length = (int) value.byteSize();
    checked(
        state, () -> (int) Calls.SETSOCKOPT.invokeExact(state, socket, level, name, value, length));
  }

  /** Writes the local address; {@code length} holds the room before. */
  static void localAddress(
      MemorySegment state, int socket, MemorySegment address, MemorySegment length)
      throws IOException {
    checked(state, () -> (int) Calls.GETSOCKNAME.invokeExact(state, socket, address, length));
  }

  /** Number of messages received, at least 1, or minus an error number. */
  static int receive(MemorySegment state, int socket, MemorySegment messages, int count) {
    try {
      int received =
          (int)
              Calls.RECVMMSG.invokeExact(
                  state, socket, messages, count, MSG_WAITFORONE, MemorySegment.NULL);
      return received >= 0 ? received : -state.get(I, 0);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** Number of messages sent, at least 1, or minus the error number of the first one. */
  static int send(MemorySegment state, int socket, MemorySegment messages, int count) {
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

  static void close(MemorySegment state, int socket) {
    try {
      int ignored = (int) Calls.CLOSE.invokeExact(state, socket);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /** The system's words for an error number. */
  static String describe(int error) {
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
