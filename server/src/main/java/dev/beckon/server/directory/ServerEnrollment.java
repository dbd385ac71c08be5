package dev.beckon.server.directory;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRefusal;
import dev.beckon.server.directory.ServerTable.Invitation;
import dev.beckon.server.identity.Advertised;
import dev.beckon.server.identity.FleetCa;
import dev.beckon.server.identity.InvalidCertificateRequestException;
import dev.beckon.server.identity.Redeemer;
import dev.beckon.server.identity.Redemption;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Enrolls servers, as {@link dev.beckon.server.identity.Enrollment} does devices: a code works
 * once, and again with the same key until it expires. Thread-safe.
 */
public final class ServerEnrollment implements Redeemer {

  private static final String ADVICE =
      "make a new code with \"beckon device add\" or, for a server, \"beckon app-server add\"";

  /** Checking and signing take about a millisecond of computing: not for an I/O thread. */
  private static final Executor SIGNING =
      task -> Thread.ofVirtual().name("beckon-server-enrollment").start(task);

  private final Database database;
  private final InstantSource clock;
  private final FleetCa ca;
  private final ApplicationServers servers;
  private final Supplier<Advertised> advertised;

  public ServerEnrollment(
      Database database,
      InstantSource clock,
      FleetCa ca,
      ApplicationServers servers,
      Supplier<Advertised> advertised) {
    this.database = database;
    this.clock = clock;
    this.ca = ca;
    this.servers = servers;
    this.advertised = advertised;
  }

  @Override
  public CompletableFuture<Redemption> redeem(byte[] secret, byte[] csrDer) {
    byte[] secretHash = FleetCa.sha256(secret);
    return CompletableFuture.supplyAsync(() -> prepare(secretHash, csrDer), SIGNING)
        .thenCompose(
            prepared ->
                switch (prepared) {
                  case Settled settled -> CompletableFuture.completedFuture(settled.redemption());
                  case Draft draft -> enroll(secretHash, draft);
                });
  }

  private sealed interface Prepared {}

  private record Settled(Redemption redemption) implements Prepared {}

  @SuppressWarnings("ArrayRecordComponent") // carried, never compared
  private record Draft(int number, int generation, byte[] keyHash, byte[] certificate)
      implements Prepared {}

  private Prepared prepare(byte[] secretHash, byte[] csrDer) {
    // The code comes first: a stranger without one gets no signature checked.
    Known known = database.read(sql -> known(sql, secretHash));
    Instant now = clock.instant();
    if (known == null) {
      return new Settled(unknown());
    }
    if (known.expired(now)) {
      return new Settled(expired(known));
    }
    try {
      PublicKey key = FleetCa.requestedKey(csrDer);
      byte[] keyHash = FleetCa.sha256(key.getEncoded());
      Redemption repeated = repetition(known, keyHash, now);
      if (repeated != null) {
        return new Settled(repeated);
      }
      int number = known.server().number();
      int generation = known.server().generation() + 1;
      byte[] certificate = ca.issueServerFor(csrDer, number, generation).getEncoded();
      return new Draft(number, generation, keyHash, certificate);
    } catch (InvalidCertificateRequestException e) {
      return new Settled(
          refused(
              "certificate-request-invalid",
              e.getMessage() + "; the code was not used up: enroll with a P-256 key"));
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate has no encoding", e);
    }
  }

  private CompletableFuture<Redemption> enroll(byte[] secretHash, Draft draft) {
    return database.write(
        sql -> {
          Instant now = clock.instant();
          // Somebody may have used or replaced the code since it was looked up.
          Known known = known(sql, secretHash);
          if (known == null) {
            return unknown();
          }
          if (known.expired(now)) {
            return expired(known);
          }
          Redemption repeated = repetition(known, draft.keyHash(), now);
          if (repeated != null) {
            return repeated;
          }
          if (known.server().generation() + 1 != draft.generation()
              || !ServerTable.use(
                  sql, secretHash, draft.keyHash(), draft.generation(), draft.certificate())) {
            return used();
          }
          ServerTable.enroll(sql, draft.number(), draft.generation(), now);
          return answer(draft.number(), draft.generation(), draft.certificate(), now);
        },
        redemption -> {
          if (redemption instanceof Redemption.Answered) {
            servers.enrolled(draft.number(), draft.generation());
          }
        });
  }

  /** An enrollment code and its server. */
  private record Known(Invitation invitation, ApplicationServer server) {
    boolean expired(Instant now) {
      return !now.isBefore(invitation.expiresAt());
    }
  }

  private static @Nullable Known known(Sql sql, byte[] secretHash) throws SQLException {
    Invitation invitation = ServerTable.invitation(sql, secretHash).orElse(null);
    if (invitation == null) {
      return null;
    }
    ApplicationServer server = ServerTable.find(sql, invitation.number()).orElse(null);
    return server == null ? null : new Known(invitation, server);
  }

  /** What to say if the code was used before; null if it was not. */
  private @Nullable Redemption repetition(Known known, byte[] keyHash, Instant now) {
    Invitation invitation = known.invitation();
    if (invitation.publicKey() == null || invitation.certificate() == null) {
      return null;
    }
    boolean sameKey = Arrays.equals(invitation.publicKey(), keyHash);
    boolean current = invitation.generation() == known.server().generation();
    return sameKey && current
        ? answer(known.server().number(), invitation.generation(), invitation.certificate(), now)
        : used();
  }

  private static Redemption unknown() {
    return refused(
        UNKNOWN, "enrollment code: not known here, or replaced by a newer one (" + ADVICE + ")");
  }

  private static Redemption expired(Known known) {
    return refused(
        "enrollment-code-expired",
        "enrollment code: expired at " + known.invitation().expiresAt() + " (" + ADVICE + ")");
  }

  private static Redemption used() {
    return refused("enrollment-code-used", "enrollment code: used before (" + ADVICE + ")");
  }

  private static Redemption refused(String code, String text) {
    return new Redemption.Refused(
        EnrollmentRefusal.newBuilder().setCode(code).setText(text).build());
  }

  private Redemption answer(int number, int generation, byte[] certificate, Instant now) {
    EnrollmentAnswer.Builder answer =
        EnrollmentAnswer.newBuilder()
            .setServerNumber(number)
            .setGeneration(generation)
            .addCertificateChain(ByteString.copyFrom(certificate))
            .setTlsAddress(advertised.get().tlsAddress())
            .setServerTimeMillis(now.toEpochMilli());
    ca.chain().forEach(each -> answer.addCertificateChain(encoded(each)));
    ca.roots().forEach(each -> answer.addCaRoots(encoded(each)));
    return new Redemption.Answered(answer.build());
  }

  private static ByteString encoded(X509Certificate certificate) {
    try {
      return ByteString.copyFrom(certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate has no encoding", e);
    }
  }
}
