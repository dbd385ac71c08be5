package dev.beckon.lab;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Makes the router that it runs on masquerade, talking to the kernel without {@code nft}: many
 * systems have the kernel's part but not the tool.
 */
final class KernelNat {

  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW = 3;
  private static final int NETLINK_NETFILTER = 12;
  private static final int ANSWER_BYTES = 8192;
  private static final int ERROR_OFFSET = 16;

  private KernelNat() {}

  /**
   * Makes it.
   *
   * @param args the {@link Nat}: PORT_PRESERVING or SYMMETRIC
   */
  public static void main(String[] args) throws Throwable {
    send(NftBatch.masquerade(Nat.valueOf(args[0]) == Nat.SYMMETRIC));
  }

  private static void send(byte[] batch) throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      int socket = (int) socket().invokeExact(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
      check("socket", socket);
      MemorySegment message = arena.allocateFrom(ValueLayout.JAVA_BYTE, batch);
      long sent = (long) transfer("send").invokeExact(socket, message, message.byteSize(), 0);
      check("send", sent);
      MemorySegment answer = arena.allocate(ANSWER_BYTES, 4);
      long received = (long) transfer("recv").invokeExact(socket, answer, answer.byteSize(), 0);
      check("recv", received);
      int error = answer.get(ValueLayout.JAVA_INT, ERROR_OFFSET);
      if (error != 0) {
        throw new IllegalStateException("nf_tables: refused with error " + -error);
      }
    }
  }

  private static MethodHandle socket() {
    return bind(
        "socket",
        FunctionDescriptor.of(
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT));
  }

  private static MethodHandle transfer(String name) {
    return bind(
        name,
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT,
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT));
  }

  @SuppressWarnings("restricted") // only libc's own functions, with the types of their man pages
  private static MethodHandle bind(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), descriptor);
  }

  private static void check(String call, long result) {
    if (result < 0) {
      throw new IllegalStateException(call + ": refused");
    }
  }
}
