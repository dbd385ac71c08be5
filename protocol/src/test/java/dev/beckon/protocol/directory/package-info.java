@NullMarked
package dev.beckon.protocol.directory;

import org.jspecify.annotations.NullMarked;
