package dev.beckon.server.session;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.Actions;
import dev.beckon.protocol.session.BodyChunk;
import dev.beckon.protocol.session.RenewalRequest;
import dev.beckon.protocol.session.Update;
import dev.beckon.server.session.FrameCheck.Objection;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The half of a session that takes from the device what others shall keep or answer: updates with
 * their bodies, its actions, its request for renewal. Reads on only as fast as that is done. What
 * speaks against a frame is returned, and ends the session.
 */
final class Intake {

  private final IncomingBodies bodies;
  private final PendingStores stores = new PendingStores();
  private final Consumer<Effect> effects;
  private boolean renewed;

  Intake(long maxBodyBytes, Consumer<Effect> effects) {
    this.bodies = new IncomingBodies(maxBodyBytes);
    this.effects = effects;
  }

  @Nullable Objection update(Update update) {
    Objection objection = FrameCheck.objection(update);
    if (objection != null) {
      return objection;
    }
    if (update.getHasBody()) {
      return follow(bodies.begin(update));
    }
    store(update, null);
    return null;
  }

  @Nullable Objection chunk(BodyChunk chunk) {
    return follow(bodies.chunk(chunk));
  }

  private @Nullable Objection follow(IncomingBodies.Step step) {
    if (step.refusal() != null) {
      return new Objection(CloseReason.PROTOCOL_ERROR, step.refusal());
    }
    if (step.complete() != null) {
      store(step.complete().update(), step.complete().body());
    }
    return null;
  }

  private void store(Update update, byte @Nullable [] body) {
    begin();
    effects.accept(new Effect.Store(update, body));
  }

  void actions(Actions actions, ByteString hash) {
    begin();
    effects.accept(new Effect.KeepActions(actions, hash));
  }

  /** Signing is what costs most in a session: once in each. */
  @Nullable Objection renew(RenewalRequest request) {
    if (renewed) {
      return new Objection(
          CloseReason.PROTOCOL_ERROR, "renewal: asked twice (expected once per session)");
    }
    renewed = true;
    begin();
    effects.accept(new Effect.Renew(request.getCertificateRequest()));
    return null;
  }

  private void begin() {
    if (stores.begin()) {
      effects.accept(new Effect.PauseReading());
    }
  }

  /** One of what was passed on is done. */
  void done() {
    if (stores.end()) {
      effects.accept(new Effect.ResumeReading());
    }
  }

  /** Whether the device owes the rest of a body. */
  boolean isReceiving() {
    return !bodies.isEmpty();
  }

  boolean isIdle() {
    return bodies.isEmpty() && stores.isEmpty();
  }

  /** Bytes held for bodies that are not complete. */
  long heldBytes() {
    return bodies.heldBytes();
  }

  void clear() {
    bodies.clear();
  }
}
