/** Proofs that docs/PROTOCOL.md tells the same as session.proto. */
@NullMarked
package dev.beckon.protocol.session;

import org.jspecify.annotations.NullMarked;
