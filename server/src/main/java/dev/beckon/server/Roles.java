package dev.beckon.server;

import dev.beckon.server.identity.EnrolledIdentity;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which roles a process may have: pure functions. */
final class Roles {

  /** The number of the directory server. */
  static final int DIRECTORY_SERVER = 65_535;

  private Roles() {}

  /**
   * What speaks against these roles before anything is opened; null if nothing does.
   *
   * @param wanted empty = not chosen
   * @param enrolls whether an enrollment code was given
   * @param rendezvousFolder whether the data folder holds a fleet's CA
   * @param enrolled what the data folder was enrolled as
   */
  static @Nullable String objection(
      Set<Role> wanted,
      boolean enrolls,
      boolean rendezvousFolder,
      Optional<EnrolledIdentity> enrolled) {
    boolean rendezvous = wanted.contains(Role.RENDEZVOUS);
    if (rendezvous && enrolls) {
      return "role: "
          + Role.text(wanted)
          + " with an enrollment code (expected delivery or directory: the rendezvous server makes"
          + " the codes)";
    }
    if (!rendezvous && wanted.size() > 1) {
      return "role: "
          + Role.text(wanted)
          + " (expected one of delivery and directory: an enrolled server has one number)";
    }
    if (rendezvousFolder && enrolls) {
      return "enroll: the data folder is a rendezvous server's (expected a folder of its own for an"
          + " application server, see --data)";
    }
    if (rendezvousFolder && !wanted.isEmpty() && !rendezvous) {
      return "role: "
          + Role.text(wanted)
          + " (expected rendezvous among them: the data folder is a rendezvous server's; see"
          + " --data)";
    }
    if (enrolled.isPresent()) {
      return objection(wanted, enrolled.get().number());
    }
    if (!wanted.isEmpty() && !rendezvous && !enrolls) {
      return "role: "
          + Role.text(wanted)
          + " (expected an enrolled data folder: run \"beckon app-server add NUMBER NAME ADDRESS\""
          + " on the rendezvous server and give --enroll CODE)";
    }
    return null;
  }

  /** What speaks against these roles for an enrolled server of this number; null if nothing. */
  static @Nullable String objection(Set<Role> wanted, int number) {
    Role role = of(number);
    return wanted.isEmpty() || wanted.equals(Set.of(role))
        ? null
        : "role: "
            + Role.text(wanted)
            + " (expected "
            + role.text()
            + ": this server is enrolled with number "
            + number
            + ")";
  }

  /** The one role of an enrolled server. */
  static Role of(int number) {
    return number == DIRECTORY_SERVER ? Role.DIRECTORY : Role.DELIVERY;
  }

  /** The roles of a process that is not enrolled. */
  static Set<Role> orAll(Set<Role> wanted) {
    return wanted.isEmpty() ? EnumSet.allOf(Role.class) : wanted;
  }
}
