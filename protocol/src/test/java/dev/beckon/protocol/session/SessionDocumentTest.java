package dev.beckon.protocol.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import dev.beckon.protocol.ProtocolDocument;
import dev.beckon.protocol.peer.PeerFrame;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever writes the frames by hand from docs/PROTOCOL.md writes what the .proto files say. */
class SessionDocumentTest {
  private static final ProtocolDocument DOCUMENT = ProtocolDocument.read();
  private static final FileDescriptor SCHEMA = Frame.getDescriptor().getFile();
  private static final FileDescriptor PEERS = PeerFrame.getDescriptor().getFile();

  static Stream<Descriptor> messages() {
    return Stream.of(SCHEMA, PEERS).flatMap(file -> file.getMessageTypes().stream());
  }

  static Stream<String> enums() {
    return SCHEMA.getEnumTypes().stream().map(EnumDescriptor::getName);
  }

  @ParameterizedTest
  @MethodSource("messages")
  void messagesHaveTheDocumentedFields(Descriptor message) {
    List<List<String>> fields =
        message.getFields().stream()
            .map(f -> List.of(String.valueOf(f.getNumber()), f.getName(), type(f)))
            .toList();

    assertThat(DOCUMENT.tableOf(message.getName()).stream().map(row -> row.subList(0, 3)))
        .containsExactlyElementsOf(fields);
  }

  @ParameterizedTest
  @MethodSource("enums")
  void enumsHaveTheDocumentedValues(String name) {
    List<List<String>> values =
        SCHEMA.findEnumTypeByName(name).getValues().stream()
            .map(value -> List.of(String.valueOf(value.getNumber()), value.getName()))
            .toList();

    assertThat(DOCUMENT.tableOf(name).stream().map(row -> row.subList(0, 2)))
        .containsExactlyElementsOf(values);
  }

  private static String type(FieldDescriptor field) {
    if (field.isMapField()) {
      return "map<string, " + type(field.getMessageType().findFieldByName("value")) + ">";
    }
    String type =
        switch (field.getJavaType()) {
          case MESSAGE -> field.getMessageType().getName();
          case ENUM -> field.getEnumType().getName();
          default -> field.getType().name().toLowerCase(Locale.ROOT);
        };
    if (field.isRepeated()) {
      return "repeated " + type;
    }
    return field.toProto().getProto3Optional() ? "optional " + type : type;
  }
}
