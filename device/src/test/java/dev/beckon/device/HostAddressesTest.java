package dev.beckon.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.beckon.protocol.Security;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostAddressesTest {
  private static final long T0 = 1_800_000_000_000L; // 2027-01-15T08:00:00Z
  private static final String HOST = "print.example";

  @TempDir private Path folder;
  private final Map<String, List<String>> zone = new HashMap<>();
  private long now = T0;
  private HostAddresses hosts;

  @BeforeEach
  void openHosts() {
    hosts = open();
  }

  private HostAddresses open() {
    return new HostAddresses(
        folder.resolve("hosts.properties"),
        host -> {
          List<String> addresses = zone.get(host);
          if (addresses == null) {
            throw new UnknownHostException(host);
          }
          return addresses(addresses).toArray(new InetAddress[0]);
        },
        new LabGuard(Security.MUTUAL, false),
        () -> now);
  }

  @Test
  void triesBothFamiliesInTurnAndTheFirstOneFirst() throws IOException {
    assertThat(inTurn("192.0.2.1", "192.0.2.2", "2001:db8::1"))
        .containsExactly("192.0.2.1", "2001:db8:0:0:0:0:0:1", "192.0.2.2");
    assertThat(inTurn("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"))
        .containsExactly(
            "2001:db8:0:0:0:0:0:1", "192.0.2.1", "2001:db8:0:0:0:0:0:2", "2001:db8:0:0:0:0:0:3");
  }

  @Test
  void asksAnewEachTime() throws IOException {
    zone.put(HOST, List.of("192.0.2.1"));
    assertThat(text(hosts.find(HOST).addresses())).containsExactly("192.0.2.1");
    zone.put(HOST, List.of("192.0.2.2"));

    assertThat(text(hosts.find(HOST).addresses())).containsExactly("192.0.2.2");
  }

  @Test
  void usesTheLastGoodAddressesWhileDnsIsDownAndSaysSo() throws IOException {
    zone.put(HOST, List.of("192.0.2.1", "192.0.2.2"));
    HostAddresses.Found found = hosts.find(HOST);
    hosts.good(found, found.addresses().get(1));
    assertThat(found.note(found.addresses().get(0))).isEmpty();
    zone.clear();
    now += 60_000;

    HostAddresses.Found old = hosts.find(HOST);
    assertThat(text(old.addresses()))
        .as("the one that worked is first")
        .containsExactly("192.0.2.2", "192.0.2.1");
    assertThat(old.note(old.addresses().get(0)))
        .isEqualTo(
            "host print.example: cannot be resolved; used 192.0.2.2 of 2027-01-15T08:00:00Z");
  }

  @Test
  void remembersGoodAddressesAcrossRestarts() throws IOException {
    good("192.0.2.1", "2001:db8::1");
    zone.clear();
    hosts = open();

    assertThat(text(hosts.find(HOST).addresses()))
        .containsExactly("192.0.2.1", "2001:db8:0:0:0:0:0:1");
    hosts.good(hosts.find(HOST), hosts.find(HOST).addresses().get(1));
    assertThat(hosts.find(HOST).goodMillis()).as("old ones do not get younger").isEqualTo(T0);
  }

  @Test
  void doesNotRememberAddressesAtWhichNoServerOfTheFleetWas() throws IOException {
    zone.put(HOST, List.of("192.0.2.1"));
    hosts.find(HOST);
    zone.clear();

    assertThatThrownBy(() -> hosts.find(HOST))
        .isInstanceOf(UnknownHostException.class)
        .hasMessage("host: print.example (cannot be resolved)");
  }

  @Test
  void leavesTheFolderAloneOnceItIsClosed() throws IOException {
    hosts.close();
    good("192.0.2.1");

    assertThat(folder.resolve("hosts.properties")).doesNotExist();
  }

  @Test
  void doesNotWearTheDiskOut() throws IOException {
    good("192.0.2.1");
    Files.delete(folder.resolve("hosts.properties"));
    good("192.0.2.1");
    assertThat(folder.resolve("hosts.properties")).doesNotExist();
    good("192.0.2.2", "192.0.2.3");
    assertThat(folder.resolve("hosts.properties")).exists();
    Files.delete(folder.resolve("hosts.properties"));
    good("192.0.2.3", "192.0.2.2");

    assertThat(folder.resolve("hosts.properties")).as("a resolver that rotates").doesNotExist();
  }

  @Test
  void keepsABoundedNumberOfHosts() throws IOException {
    for (int i = 0; i < 200; i++) {
      zone.put("h" + i + ".example", List.of("192.0.2.1"));
      HostAddresses.Found found = hosts.find("h" + i + ".example");
      hosts.good(found, found.addresses().get(0));
    }
    zone.clear();

    assertThat(Files.readAllLines(folder.resolve("hosts.properties"))).hasSize(64);
    assertThat(text(hosts.find("h199.example").addresses())).containsExactly("192.0.2.1");
    assertThatThrownBy(() -> hosts.find("h0.example")).isInstanceOf(UnknownHostException.class);
  }

  @Test
  void beginsAnewIfItsFileIsDamaged() throws IOException {
    Files.writeString(
        folder.resolve("hosts.properties"),
        "a.example=never 192.0.2.1\n"
            + "b.example=1 nonsense\n"
            + "c.example=\n"
            + "d.example=7 192.0.2.4\n"
            + "\\u00");
    assertThatThrownBy(() -> open().find("d.example")).isInstanceOf(UnknownHostException.class);
    Files.writeString(
        folder.resolve("hosts.properties"),
        "a.example=never 192.0.2.1\nb.example=1 nonsense\nc.example=\nd.example=7 192.0.2.4\n");

    hosts = open();
    assertThat(text(hosts.find("d.example").addresses())).containsExactly("192.0.2.4");
    assertThatThrownBy(() -> hosts.find("b.example")).isInstanceOf(UnknownHostException.class);
  }

  private void good(String... addresses) throws IOException {
    zone.put(HOST, List.of(addresses));
    HostAddresses.Found found = hosts.find(HOST);
    hosts.good(found, found.addresses().get(0));
  }

  private static List<String> inTurn(String... addresses) throws UnknownHostException {
    return text(HostAddresses.inTurn(addresses(List.of(addresses))));
  }

  private static List<String> text(List<InetAddress> addresses) {
    return addresses.stream().map(InetAddress::getHostAddress).toList();
  }

  private static List<InetAddress> addresses(List<String> texts) throws UnknownHostException {
    List<InetAddress> addresses = new ArrayList<>();
    for (String text : texts) {
      addresses.add(InetAddress.getByName(text));
    }
    return addresses;
  }
}
