/**
 * Who is who: the fleet's certificate authority, the master keys, the devices with their
 * generations, enrollment and revocation.
 *
 * <p>{@link dev.beckon.server.identity.Identity} opens all of it. No secret of a device is stored:
 * its key is derived, and its enrollment secret is kept as a hash.
 */
@NullMarked
package dev.beckon.server.identity;

import org.jspecify.annotations.NullMarked;
