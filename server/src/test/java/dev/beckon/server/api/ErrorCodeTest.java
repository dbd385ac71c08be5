package dev.beckon.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ErrorCodeTest {

  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `([a-z-]+)` \\| ([0-9]+) \\| ([^|]+) \\| ([^|]+) \\|$");

  @Test
  void everyErrorIsDocumentedWithItsStatusAndTitle() throws Exception {
    List<String> documented = new ArrayList<>();
    Matcher row = ROW.matcher(Files.readString(Path.of("../docs/errors.md")));
    while (row.find()) {
      documented.add(row.group(1) + " " + row.group(2) + " " + row.group(3).strip());
    }

    assertThat(documented)
        .containsExactlyElementsOf(
            Arrays.stream(ErrorCode.values())
                .map(error -> error.code() + " " + error.status() + " " + error.title())
                .toList());
  }

  @Test
  void theContractListsEveryError() {
    List<String> listed = new ArrayList<>();
    for (JsonNode code :
        new OpenApiContract().document().at("/components/schemas/ErrorCode/enum")) {
      listed.add(code.asString());
    }

    assertThat(listed)
        .containsExactlyElementsOf(Arrays.stream(ErrorCode.values()).map(ErrorCode::code).toList());
  }

  @Test
  void findsAnErrorByItsCode() {
    for (ErrorCode error : ErrorCode.values()) {
      assertThat(ErrorCode.of(error.code())).isEqualTo(error);
    }
  }
}
