package dev.beckon.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.dialect.Dialects;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** Compares real answers with openapi.yaml. */
final class OpenApiContract {

  private static final String IRI = "https://beckon.dev/openapi.json";

  private final JsonNode document;
  private final SchemaRegistry registry;

  OpenApiContract() {
    this.document = new YAMLMapper().readTree(yaml());
    String json = document.toString();
    this.registry =
        SchemaRegistry.withDialect(
            Dialects.getOpenApi31(),
            builder ->
                builder
                    .schemas(Map.of(IRI, json))
                    .schemaRegistryConfig(
                        SchemaRegistryConfig.builder().formatAssertionsEnabled(true).build()));
  }

  static String yaml() {
    try (InputStream in =
        Objects.requireNonNull(OpenApiContract.class.getResourceAsStream("/openapi.yaml"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException broken) {
      throw new AssertionError(broken);
    }
  }

  JsonNode document() {
    return document;
  }

  /** Every method and path of the contract, such as {@code GET /v1/devices/{id}}. */
  List<String> operations() {
    List<String> all = new ArrayList<>();
    for (Map.Entry<String, JsonNode> path : document.get("paths").properties()) {
      for (Map.Entry<String, JsonNode> method : path.getValue().properties()) {
        if (method.getValue().has("operationId")) {
          all.add(method.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey());
        }
      }
    }
    return all;
  }

  /** Fails if the answer is not one that the contract promises for its request. */
  void check(HttpResponse<byte[]> answer) {
    String method = answer.request().method().toLowerCase(Locale.ROOT);
    String path = answer.request().uri().getPath();
    String contentType = answer.headers().firstValue("Content-Type").orElse("");
    String mediaType = contentType.split(";", 2)[0];
    JsonNode operation = operation(method, path);
    if (operation == null) {
      assertThat(answer.statusCode()).as(method + " " + path).isIn(400, 401, 404, 405);
      validate("#/components/schemas/Problem", answer);
      return;
    }
    JsonNode responses = operation.get("responses");
    JsonNode response = responses.get(String.valueOf(answer.statusCode()));
    if (response == null) {
      assertThat(answer.statusCode()).as("status of " + method + " " + path).isBetween(400, 599);
      assertThat(responses.has("default")).as("errors of " + method + " " + path).isTrue();
      assertThat(mediaType).isEqualTo("application/problem+json");
      validate("#/components/schemas/Problem", answer);
      return;
    }
    JsonNode content = response.get("content").get(mediaType);
    assertThat(content).as(mediaType + " of " + method + " " + path).isNotNull();
    if (response.has("headers")) {
      assertThat(answer.headers().firstValue("Location")).isPresent();
    }
    if (mediaType.equals("application/json")) {
      validate(content.get("schema").get("$ref").asString(), answer);
    }
  }

  private @Nullable JsonNode operation(String method, String path) {
    for (Map.Entry<String, JsonNode> entry : document.get("paths").properties()) {
      String pattern = entry.getKey().replace(".", "\\.").replaceAll("\\{[a-z]+}", "[^/]+");
      if (Pattern.matches(pattern, path) && entry.getValue().has(method)) {
        return entry.getValue().get(method);
      }
    }
    return null;
  }

  /** Fails if the JSON is not what the schema of this name says. */
  void validate(String reference, HttpResponse<byte[]> answer) {
    validate(reference, new String(answer.body(), StandardCharsets.UTF_8));
  }

  void validate(String reference, String json) {
    Schema schema = registry.getSchema(SchemaLocation.of(IRI + reference));
    List<Error> errors = schema.validate(new JsonMapper().readTree(json));
    assertThat(errors).as(reference + " for " + json).isEmpty();
  }
}
