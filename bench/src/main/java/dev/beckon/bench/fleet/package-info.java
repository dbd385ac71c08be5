/** Prepares what a server remembers of a fleet, for measurements that begin with a full table. */
@NullMarked
package dev.beckon.bench.fleet;

import org.jspecify.annotations.NullMarked;
