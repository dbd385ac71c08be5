package dev.beckon.agent.action;

import dev.beckon.device.Result;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * What another device answered, up to a limit.
 *
 * @param truncated whether there was more
 */
record Answer(byte[] bytes, boolean truncated) {
  private static final int MAX_VALUE_BYTES = 4 * 1024;

  /** That there was more than may be. */
  static Result tooLarge(long maxBytes) {
    return Failure.ANSWER_TOO_LARGE.because(
        "answer: more than "
            + maxBytes
            + " bytes (expected at most that; see max-answer in agent.yaml)");
  }

  /** The answer as the result's body and, if it is a short text, as the value {@code answer}. */
  Result addTo(Result result) {
    if (bytes.length == 0) {
      return result;
    }
    Result more = result.with("answer-bytes", bytes.length).withBody(bytes);
    return bytes.length > MAX_VALUE_BYTES ? more : withText(more);
  }

  private Result withText(Result result) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      boolean printable =
          text.chars().noneMatch(c -> Character.isISOControl(c) && "\n\r\t".indexOf(c) < 0);
      return printable ? result.with("answer", text) : result;
    } catch (CharacterCodingException e) {
      return result;
    }
  }
}
