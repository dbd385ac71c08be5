/**
 * The device library: makes a program reachable behind any router.
 *
 * <p>Begin at {@link dev.beckon.device.Device}. The packages below this one hold its rules, without
 * I/O, and are not meant to be used from outside.
 */
@NullMarked
package dev.beckon.device;

import org.jspecify.annotations.NullMarked;
