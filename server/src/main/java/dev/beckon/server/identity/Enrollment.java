package dev.beckon.server.identity;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.DeviceKey;
import dev.beckon.protocol.session.EnrollmentAnswer;
import dev.beckon.server.store.Database;
import dev.beckon.server.store.Sql;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Enrolls devices: certificate, device key and directory. Thread-safe. */
public final class Enrollment extends CodeEnrollment<DeviceId> {

  private final FleetCa ca;
  private final MasterKeys masterKeys;
  private final DenyList denyList;
  private volatile Supplier<ByteString> directory = () -> ByteString.EMPTY;
  private volatile Consumer<DeviceId> enrolledAgain = id -> {};

  Enrollment(
      Database database,
      InstantSource clock,
      FleetCa ca,
      MasterKeys masterKeys,
      DenyList denyList,
      Supplier<Advertised> advertised) {
    super(
        database,
        clock,
        ca,
        DeviceTable.INVITATIONS,
        advertised,
        "make a new code with \"beckon device add\"");
    this.ca = ca;
    this.masterKeys = masterKeys;
    this.denyList = denyList;
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
  protected OptionalInt generation(Sql sql, DeviceId id) throws SQLException {
    Optional<Device> device = DeviceTable.find(sql, id);
    return device.stream().mapToInt(Device::generation).findFirst();
  }

  @Override
  protected X509Certificate issue(PublicKey key, DeviceId id, int generation) {
    return ca.issueDevice(key, id, generation);
  }

  @Override
  protected void enroll(Sql sql, Draft<DeviceId> draft, Instant now) throws SQLException {
    DeviceTable.enroll(
        sql, draft.guest(), draft.generation(), masterKeys.newestId(), draft.rootsHash(), now);
    if (draft.generation() > 1) {
      DenyList.store(sql, draft.guest(), draft.generation());
    }
  }

  @Override
  protected void enrolled(DeviceId id, int generation) {
    if (generation > 1) {
      denyList.publish(id, generation);
      enrolledAgain.accept(id);
    }
  }

  @Override
  protected void complete(EnrollmentAnswer.Builder answer, Advertised here, DeviceId id) {
    MasterKeys.Key master = masterKeys.newest();
    byte[] deviceKey = DeviceKey.derive(master.key(), id, answer.getGeneration());
    answer
        .setDeviceId(id.value())
        .setDeviceKey(ByteString.copyFrom(deviceKey))
        .setKeyId(master.id())
        .setUdpAddress(here.udpAddress())
        .setDirectory(directory.get());
  }
}
