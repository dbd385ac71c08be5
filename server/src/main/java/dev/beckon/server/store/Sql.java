package dev.beckon.server.store;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Statements on one connection, prepared once and kept: compiling one costs more than running it.
 *
 * <p>Parameters may be null, String, Integer, Long or byte[]. Not thread-safe; valid only inside
 * the {@link SqlWork} it was given to.
 */
public final class Sql {

  /** Reads one row. */
  @FunctionalInterface
  public interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  private final Connection connection;
  private final Map<String, PreparedStatement> statements = new HashMap<>();

  Sql(Connection connection) {
    this.connection = connection;
  }

  /** Runs an INSERT, UPDATE or DELETE and returns the number of changed rows. */
  public int update(String sql, @Nullable Object... parameters) throws SQLException {
    try {
      return prepare(sql, parameters).executeUpdate();
    } catch (SQLException e) {
      throw forgetting(sql, e);
    }
  }

  /** Every row of the answer. */
  public <T> List<T> list(String sql, Row<T> row, @Nullable Object... parameters)
      throws SQLException {
    List<T> rows = new ArrayList<>();
    try (ResultSet answer = prepare(sql, parameters).executeQuery()) {
      while (answer.next()) {
        rows.add(row.read(answer));
      }
    } catch (SQLException e) {
      throw forgetting(sql, e);
    }
    return rows;
  }

  /** The first row of the answer, if there is one. */
  public <T> Optional<T> first(String sql, Row<T> row, @Nullable Object... parameters)
      throws SQLException {
    try (ResultSet answer = prepare(sql, parameters).executeQuery()) {
      return answer.next() ? Optional.of(row.read(answer)) : Optional.empty();
    } catch (SQLException e) {
      throw forgetting(sql, e);
    }
  }

  /** Runs a statement that is neither a query nor a change, like BEGIN. */
  void execute(String sql) throws SQLException {
    try {
      prepare(sql).execute();
    } catch (SQLException e) {
      throw forgetting(sql, e);
    }
  }

  /**
   * The driver closes a statement that failed, as on a full disk. Kept, it would fail for ever,
   * also when there is room again.
   */
  private SQLException forgetting(String sql, SQLException failure) {
    PreparedStatement statement = statements.remove(sql);
    if (statement != null) {
      try {
        statement.close();
      } catch (SQLException e) {
        failure.addSuppressed(e);
      }
    }
    return failure;
  }

  private PreparedStatement prepare(String sql, @Nullable Object... parameters)
      throws SQLException {
    PreparedStatement statement = statements.get(sql);
    if (statement == null) {
      statement = connection.prepareStatement(sql);
      statements.put(sql, statement);
    }
    for (int i = 0; i < parameters.length; i++) {
      statement.setObject(i + 1, parameters[i]);
    }
    return statement;
  }

  /** A number of a column that may hold NULL. */
  public static @Nullable Long nullableLong(ResultSet row, String column) throws SQLException {
    long value = row.getLong(column);
    return row.wasNull() ? null : value;
  }
}
