/** What the commands and the demo share when they write to a terminal. */
@NullMarked
package dev.beckon.cli.terminal;

import org.jspecify.annotations.NullMarked;
