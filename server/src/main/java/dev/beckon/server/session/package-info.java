/**
 * Sessions: the TLS connections that devices open, and enrollment over the same port.
 *
 * <p>{@link dev.beckon.server.session.SessionServer} is the face. The rules of one session are in
 * {@code SessionLogic}, a plain object; {@code SessionHandler} carries its effects out with Netty.
 * Certificates are judged in {@code DeviceCertificates}.
 */
@NullMarked
package dev.beckon.server.session;

import org.jspecify.annotations.NullMarked;
