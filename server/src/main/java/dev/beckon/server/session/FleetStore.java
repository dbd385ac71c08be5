package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.datagram.DeviceId;
import dev.beckon.protocol.datagram.SocketAddresses;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.Command;
import dev.beckon.protocol.session.Frame;
import dev.beckon.protocol.session.Renewal;
import dev.beckon.protocol.session.Update;
import dev.beckon.protocol.session.WaitingServer;
import dev.beckon.server.command.CommandState;
import dev.beckon.server.command.Commands;
import dev.beckon.server.directory.SignedList;
import dev.beckon.server.identity.Device;
import dev.beckon.server.identity.KnownDevices;
import dev.beckon.server.identity.Redeemer;
import dev.beckon.server.identity.Redemption;
import dev.beckon.server.identity.Renewals;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** The fleet's commands and devices as sessions see them. */
final class FleetStore implements SessionStore {

  private final Commands commands;
  private final KnownDevices devices;
  private final Optional<Redeemer> enrollment;
  private final Optional<Renewals> renewals;
  private final ServedDirectory directory;
  private final InstantSource clock;

  FleetStore(
      Commands commands,
      KnownDevices devices,
      Optional<Redeemer> enrollment,
      Optional<Renewals> renewals,
      ServedDirectory directory,
      InstantSource clock) {
    this.commands = commands;
    this.devices = devices;
    this.enrollment = enrollment;
    this.renewals = renewals;
    this.directory = directory;
    this.clock = clock;
  }

  @Override
  public OptionalInt enrolledGeneration(DeviceId id) {
    Optional<Device> known = devices.find(id);
    if (enrollment.isEmpty()) {
      // Not the keeper of the list of devices: it may have enrolled since. The deny-list decides.
      return OptionalInt.of(known.map(Device::generation).orElse(0));
    }
    return known
        .filter(device -> device.generation() > 0)
        .map(device -> OptionalInt.of(device.generation()))
        .orElse(OptionalInt.empty());
  }

  @Override
  public boolean knowsActions(DeviceId id, ByteString hash) {
    byte[] known = devices.actionsHash(id);
    return known != null && !hash.isEmpty() && hash.equals(ByteString.copyFrom(known));
  }

  @Override
  public boolean wantsRenewal(DeviceId id, Effect.Holding holding, X509Certificate certificate) {
    return renewals
        .map(here -> here.note(id, holding.keyId(), holding.rootsHash().toByteArray(), certificate))
        .orElse(false);
  }

  @Override
  public CompletableFuture<Renewal> renew(
      DeviceId id, int generation, X509Certificate certificate, ByteString certificateRequest) {
    return renewals
        .map(here -> here.renew(id, generation, certificate, certificateRequest.toByteArray()))
        .orElseGet(
            () ->
                CompletableFuture.completedFuture(
                    Renewal.newBuilder().setRefusal(Renewals.NOT_HERE).build()));
  }

  @Override
  public Optional<SignedList> directory() {
    return directory.current();
  }

  @Override
  public List<WaitingServer> waitingServers(DeviceId id) {
    return directory.waitingServers(id);
  }

  @Override
  public void holdsDirectory(DeviceId id, long version) {
    directory.holds(id, version);
  }

  @Override
  public CompletableFuture<Portion> handOver(DeviceId id, Set<String> inFlight, int limit) {
    return commands
        .handOver(id, inFlight, limit)
        .thenApply(
            handOver ->
                new Portion(
                    handOver.commands().stream().map(FleetStore::frame).toList(),
                    handOver.cancellations()));
  }

  private static Command frame(dev.beckon.server.command.Command command) {
    return Command.newBuilder()
        .setDeviceId(command.deviceId().value())
        .setCommandId(command.id())
        .setAction(command.action())
        .putAllArgs(command.args())
        .setDeadlineMillis(command.deadline().toEpochMilli())
        .setHasBody(command.bodyBytes() > 0)
        .setBodyBytes(command.bodyBytes())
        .addAllSecretArgs(new TreeSet<>(command.secrecy().args()))
        .setSecretBody(command.secrecy().body())
        .build();
  }

  @Override
  public InputStream body(String commandId) throws IOException {
    return commands
        .body(commandId)
        .orElseThrow(() -> new IOException("command " + commandId + ": its body is gone"));
  }

  @Override
  public CompletableFuture<Stored> update(
      DeviceId id, Update update, byte @Nullable [] resultBody) {
    return commands
        .update(id, update, resultBody)
        // A command that is not known here has ended as far as this server can ever tell.
        .thenApply(
            command ->
                new Stored(command.map(c -> c.state()).map(CommandState::ended).orElse(true)));
  }

  @Override
  public CompletableFuture<?> keepActions(DeviceId id, Actions actions, ByteString hash) {
    return devices.declareActions(id, actions, hash.toByteArray());
  }

  @Override
  public CompletableFuture<?> sessionOpened(
      DeviceId id, int generation, long wakeId, InetSocketAddress from) {
    Map<String, String> details = new HashMap<>();
    details.put("from", SocketAddresses.format(from));
    if (wakeId != 0) {
      details.put("wakeId", Long.toHexString(wakeId));
    }
    commands.sessionOpened(id, details);
    if (enrollment.isPresent()) {
      return CompletableFuture.completedFuture(null); // heard of it when it enrolled
    }
    Instant now = clock.instant();
    return commands.deviceEnrolledAgain(id, sql -> devices.meet(sql, id, generation, now));
  }

  @Override
  public void sessionClosed(DeviceId id) {
    commands.sessionClosed(id);
  }

  @Override
  public CompletableFuture<Frame> enroll(byte[] secret, byte[] request) {
    return enrollment
        .orElseThrow() // Negotiation lets nobody enroll where that cannot be done
        .redeem(secret, request)
        .thenApply(
            redemption ->
                switch (redemption) {
                  case Redemption.Answered answered ->
                      Frame.newBuilder().setEnrollmentAnswer(answered.answer()).build();
                  case Redemption.Refused refused ->
                      Frame.newBuilder().setEnrollmentRefusal(refused.refusal()).build();
                });
  }
}
