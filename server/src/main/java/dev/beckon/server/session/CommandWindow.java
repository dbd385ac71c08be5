package dev.beckon.server.session;

import dev.beckon.protocol.session.Command;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which commands one session has handed over and not seen end, and when to ask for more. Not
 * thread-safe.
 *
 * <p>A command is never handed over twice in one session, and in the next one only if its end is
 * not durable: the device forgets an ended command with the Receipt, so a command sent again behind
 * its Receipt would run twice. Therefore commands that end while a request for more is under way
 * are struck from what it brings.
 */
final class CommandWindow {

  /** A command of this session that has not ended. */
  private enum Flight {
    /** Sent; the device has not said that it has it. */
    SENT,
    /** In the device's journal. */
    TAKEN
  }

  /**
   * What to send now.
   *
   * @param answersInquiry whether an InquiryAnswer goes before the commands
   */
  record Portion(List<Command> commands, boolean answersInquiry) {}

  private final int maxInFlight;
  private final Map<String, Flight> inFlight = new LinkedHashMap<>();
  private final Set<String> endedMeanwhile = new HashSet<>();

  private boolean asking;
  private boolean askAgain;
  private int asked;
  private boolean moreWait;

  /** An Inquiry whose commands are not all handed over; its first answer may be out. */
  private boolean inquiryOpen;

  private boolean inquiryAnswered;
  private boolean inquiryWaits;

  CommandWindow(int maxInFlight) {
    this.maxInFlight = maxInFlight;
  }

  /** True if nothing is in flight and no request is under way. */
  boolean idle() {
    return inFlight.isEmpty() && !asking;
  }

  /** Whether the device has yet to say that it has a command. */
  boolean owed() {
    return inFlight.containsValue(Flight.SENT);
  }

  /** IDs of the commands in flight. */
  Set<String> inFlight() {
    return Set.copyOf(inFlight.keySet());
  }

  /** How many commands were asked for by the request under way. */
  int asked() {
    return asked;
  }

  /** Something may be deliverable. Returns whether to ask for it now. */
  boolean look() {
    if (asking) {
      askAgain = true;
      return false;
    }
    asked = maxInFlight - inFlight.size();
    if (asked <= 0) {
      moreWait = true;
      return false;
    }
    asking = true;
    return true;
  }

  /** The device asks what is wanted of it. Returns whether to ask the store now. */
  boolean inquire() {
    if (asking) {
      // The request under way may have missed the command that this inquiry is about.
      inquiryWaits = true;
    } else {
      openInquiry();
    }
    return look();
  }

  private void openInquiry() {
    inquiryOpen = true;
    inquiryAnswered = false;
  }

  /** The request brought commands, in order of acceptance. Ask {@link #lookAgain} afterwards. */
  Portion choose(List<Command> deliverable) {
    asking = false;
    List<Command> chosen = new ArrayList<>();
    for (Command command : deliverable) {
      String id = command.getCommandId();
      if (!inFlight.containsKey(id) && !endedMeanwhile.contains(id)) {
        chosen.add(command);
        inFlight.put(id, Flight.SENT);
      }
    }
    endedMeanwhile.clear();
    moreWait = deliverable.size() >= asked;
    boolean answers = inquiryOpen && (!inquiryAnswered || !chosen.isEmpty());
    inquiryAnswered |= answers;
    // The rest of an inquiry's answer follows as commands end; each part is announced.
    inquiryOpen = inquiryOpen && moreWait;
    return new Portion(chosen, answers);
  }

  /** Whether to ask once more, because something came up during the last request. */
  boolean lookAgain() {
    if (!askAgain) {
      return false;
    }
    askAgain = false;
    if (inquiryWaits) {
      inquiryWaits = false;
      openInquiry();
    }
    return look();
  }

  /** The device has the command and will report its end. */
  void taken(String commandId) {
    inFlight.put(commandId, Flight.TAKEN);
  }

  /** The command's end is durable. Returns whether to ask for more, for its place is free. */
  boolean ended(String commandId, boolean push) {
    if (asking) {
      endedMeanwhile.add(commandId);
    }
    if (inFlight.remove(commandId) == null || !moreWait || !(push || inquiryOpen)) {
      return false;
    }
    moreWait = false;
    return look();
  }
}
