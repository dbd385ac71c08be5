/** Reads {@code agent.yaml}: YAML by name and type, with the line in every complaint. */
@NullMarked
package dev.beckon.agent.config;

import org.jspecify.annotations.NullMarked;
