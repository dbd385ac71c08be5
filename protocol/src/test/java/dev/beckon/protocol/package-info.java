/** What the tests of the protocol share: docs/PROTOCOL.md as tables and vectors. */
@NullMarked
package dev.beckon.protocol;

import org.jspecify.annotations.NullMarked;
