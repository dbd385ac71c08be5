package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.server.store.Database;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Gives devices in their sessions a new certificate, the CA roots of today and a device key of the
 * newest master key, all at once, and keeps account of who holds what. Thread-safe.
 */
public final class Renewals {

  /** Refuses where the CA is not, or where a device does not prove who it is. */
  public static final String NOT_HERE = "renewal-not-here";

  private final Database database;
  private final FleetCa ca;
  private final MasterKeys masterKeys;
  private final DenyList denyList;
  private final Devices devices;

  Renewals(
      Database database, FleetCa ca, MasterKeys masterKeys, DenyList denyList, Devices devices) {
    this.database = database;
    this.ca = ca;
    this.masterKeys = masterKeys;
    this.denyList = denyList;
    this.devices = devices;
  }

  /**
   * Notes what the device says it holds, and tells whether it shall renew: its device key is of an
   * older master key, its roots are not those of today, or its certificate is of an older root.
   * Reads the database, so it may block; the note itself is written later.
   *
   * @param keyId 0 if the device does not say; it is of an earlier version then, and left alone
   * @param certificate the one it showed in this session
   */
  public boolean note(DeviceId id, int keyId, byte[] rootsHash, X509Certificate certificate) {
    if (keyId == 0) {
      return false;
    }
    byte[] today = ca.rootsHash();
    boolean rooted = Arrays.equals(rootsHash, today) && ca.namesNewestRoot(certificate);
    byte @Nullable [] held = rooted ? today : null;
    boolean known =
        database
            .read(sql -> DeviceTable.holding(sql, id))
            .filter(before -> before.keyId() == keyId && Arrays.equals(before.rootsHash(), held))
            .isPresent();
    if (!known) {
      database.write(
          sql -> {
            DeviceTable.holds(sql, id, keyId, held);
            return true;
          });
    }
    return !rooted || keyId != masterKeys.newestId();
  }

  /**
   * Answers a device's request. Nothing is kept: what the device really took over it says in its
   * next Hello, and asking again is harmless.
   *
   * @param certificate that the session stands on; refused if no root of now signed it, for its
   *     root may have been dropped since the handshake
   * @param generation of that certificate
   */
  public CompletableFuture<Renewal> renew(
      DeviceId id, int generation, X509Certificate certificate, byte[] csrDer) {
    return CompletableFuture.supplyAsync(
        () -> ca.signed(certificate) ? answer(id, generation, csrDer) : refused("root-dropped"),
        CodeEnrollment.SIGNING);
  }

  private Renewal answer(DeviceId id, int generation, byte[] csrDer) {
    Device device = devices.find(id).orElse(null);
    if (device == null
        || device.state() != Device.State.ENROLLED
        || device.generation() != generation
        || denyList.denies(id.value(), generation)) {
      return refused("device-revoked");
    }
    try {
      PublicKey key = Certificates.requestedKey(csrDer);
      MasterKeys.Key master = masterKeys.newest();
      return Renewal.newBuilder()
          .setGeneration(generation)
          .addCertificateChain(Der.of(ca.issueDevice(key, id, generation)))
          .addAllCaRoots(Der.of(ca.roots()))
          .setDeviceKey(ByteString.copyFrom(DeviceKey.derive(master.key(), id, generation)))
          .setKeyId(master.id())
          .build();
    } catch (InvalidCertificateRequestException e) {
      return refused("certificate-request-invalid");
    }
  }

  private static Renewal refused(String code) {
    return Renewal.newBuilder().setRefusal(code).build();
  }
}
