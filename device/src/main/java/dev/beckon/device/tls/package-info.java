/**
 * The device's TLS: certificate checks by the device's own clock, certificate requests, PEM files,
 * and the connection itself.
 */
@NullMarked
package dev.beckon.device.tls;

import org.jspecify.annotations.NullMarked;
