package dev.beckon.lab.fleet;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.session.Action;
import dev.beckon.protocol.session.Actions;
import dev.beckon.server.identity.FleetCa;
import dev.beckon.server.identity.Identity;
import dev.beckon.server.store.Database;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.CertificateEncodingException;
import java.security.spec.ECGenParameterSpec;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/**
 * Makes the data folder of a server whose devices are all enrolled already, and what those devices
 * hold. They are {@link FleetIds#of} 0 and so on, of generation 1, and have declared {@link
 * #ACTIONS}.
 */
public final class FleetFolder {

  /** What every simulated device can do: take whatever is asked, and say that it was done. */
  public static final Actions ACTIONS =
      Actions.newBuilder()
          .addActions(
              Action.newBuilder()
                  .setName("echo")
                  .setDescription("Succeeds at once with the arguments as its result.")
                  .setAcceptsOtherArgs(true))
          .build();

  /** As devices name {@link #ACTIONS} in their Hello. */
  static final ByteString ACTIONS_HASH = ByteString.copyFrom(FleetCa.sha256(ACTIONS.toByteArray()));

  /** In one commit. The store takes 16,384 writes at most that wait, one of each device here. */
  private static final int BATCH = 2_000;

  private FleetFolder() {}

  /**
   * Enrolls devices as the server would, but for all in a few commits and with one key pair for
   * all: a certificate of its own is what makes a device costly for the server, not the key in it.
   * Signs on all cores.
   *
   * @param data the folder; made if it is missing. No server runs on it
   * @param devices 1 or more; those that were enrolled by an earlier call get new certificates
   * @throws dev.beckon.server.store.StoreException if a server runs on the folder, or it cannot be
   *     used
   */
  public static FleetCertificates provision(Path data, int devices, Progress progress)
      throws IOException {
    if (devices < 1) {
      throw new IllegalArgumentException("devices: " + devices + " (expected 1 or more)");
    }
    InstantSource clock = InstantSource.system();
    try (Database database = Database.open(data)) {
      Identity identity =
          Identity.open(
              database,
              clock,
              () -> {
                throw new IllegalStateException("no codes are given out here");
              });
      KeyPair keys = newKeyPair();
      Path file = FleetCertificates.file(data);
      try (FleetCertificates.Writer writer =
          FleetCertificates.write(
              file,
              new FleetCertificates.Head(
                  devices,
                  keys.getPrivate(),
                  identity.masterKeys().newestId(),
                  ByteString.copyFrom(identity.ca().rootsHash()),
                  identity.ca().roots()))) {
        for (int from = 0; from < devices; from += BATCH) {
          int to = Math.min(from + BATCH, devices);
          CompletableFuture<?> kept = enroll(identity, from, to);
          for (byte[] certificate : certificates(identity.ca(), keys, from, to)) {
            writer.add(certificate);
          }
          kept.join();
          progress.at("devices enrolled", to, devices);
        }
      }
    }
    return FleetCertificates.open(data);
  }

  /** Whether the folder is one that {@link #provision} made. */
  public static boolean isProvisioned(Path data) {
    return Files.exists(FleetCertificates.file(data));
  }

  private static CompletableFuture<?> enroll(Identity identity, int from, int to) {
    List<DeviceId> ids = IntStream.range(from, to).mapToObj(FleetIds::of).toList();
    List<CompletableFuture<?>> writes = new ArrayList<>();
    writes.add(
        identity
            .devices()
            .addEnrolled(ids, identity.masterKeys().newestId(), identity.ca().rootsHash()));
    byte[] hash = ACTIONS_HASH.toByteArray();
    for (DeviceId id : ids) {
      writes.add(identity.devices().declareActions(id, ACTIONS, hash));
    }
    return CompletableFuture.allOf(writes.toArray(new CompletableFuture<?>[0]));
  }

  private static List<byte[]> certificates(FleetCa ca, KeyPair keys, int from, int to) {
    return IntStream.range(from, to)
        .parallel()
        .mapToObj(
            device -> {
              try {
                return ca.issueDevice(keys.getPublic(), FleetIds.of(device), 1).getEncoded();
              } catch (CertificateEncodingException e) {
                throw new IllegalStateException("a certificate has no encoding", e);
              }
            })
        .toList();
  }

  private static KeyPair newKeyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JDK has no P-256", e);
    }
  }
}
