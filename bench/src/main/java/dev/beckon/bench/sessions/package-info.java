/** Sessions measured: against nginx's handshakes and SQLite's commits, on one core each. */
@NullMarked
package dev.beckon.bench.sessions;

import org.jspecify.annotations.NullMarked;
