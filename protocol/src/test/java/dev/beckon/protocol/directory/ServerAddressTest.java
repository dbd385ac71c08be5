package dev.beckon.protocol.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerAddressTest {

  @ParameterizedTest
  @CsvSource({
    "192.0.2.7, 192.0.2.7, 5349",
    "192.0.2.7:6000, 192.0.2.7, 6000",
    "tv.example.org, tv.example.org, 5349",
    "tv.example.org:443, tv.example.org, 443",
    "printserver, printserver, 5349",
    "[2001:db8::7], 2001:db8::7, 5349",
    "[2001:db8::7]:6000, 2001:db8::7, 6000",
    "beckon://tv.example.org, tv.example.org, 5349",
    "beckon://tv.example.org:6000/guide?x=1, tv.example.org, 6000",
    "https://tv.example.org/guide, tv.example.org, 443",
    "https://[2001:db8::7]/, 2001:db8::7, 443",
  })
  void readsWhatAnEntryMaySay(String text, String host, int port) {
    assertThat(ServerAddress.parse(text)).isEqualTo(new ServerAddress(host, port));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        ":5349",
        "host:",
        "host:0",
        "host:65536",
        "host:http",
        "2001:db8::7",
        "[host]:1",
        "[2001:db8::7",
        "[2001:db8::7]5",
        "http://tv.example.org",
        "https://",
        "https://me@host",
        "a b",
        "-host",
        "host:+80",
        "ftp://host/",
        "https:///path"
      })
  void refusesWhatIsNoAddress(String text) {
    assertThatThrownBy(() -> ServerAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("address: " + text)
        .hasMessageContaining("expected ADDRESS");
  }

  @ParameterizedTest
  @CsvSource({"192.0.2.7:1, 192.0.2.7:1", "[2001:db8::7], [2001:db8::7]:5349"})
  void writesWhatItReads(String text, String written) {
    assertThat(ServerAddress.parse(text)).hasToString(written);
  }
}
