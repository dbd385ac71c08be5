package dev.beckon.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A command's arguments as they are typed: {@code key=value}, {@code key=@FILE} (a file's text),
 * {@code key=-} (standard input), {@code key=@@…} (a value that begins with an @).
 *
 * <p>A value from a file or standard input is UTF-8; one line end at its very end is dropped, and
 * no more. It appears in no message, for it may be a secret.
 */
final class Arguments {

  /** The server takes no more, all arguments together. */
  private static final int MAX_BYTES = 48 * 1024;

  private final InputStream in;

  Arguments(InputStream in) {
    this.in = in;
  }

  /** The arguments by key, in the order typed. */
  Map<String, String> parse(List<String> words) {
    Map<String, String> args = new LinkedHashMap<>();
    boolean inputTaken = false;
    for (String word : words) {
      int equals = word.indexOf('=');
      if (equals <= 0) {
        throw FailureException.usage(
            "argument: " + word + " (expected KEY=VALUE, KEY=@FILE or KEY=-)", null);
      }
      String key = word.substring(0, equals);
      String typed = word.substring(equals + 1);
      if (typed.equals("-") && inputTaken) {
        throw FailureException.usage(
            "argument: " + word + " (expected: only one argument from standard input)", null);
      }
      inputTaken |= typed.equals("-");
      if (args.put(key, value(key, typed)) != null) {
        throw FailureException.usage("argument: " + key + " (expected only once)", null);
      }
    }
    return args;
  }

  private String value(String key, String typed) {
    if (typed.startsWith("@@")) {
      return typed.substring(1);
    }
    if (typed.equals("-")) {
      try {
        return text(key, "-", in.readNBytes(MAX_BYTES + 1));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    if (!typed.startsWith("@")) {
      return typed;
    }
    String name = typed.substring(1);
    try (InputStream file = Files.newInputStream(Path.of(name))) {
      return text(key, typed, file.readNBytes(MAX_BYTES + 1));
    } catch (InvalidPathException e) {
      throw FailureException.usage(key + ": @" + name + " (expected a file's name)", null);
    } catch (IOException e) {
      throw FailureException.usage(
          key + ": @" + name + " (" + Failures.of(e) + ")", "a value that begins with @: @@…");
    }
  }

  private static String text(String key, String typed, byte[] content) {
    String expected = null;
    String text = "";
    if (content.length > MAX_BYTES) {
      expected = "at most " + MAX_BYTES + " bytes";
    } else {
      try {
        text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
      } catch (CharacterCodingException e) {
        expected = "text in UTF-8";
      }
    }
    if (text.indexOf('\0') >= 0) {
      expected = "text without NUL characters";
    }
    if (expected != null) {
      throw FailureException.usage(
          key + ": " + typed + " (expected " + expected + ")", "send other content with --body");
    }
    return withoutLastLineEnd(text);
  }

  /** As a shell does with a command's output: the line's end belongs to the file. */
  private static String withoutLastLineEnd(String text) {
    if (text.endsWith("\r\n")) {
      return text.substring(0, text.length() - 2);
    }
    return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
  }
}
