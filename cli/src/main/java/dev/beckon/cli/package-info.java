/**
 * The {@code beckon} command: starts servers and devices, and talks to a server's HTTP API.
 *
 * <p>{@link dev.beckon.cli.Main} is the entry. A client command knows the server only by its API.
 */
@NullMarked
package dev.beckon.cli;

import org.jspecify.annotations.NullMarked;
