/**
 * The HTTP API for operators and programs: devices, commands, wakes, events, health, metrics.
 *
 * <p>{@link dev.beckon.server.api.ApiServer} is the face. The contract is {@code openapi.yaml}
 * among the resources; errors are {@link dev.beckon.server.api.ErrorCode}. What the API needs of
 * the registrar and of the wakes it asks for through {@link dev.beckon.server.api.Reachability} and
 * {@link dev.beckon.server.api.WakeRequests}.
 */
@NullMarked
package dev.beckon.server.api;

import org.jspecify.annotations.NullMarked;
