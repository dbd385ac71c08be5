package dev.beckon.agent.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.device.Parameter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ValueStoreTest {
  private static final Map<String, Value> KNOWN =
      Map.of(
          "volume", new Value(Parameter.integer("volume").between(0, 100), "30"),
          "name", new Value(Parameter.text("name"), null));

  @TempDir private Path folder;

  @Test
  void beginsWithTheInitialValues() throws IOException {
    assertThat(open(KNOWN).all()).containsOnly(Map.entry("volume", "30"));
  }

  @Test
  void keepsWhatWasSetAcrossRestarts() throws IOException {
    String odd = " = Küche\\ \n#!:\u0007 ";
    open(KNOWN).set(Map.of("volume", "55", "name", odd));

    assertThat(open(KNOWN).all()).containsOnly(Map.entry("volume", "55"), Map.entry("name", odd));
  }

  @Test
  void leavesOutWhatTheConfigurationNoLongerAllows() throws IOException {
    open(KNOWN).set(Map.of("volume", "55", "name", "x"));
    Map<String, Value> narrower =
        Map.of("volume", new Value(Parameter.integer("volume").between(0, 40), "10"));

    assertThat(open(narrower).all()).containsOnly(Map.entry("volume", "10"));
  }

  @Test
  void changesNothingIfItCannotBeKept() throws IOException {
    ValueStore store = open(KNOWN);
    Files.createDirectory(folder.resolve("values.properties.new")); // in the way, for root too

    assertThatThrownBy(() -> store.set(Map.of("volume", "55"))).isInstanceOf(IOException.class);
    assertThat(store.get("volume")).isEqualTo("30");
  }

  private ValueStore open(Map<String, Value> known) throws IOException {
    return new ValueStore(folder.resolve("values.properties"), known);
  }
}
