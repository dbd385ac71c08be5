package dev.beckon.protocol.datagram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DeviceKeyTest {
  private final byte[] masterKey = Samples.bytes(new Random(1), 32);

  @Test
  void isTheHmacOfLabelDeviceIdAndGeneration() {
    byte[] message = "beckon/1 device keykitchen??".getBytes(StandardCharsets.US_ASCII);
    message[message.length - 2] = 0x12;
    message[message.length - 1] = (byte) 0xFE;

    assertThat(DeviceKey.derive(masterKey, new DeviceId("kitchen"), 0x12FE))
        .isEqualTo(RawDatagram.mac(masterKey, message));
  }

  @Test
  void differsByDeviceGenerationAndMasterKey() {
    byte[] key = DeviceKey.derive(masterKey, new DeviceId("a"), 1);

    assertThat(DeviceKey.derive(masterKey, new DeviceId("b"), 1)).isNotEqualTo(key);
    assertThat(DeviceKey.derive(masterKey, new DeviceId("a"), 2)).isNotEqualTo(key);
    assertThat(DeviceKey.derive(masterKey, new DeviceId("a"), 0x100)).isNotEqualTo(key);
    assertThat(DeviceKey.derive(new byte[32], new DeviceId("a"), 1)).isNotEqualTo(key);
  }

  @Test
  void refusesAGenerationOfMoreThan16Bits() {
    assertThatThrownBy(() -> DeviceKey.derive(masterKey, new DeviceId("a"), 0x1_0000))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("generation: 65536 (expected 0 to 2^16 - 1)");
  }

  @Test
  void refusesAMasterKeyOfAnotherLength() {
    assertThatThrownBy(() -> DeviceKey.derive(new byte[31], new DeviceId("a"), 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("master key: 31 bytes (expected 32)");
  }
}
