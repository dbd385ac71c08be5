/**
 * The server: {@link dev.beckon.server.Server} puts the parts together; each package below is one
 * part.
 */
@NullMarked
package dev.beckon.server;

import org.jspecify.annotations.NullMarked;
