using System.Text;

namespace Merge.Recipes;

/// <summary>Reads comma-separated values (RFC 4180): a cell in quotes may hold commas, line ends, and quotes doubled.</summary>
internal static class CsvTable
{
    /// <summary>The rows, each with the line it begins in, from 1; empty lines are passed over, cells trimmed.</summary>
    /// <exception cref="InvalidDataException">A quote is not closed.</exception>
    public static IEnumerable<(int Line, IReadOnlyList<string> Cells)> Read(TextReader text)
    {
        for (var line = 1; text.Peek() >= 0;)
        {
            var first = line;
            var cells = Row(text, ref line);
            if (cells.Count > 1 || cells[0].Length > 0)
                yield return (first, cells);
        }
    }

    private static List<string> Row(TextReader text, ref int line)
    {
        var (cells, cell, isQuoted) = (new List<string>(), new StringBuilder(), false);
        while (true)
        {
            var next = text.Read();
            if (next == '\r' && text.Peek() == '\n')
                next = text.Read();
            switch (next)
            {
                case '"' when !isQuoted && string.IsNullOrWhiteSpace(cell.ToString()):
                    isQuoted = true;
                    Quoted(text, cell.Clear(), ref line);
                    break;
                case -1 or ',' or '\n' or '\r':
                    cells.Add(cell.ToString().Trim());
                    (_, isQuoted) = (cell.Clear(), false);
                    if (next == ',')
                        break;
                    line++;
                    return cells;
                default:
                    cell.Append((char)next);
                    break;
            }
        }
    }

    private static void Quoted(TextReader text, StringBuilder cell, ref int line)
    {
        var opened = line;
        for (var next = text.Read(); next != '"' || text.Peek() == '"'; next = text.Read())
        {
            if (next < 0)
                throw new InvalidDataException($"has a quote in line {opened} that is never closed");
            if (next == '"')
                text.Read();
            if (next == '\n')
                line++;
            cell.Append((char)next);
        }
    }
}
