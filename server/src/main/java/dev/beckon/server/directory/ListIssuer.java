package dev.beckon.server.directory;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.beckon.protocol.directory.ListSignature;
import dev.beckon.protocol.session.DirectoryEntry;
import dev.beckon.protocol.session.DirectoryList;
import dev.beckon.protocol.session.SignedDirectory;
import dev.beckon.server.identity.Der;
import dev.beckon.server.identity.ServerCredentials;
import java.security.GeneralSecurityException;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the next signed list, on the server that holds number 65,535. One after the other, on a
 * thread of its own.
 */
public final class ListIssuer implements ListSigner, AutoCloseable {

  private static final int AFTER_ANOTHER_SIGNER = 16;

  private final Directory directory;
  private final Supplier<ServerCredentials> credentials;
  private final InstantSource clock;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("list-issuer").factory());

  /**
   * @param credentials with the number 65,535 in the certificate; asked for each list
   */
  public ListIssuer(
      Directory directory, Supplier<ServerCredentials> credentials, InstantSource clock) {
    this.directory = directory;
    this.credentials = credentials;
    this.clock = clock;
  }

  /**
   * Signs these entries as the next version, or leaves the list that is held if it has the same
   * entries. Its signature is made anew once the certificate below it is not the present one.
   */
  @Override
  public CompletableFuture<SignedList> sign(List<DirectoryEntry> entries) {
    return CompletableFuture.supplyAsync(() -> next(entries), thread);
  }

  private SignedList next(List<DirectoryEntry> entries) {
    ServerCredentials signer = credentials.get();
    SignedList held = directory.current().orElse(null);
    if (held == null || !held.entries().equals(entries)) {
      DirectoryList list =
          DirectoryList.newBuilder()
              .setVersion((int) (directory.version() + step(held, signer)))
              .setIssuedAtMillis(clock.millis())
              .addAllEntries(entries)
              .build();
      SignedList next = SignedList.of(list, signed(list.toByteString(), signer));
      directory.keep(next).join();
      return next;
    }
    SignedDirectory parts = parts(held);
    if (parts.getCertificateChain(0).equals(Der.of(signer.chain().getFirst()))) {
      return held;
    }
    SignedList anew =
        new SignedList(
            held.version(), held.issuedAt(), held.entries(), signed(parts.getList(), signer));
    directory.keepSignedAnew(anew).join();
    return anew;
  }

  /**
   * How far the next version is from the held one. Another signer may have made one that was never
   * seen here, before it went away: two lists of one version must not be.
   */
  private static int step(@Nullable SignedList held, ServerCredentials signer) {
    return held == null
            || parts(held).getCertificateChain(0).equals(Der.of(signer.chain().getFirst()))
        ? 1
        : AFTER_ANOTHER_SIGNER;
  }

  private static SignedDirectory parts(SignedList held) {
    try {
      return SignedDirectory.parseFrom(held.bytes());
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("the held list was readable before", e);
    }
  }

  private static ByteString signed(ByteString list, ServerCredentials signer) {
    try {
      byte[] signature = ListSignature.sign(signer.key(), list.toByteArray());
      SignedDirectory.Builder signed =
          SignedDirectory.newBuilder().setList(list).setSignature(ByteString.copyFrom(signature));
      signed.addAllCertificateChain(Der.of(signer.chain()));
      return signed.build().toByteString();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the directory cannot be signed", e);
    }
  }

  @Override
  public void close() {
    thread.shutdown();
  }
}
