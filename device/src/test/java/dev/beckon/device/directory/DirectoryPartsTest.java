package dev.beckon.device.directory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.beckon.protocol.session.DirectoryPart;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectoryPartsTest {
  private final DirectoryParts parts = new DirectoryParts();

  @ParameterizedTest(name = "parts of {0} bytes")
  @ValueSource(ints = {1, 999, 1_000, 4_999, 5_000, 32_768})
  void putsAListTogetherHoweverItIsCut(int partBytes) {
    byte[] list = bytes(5_000);
    List<DirectoryPart> cut = TestDirectory.parts(1, list, partBytes);
    for (DirectoryPart part : cut.subList(0, cut.size() - 1)) {
      assertThat(parts.onPart(part)).isNull();
      assertThat(parts.isUnderWay()).isTrue();
    }

    assertThat(parts.onPart(cut.get(cut.size() - 1))).isEqualTo(list);
    assertThat(parts.isUnderWay()).isFalse();
  }

  @Test
  void beginsAnewWithAPartAtOffsetZero() {
    parts.onPart(TestDirectory.parts(1, bytes(5_000), 1_000).get(0));
    byte[] next = bytes(900);

    assertThat(parts.onPart(TestDirectory.parts(2, next, 900).get(0))).isEqualTo(next);
  }

  @Test
  void refusesAPartOutOfPlace() {
    List<DirectoryPart> cut = TestDirectory.parts(1, bytes(5_000), 1_000);
    assertRefused(cut.get(1));
    parts.onPart(cut.get(0));
    assertRefused(cut.get(2));
    assertRefused(cut.get(1).toBuilder().setVersion(2).build());
    assertRefused(cut.get(1).toBuilder().setTotalBytes(4_000).build());
    assertRefused(cut.get(1).toBuilder().setContent(ByteString.EMPTY).build());
    assertRefused(cut.get(1).toBuilder().setContent(ByteString.copyFrom(bytes(4_001))).build());

    assertThat(parts.onPart(cut.get(1))).as("what was refused changed nothing").isNull();
  }

  @Test
  void refusesAPartThatIsLongerThanPartsAre() {
    assertRefused(TestDirectory.parts(1, bytes(40_000), 32_769).get(0));
  }

  @Test
  void readsPastAListThatIsTooLongWithoutKeepingIt() {
    byte[] whole = null;
    for (DirectoryPart part : TestDirectory.parts(1, bytes(DirectoryCheck.MAX_BYTES + 1), 32_768)) {
      whole = parts.onPart(part);
    }

    assertThat(whole).isEmpty();
    assertThat(parts.isTooLong()).isTrue();
  }

  private void assertRefused(DirectoryPart part) {
    assertThatThrownBy(() -> parts.onPart(part))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("out of place");
  }

  private static byte[] bytes(int length) {
    byte[] bytes = new byte[length];
    new Random(1).nextBytes(bytes);
    return bytes;
  }
}
