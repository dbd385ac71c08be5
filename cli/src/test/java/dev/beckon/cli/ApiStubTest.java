package dev.beckon.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A test of commands that talk to a server, which is a script. */
abstract class ApiStubTest {

  @TempDir Path home;
  ApiStub server;
  CommandRun.Place place;

  @BeforeEach
  void start() throws IOException {
    server = new ApiStub();
    place = new CommandRun.Place(home).with("BECKON_SERVER", server.url());
  }

  @AfterEach
  void stop() {
    server.close();
  }
}
