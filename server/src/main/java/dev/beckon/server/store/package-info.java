/**
 * The server's durable memory: one SQLite database and the private files beside it, in one folder
 * that one server owns.
 *
 * <p>{@link dev.beckon.server.store.Database} is the face. The package knows nothing of devices or
 * commands; each part of the server brings its own statements.
 */
@NullMarked
package dev.beckon.server.store;

import org.jspecify.annotations.NullMarked;
