package dev.beckon.cli;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of every command that talks to a server: where it is and who is asking. */
final class ServerOptions {

  private static final String DEFAULT_SERVER = "http://127.0.0.1:8080";

  @Option(
      names = "--server",
      paramLabel = "URL",
      description = "The server's API (or BECKON_SERVER; default: " + DEFAULT_SERVER + ").")
  private @Nullable String server;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description =
          "File with the access token (or BECKON_TOKEN, the token itself; default:"
              + " ~/.local/share/beckon/server/admin.token).")
  private @Nullable Path tokenFile;

  Api open(Surroundings surroundings) {
    Path defaultFile = surroundings.serverFolder().resolve("admin.token");
    String hint =
        "give --token-file FILE or BECKON_TOKEN; the first start of 'beckon serve' writes"
            + " admin.token into its data folder (default: "
            + defaultFile
            + ")";
    return new Api(address(surroundings), token(surroundings, defaultFile), hint);
  }

  private URI address(Surroundings surroundings) {
    String text = server;
    String name = "--server";
    if (text == null) {
      text = surroundings.environment().get("BECKON_SERVER");
      name = "BECKON_SERVER";
    }
    if (text == null || text.isBlank()) {
      return URI.create(DEFAULT_SERVER);
    }
    try {
      URI uri = new URI(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
      boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (http && uri.getHost() != null && uri.getQuery() == null) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // Said below, together with the addresses that are URIs but not of an HTTP server.
    }
    throw FailureException.usage(
        name + ": " + text + " (expected a URL such as " + DEFAULT_SERVER + ")", null);
  }

  private Optional<String> token(Surroundings surroundings, Path defaultFile) {
    if (tokenFile != null) {
      return Optional.of(read(tokenFile));
    }
    String token = surroundings.environment().get("BECKON_TOKEN");
    if (token != null && !token.isBlank()) {
      return Optional.of(token.strip());
    }
    // Without a token the server says itself that it wants one, if there is a server at all.
    return Files.isReadable(defaultFile) ? Optional.of(read(defaultFile)) : Optional.empty();
  }

  private static String read(Path file) {
    try {
      String token = Files.readString(file).strip();
      if (token.isEmpty() || token.chars().anyMatch(c -> c <= ' ' || c > '~')) {
        throw FailureException.usage(
            "token file: " + file + " (expected one line with the token)", null);
      }
      return token;
    } catch (IOException e) {
      throw FailureException.usage("token file: " + file + " (" + Failures.of(e) + ")", null);
    }
  }
}
