/** Proofs of the datagram codec: published vectors, hostile bytes, and no allocation. */
@NullMarked
package dev.beckon.protocol.datagram;

import org.jspecify.annotations.NullMarked;
