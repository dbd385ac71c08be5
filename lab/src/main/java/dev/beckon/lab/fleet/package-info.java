/** The fleet simulator: millions of devices in one process, with genuine datagrams and sessions. */
@NullMarked
package dev.beckon.lab.fleet;

import org.jspecify.annotations.NullMarked;
