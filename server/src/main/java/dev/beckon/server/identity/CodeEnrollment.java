package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRefusal;
import dev.beckon.server.identity.Invitations.Invitation;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns an enrollment code's secret and a certificate request into the identity of a guest.
 * Thread-safe.
 *
 * <p>A code works once. The same code with the same key gets the same identity again until it
 * expires, because the first answer may have been lost on its way.
 *
 * @param <G> what a guest is known by
 */
public abstract class CodeEnrollment<G> implements Redeemer {

  /** Checking and signing take about a millisecond of computing: not for an I/O thread. */
  static final Executor SIGNING = task -> Thread.ofVirtual().name("beckon-enrollment").start(task);

  private final Database database;
  private final InstantSource clock;
  private final FleetCa ca;
  private final Invitations<G> invitations;
  private final Supplier<Advertised> advertised;
  private final String advice;

  /**
   * @param advertised asked for each answer, so the ports need not be known yet
   * @param advice how to get a code that works
   */
  protected CodeEnrollment(
      Database database,
      InstantSource clock,
      FleetCa ca,
      Invitations<G> invitations,
      Supplier<Advertised> advertised,
      String advice) {
    this.database = database;
    this.clock = clock;
    this.ca = ca;
    this.invitations = invitations;
    this.advertised = advertised;
    this.advice = advice;
  }

  /**
   * What an enrollment makes, before it is written.
   *
   * @param keyHash SHA-256 of the guest's public key
   * @param certificate DER
   * @param rootsHash the CA roots of before the certificate was signed
   */
  @SuppressWarnings("ArrayRecordComponent") // carried, never compared
  protected record Draft<G>(
      G guest, int generation, byte[] keyHash, byte[] certificate, byte[] rootsHash) {}

  /** The guest's generation now, 0 if it never enrolled; empty if there is no such guest. */
  protected abstract OptionalInt generation(Sql sql, G guest) throws SQLException;

  /** Certifies the key, of which the guest has proven to have the private half. */
  protected abstract X509Certificate issue(PublicKey key, G guest, int generation);

  /** Lets the guest's next generation take over, within the transaction. */
  protected abstract void enroll(Sql sql, Draft<G> draft, Instant now) throws SQLException;

  /**
   * Is told of each enrollment when it is durable, on the thread that all writes wait for: return
   * at once.
   */
  protected abstract void enrolled(G guest, int generation);

  /** Adds what only this kind of guest is told. */
  protected abstract void complete(EnrollmentAnswer.Builder answer, Advertised here, G guest);

  @Override
  public final CompletableFuture<Redemption> redeem(byte[] secret, byte[] csrDer) {
    byte[] secretHash = FleetCa.sha256(secret);
    return CompletableFuture.supplyAsync(() -> prepare(secretHash, csrDer), SIGNING)
        .thenCompose(
            prepared ->
                switch (prepared) {
                  case Settled<G>(Redemption redemption) ->
                      CompletableFuture.completedFuture(redemption);
                  case Prepared<G>(Draft<G> draft) -> write(secretHash, draft);
                });
  }

  private sealed interface Step<G> {}

  private record Settled<G>(Redemption redemption) implements Step<G> {}

  private record Prepared<G>(Draft<G> draft) implements Step<G> {}

  private Step<G> prepare(byte[] secretHash, byte[] csrDer) {
    // The code comes first: a stranger without one gets no signature checked.
    Known<G> known = database.read(sql -> known(sql, secretHash));
    Instant now = clock.instant();
    if (known == null || known.expired(now)) {
      return new Settled<>(closed(known));
    }
    try {
      PublicKey key = Certificates.requestedKey(csrDer);
      byte[] keyHash = FleetCa.sha256(key.getEncoded());
      Redemption repeated = repetition(known, keyHash, now);
      if (repeated != null) {
        return new Settled<>(repeated);
      }
      G guest = known.invitation().guest();
      int generation = known.generation() + 1;
      byte[] rootsHash = ca.rootsHash(); // first: should the CA roll now, the certificate is older
      byte[] certificate = Der.of(issue(key, guest, generation)).toByteArray();
      return new Prepared<>(new Draft<>(guest, generation, keyHash, certificate, rootsHash));
    } catch (InvalidCertificateRequestException e) {
      return new Settled<>(
          refused(
              "certificate-request-invalid",
              e.getMessage() + "; the code was not used up: enroll with a P-256 key"));
    }
  }

  private CompletableFuture<Redemption> write(byte[] secretHash, Draft<G> draft) {
    return database.write(
        sql -> {
          Instant now = clock.instant();
          // Somebody may have used or replaced the code since it was looked up.
          Known<G> known = known(sql, secretHash);
          if (known == null || known.expired(now)) {
            return closed(known);
          }
          Redemption repeated = repetition(known, draft.keyHash(), now);
          if (repeated != null) {
            return repeated;
          }
          if (known.generation() + 1 != draft.generation()
              || !invitations.use(
                  sql, secretHash, draft.keyHash(), draft.generation(), draft.certificate())) {
            return used();
          }
          enroll(sql, draft, now);
          return answer(draft.guest(), draft.generation(), draft.certificate(), now);
        },
        redemption -> {
          if (redemption instanceof Redemption.Answered) {
            enrolled(draft.guest(), draft.generation());
          }
        });
  }

  /**
   * An enrollment code and its guest.
   *
   * @param generation of the guest now
   */
  private record Known<G>(Invitation<G> invitation, int generation) {
    boolean expired(Instant now) {
      return !now.isBefore(invitation.expiresAt());
    }
  }

  private @Nullable Known<G> known(Sql sql, byte[] secretHash) throws SQLException {
    Invitation<G> invitation = invitations.find(sql, secretHash).orElse(null);
    if (invitation == null) {
      return null;
    }
    OptionalInt generation = generation(sql, invitation.guest());
    return generation.isEmpty() ? null : new Known<>(invitation, generation.getAsInt());
  }

  /** What to say if the code was used before; null if it was not. */
  private @Nullable Redemption repetition(Known<G> known, byte[] keyHash, Instant now) {
    Invitation<G> invitation = known.invitation();
    if (invitation.publicKey() == null || invitation.certificate() == null) {
      return null;
    }
    boolean sameKey = Arrays.equals(invitation.publicKey(), keyHash);
    // A later enrollment or a revocation shut this generation out: repeating it would not help.
    boolean current = invitation.generation() == known.generation();
    return sameKey && current
        ? answer(invitation.guest(), invitation.generation(), invitation.certificate(), now)
        : used();
  }

  private Redemption closed(@Nullable Known<G> known) {
    return known == null
        ? refused(
            UNKNOWN, "enrollment code: not known here, or replaced by a newer one (" + advice + ")")
        : refused(
            "enrollment-code-expired",
            "enrollment code: expired at " + known.invitation().expiresAt() + " (" + advice + ")");
  }

  private Redemption used() {
    return refused("enrollment-code-used", "enrollment code: used before (" + advice + ")");
  }

  private static Redemption refused(String code, String text) {
    return new Redemption.Refused(
        EnrollmentRefusal.newBuilder().setCode(code).setText(text).build());
  }

  private Redemption answer(G guest, int generation, byte[] certificate, Instant now) {
    Advertised here = advertised.get();
    EnrollmentAnswer.Builder answer =
        EnrollmentAnswer.newBuilder()
            .setGeneration(generation)
            .addCertificateChain(ByteString.copyFrom(certificate))
            .addAllCaRoots(Der.of(ca.roots()))
            .setTlsAddress(here.tlsAddress())
            .setServerTimeMillis(now.toEpochMilli());
    complete(answer, here, guest);
    return new Redemption.Answered(answer.build());
  }
}
