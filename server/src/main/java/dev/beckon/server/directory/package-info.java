/**
 * The application servers of the fleet, and the directory: the signed, versioned list that tells
 * devices where each of them is.
 *
 * <p>{@link dev.beckon.server.directory.ApplicationServers} is what the operator wants; it lives on
 * the rendezvous server.
 */
@NullMarked
package dev.beckon.server.directory;

import org.jspecify.annotations.NullMarked;
