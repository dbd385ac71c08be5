package dev.beckon.server.api;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * What the bearer of a token may.
 *
 * <p>An operator sees everything but secrets, and sends and cancels commands, wakes devices and
 * labels them. Who belongs to the fleet (devices, application servers, keys, certificates) is the
 * admin's, and so are secrets: whoever can enroll a device can be it, and gets what is meant for
 * it.
 */
enum Access {
  OPERATOR,
  ADMIN;

  private static final String ATTRIBUTE = "access";

  /** What an operator may change. Anything not named here, so any new route too, is the admin's. */
  private static final Pattern OPERATED =
      Pattern.compile("/v1/(commands(/[^/]*)?|devices/[^/]*/(commands|wakes|labels))/?");

  /**
   * Lets the request in if it is one for this access.
   *
   * @throws Problem if it needs the admin token
   */
  void enter(Context ctx) {
    ctx.attribute(ATTRIBUTE, this);
    boolean reads = ctx.method() == HandlerType.GET || ctx.method() == HandlerType.HEAD;
    if (!reads && !OPERATED.matcher(ctx.path()).matches()) {
      require(ctx, ADMIN, ctx.method() + " " + ctx.path());
    }
  }

  /**
   * @param what it is needed for
   * @throws Problem if the request came with less
   */
  static void require(Context ctx, Access needed, String what) {
    Access access = Objects.requireNonNull(ctx.<Access>attribute(ATTRIBUTE));
    if (access.compareTo(needed) < 0) {
      throw new Problem(
          ErrorCode.ADMIN_NEEDED,
          what + " (expected with the admin token; this is the operator's)",
          "the server's data folder holds it in " + Tokens.ADMIN_FILE);
    }
  }
}
