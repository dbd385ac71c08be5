/** The directory as servers and devices share it: addresses of servers, and what is signed. */
@NullMarked
package dev.beckon.protocol.directory;

import org.jspecify.annotations.NullMarked;
