package dev.beckon.server;

import dev.beckon.protocol.datagram.DeviceId;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is: the groups by turns, one device each, however large they are. Holds a page of
 * each group's devices; the rest stays in the store.
 *
 * <p>Each group is gone through once. Who was not woken by that, for being away, is told of by its
 * keepalives. Knows no clock or store. Not thread-safe.
 */
final class TurnsLogic {

  /**
   * A device whose turn comes.
   *
   * @param commandId by which the order in the group goes
   */
  record Turn(String commandId, DeviceId deviceId, Instant deadline) {}

  /** How far one group is. */
  private static final class Course {
    final Deque<Turn> page = new ArrayDeque<>();
    String after = "";
    boolean complete;
    boolean passed;
  }

  private final Map<String, Course> courses = new LinkedHashMap<>();
  private final Deque<String> rotation = new ArrayDeque<>();

  /**
   * The groups that are under way now. New ones join at the end of the rotation, those that are
   * missing leave.
   *
   * @param complete by group, the oldest first: whether all of its commands are in the store
   */
  void open(Map<String, Boolean> complete) {
    courses.keySet().retainAll(complete.keySet());
    rotation.retainAll(complete.keySet());
    complete.forEach(
        (id, all) -> {
          Course course = courses.get(id);
          if (course == null) {
            course = new Course();
            courses.put(id, course);
            rotation.add(id);
          }
          course.complete = all;
        });
  }

  /** Whether any group is under way. */
  boolean isOpen() {
    return !courses.isEmpty();
  }

  /** Groups of which a page must be read before they have a turn again. */
  List<String> wanting() {
    List<String> wanting = new ArrayList<>();
    courses.forEach(
        (id, course) -> {
          if (course.page.isEmpty() && !course.passed) {
            wanting.add(id);
          }
        });
    return wanting;
  }

  /** The command behind which the group's next page begins. */
  String after(String id) {
    Course course = courses.get(id);
    return course == null ? "" : course.after;
  }

  /**
   * The group's next page.
   *
   * @param turns in the order of the commands; empty if there are no more at present
   */
  void page(String id, List<Turn> turns) {
    Course course = courses.get(id);
    if (course == null) {
      return; // it ended while the page was read
    }
    if (turns.isEmpty()) {
      course.passed = course.complete;
    } else {
      course.page.addAll(turns);
      course.after = turns.getLast().commandId();
    }
  }

  /** The next one of the oldest group that has somebody; null as for {@link #next}. */
  @Nullable Turn oldest() {
    for (Course course : courses.values()) {
      Turn turn = course.page.poll();
      if (turn != null) {
        return turn;
      }
    }
    return null;
  }

  /** The next one, by turns; null if no group has a page with somebody left. */
  @Nullable Turn next() {
    for (int looked = rotation.size(); looked > 0; looked--) {
      String id = rotation.removeFirst();
      rotation.addLast(id);
      Course course = courses.get(id);
      Turn turn = course == null ? null : course.page.poll();
      if (turn != null) {
        return turn;
      }
    }
    return null;
  }
}
