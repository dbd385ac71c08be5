/** What device and server have in common and no single part of the protocol owns. */
@NullMarked
package dev.beckon.protocol;

import org.jspecify.annotations.NullMarked;
