/**
 * Keeps the registrar's table in files that are mapped into memory, so that it outlives the
 * process.
 *
 * <p>{@link dev.beckon.server.registrar.file.BindingFiles} opens, checks and enlarges them; the
 * rows themselves are the business of {@link dev.beckon.server.registrar.RowTable}.
 */
@NullMarked
package dev.beckon.server.registrar.file;

import org.jspecify.annotations.NullMarked;
