package dev.beckon.cli;

import dev.beckon.cli.terminal.Ink;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Rows in columns as wide as their widest cell, for people. Not thread-safe. */
final class Table {

  private final List<String> heads;
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... heads) {
    this.heads = List.of(heads);
  }

  void row(String... cells) {
    if (cells.length != heads.size()) {
      throw new IllegalArgumentException("cells: " + cells.length);
    }
    rows.add(List.of(cells));
  }

  /** The table's lines; {@code paint} colours a padded cell by its text. */
  List<String> lines(Ink ink, UnaryOperator<String> paint) {
    int[] widths = new int[heads.size()];
    for (int column = 0; column < widths.length; column++) {
      widths[column] = heads.get(column).length();
      for (List<String> row : rows) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    List<String> lines = new ArrayList<>();
    lines.add(line(heads, widths, ink::bold));
    for (List<String> row : rows) {
      lines.add(line(row, widths, paint));
    }
    return lines;
  }

  private static String line(List<String> cells, int[] widths, UnaryOperator<String> paint) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      String cell = cells.get(column);
      line.append(paint.apply(cell));
      if (column < widths.length - 1) {
        line.append(" ".repeat(widths[column] - cell.length() + 2));
      }
    }
    return line.toString();
  }
}
