package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.protocol.session.EnrollmentRefusal;
import dev.beckon.server.identity.DeviceTable.Invitation;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns an enrollment code's secret and a certificate request into a device's identity.
 * Thread-safe.
 *
 * <p>A code works once. The same code with the same key gets the same identity again until it
 * expires, because the first answer may have been lost on its way.
 */
public final class Enrollment implements Redeemer {

  private static final String ADVICE = "make a new code with \"beckon device add\"";

  /** Checking and signing take about a millisecond of computing: not for an I/O thread. */
  static final Executor SIGNING = task -> Thread.ofVirtual().name("beckon-enrollment").start(task);

  private final Database database;
  private final InstantSource clock;
  private final FleetCa ca;
  private final MasterKeys masterKeys;
  private final DenyList denyList;
  private final Supplier<Advertised> advertised;
  private volatile Supplier<ByteString> directory = () -> ByteString.EMPTY;
  private volatile Consumer<DeviceId> enrolledAgain = id -> {};

  Enrollment(
      Database database,
      InstantSource clock,
      FleetCa ca,
      MasterKeys masterKeys,
      DenyList denyList,
      Supplier<Advertised> advertised) {
    this.database = database;
    this.clock = clock;
    this.ca = ca;
    this.masterKeys = masterKeys;
    this.denyList = denyList;
    this.advertised = advertised;
  }

  /**
   * Puts the directory into the answers.
   *
   * @param signed a serialized SignedDirectory; empty if there is none, or it is too long
   */
  public void use(Supplier<ByteString> signed) {
    directory = signed;
  }

  /**
   * Is told of each device that was enrolled once more, with a new generation. Called on the thread
   * that all writes wait for: return at once.
   */
  public void onEnrolledAgain(Consumer<DeviceId> listener) {
    enrolledAgain = listener;
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
  private record Draft(
      DeviceId id, int generation, byte[] keyHash, byte[] certificate, byte[] rootsHash)
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
      PublicKey key = Certificates.requestedKey(csrDer);
      byte[] keyHash = FleetCa.sha256(key.getEncoded());
      Redemption repeated = repetition(known, keyHash, now);
      if (repeated != null) {
        return new Settled(repeated);
      }
      DeviceId id = known.device().id();
      int generation = known.device().generation() + 1;
      byte[] rootsHash = ca.rootsHash(); // first: should the CA roll now, the certificate is older
      byte[] certificate = ca.issueDevice(key, id, generation).getEncoded();
      return new Draft(id, generation, keyHash, certificate, rootsHash);
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
          Known known = known(sql, secretHash);
          if (known == null) {
            return unknown();
          }
          if (known.expired(now)) {
            return expired(known);
          }
          // Somebody may have used the code since it was looked up.
          Redemption repeated = repetition(known, draft.keyHash(), now);
          if (repeated != null) {
            return repeated;
          }
          if (known.device().generation() + 1 != draft.generation()
              || !DeviceTable.use(
                  sql, secretHash, draft.keyHash(), draft.generation(), draft.certificate())) {
            return used();
          }
          DeviceTable.enroll(
              sql, draft.id(), draft.generation(), masterKeys.newestId(), draft.rootsHash(), now);
          if (draft.generation() > 1) {
            DenyList.store(sql, draft.id(), draft.generation());
          }
          return answer(draft.id(), draft.generation(), draft.certificate(), now);
        },
        redemption -> {
          if (redemption instanceof Redemption.Answered && draft.generation() > 1) {
            denyList.publish(draft.id(), draft.generation());
            enrolledAgain.accept(draft.id());
          }
        });
  }

  /** An enrollment code and its device. */
  private record Known(Invitation invitation, Device device) {
    boolean expired(Instant now) {
      return !now.isBefore(invitation.expiresAt());
    }
  }

  private static @Nullable Known known(Sql sql, byte[] secretHash) throws SQLException {
    Invitation invitation = DeviceTable.invitation(sql, secretHash).orElse(null);
    if (invitation == null) {
      return null;
    }
    Device device = DeviceTable.find(sql, invitation.deviceId()).orElse(null);
    return device == null ? null : new Known(invitation, device);
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

  /** What to say if the code was used before; null if it was not. */
  private @Nullable Redemption repetition(Known known, byte[] keyHash, Instant now) {
    Invitation invitation = known.invitation();
    if (invitation.publicKey() == null || invitation.certificate() == null) {
      return null;
    }
    boolean sameKey = Arrays.equals(invitation.publicKey(), keyHash);
    // A later enrollment or a revocation shut this generation out: repeating it would not help.
    boolean current = invitation.generation() == known.device().generation();
    return sameKey && current
        ? answer(known.device().id(), invitation.generation(), invitation.certificate(), now)
        : used();
  }

  private static Redemption used() {
    return refused("enrollment-code-used", "enrollment code: used before (" + ADVICE + ")");
  }

  private static Redemption refused(String code, String text) {
    return new Redemption.Refused(
        EnrollmentRefusal.newBuilder().setCode(code).setText(text).build());
  }

  private Redemption answer(DeviceId id, int generation, byte[] certificate, Instant now) {
    Advertised here = advertised.get();
    MasterKeys.Key master = masterKeys.newest();
    return new Redemption.Answered(
        EnrollmentAnswer.newBuilder()
            .setDeviceId(id.value())
            .setGeneration(generation)
            .addCertificateChain(ByteString.copyFrom(certificate))
            .addAllCaRoots(ca.roots().stream().map(Certificates::encoded).toList())
            .setDeviceKey(ByteString.copyFrom(DeviceKey.derive(master.key(), id, generation)))
            .setKeyId(master.id())
            .setUdpAddress(here.udpAddress())
            .setTlsAddress(here.tlsAddress())
            .setServerTimeMillis(now.toEpochMilli())
            .setDirectory(directory.get())
            .build());
  }
}
