using Spectre.Console;

namespace Merge.Commands;

/// <summary>A table: fitted to the screen at a terminal; plain aligned columns, one line a row, in a pipe.</summary>
/// <param name="columns">Headings.</param>
internal sealed class TerminalTable(params IReadOnlyList<string> columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row of as many cells as there are columns.</summary>
    public void Add(params IReadOnlyList<string> cells) =>
        _rows.Add([.. cells.Select(cell => cell.ReplaceLineEndings(" "))]);

    public void Write(Terminal terminal)
    {
        if (terminal.IsJson)
            return;
        if (terminal.Width is { } width)
            Draw(terminal, width);
        else
            WritePlain(terminal);
    }

    private void WritePlain(Terminal terminal)
    {
        IReadOnlyList<string>[] lines = [columns, .. _rows];
        var widths = columns.Select((_, i) => lines.Max(line => line[i].Length)).ToArray();
        foreach (var line in lines)
            terminal.Line(string.Join("  ", line.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    private void Draw(Terminal terminal, int width)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(terminal.Out),
            Ansi = terminal.IsColored ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = terminal.IsColored ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
        });
        console.Profile.Width = width;
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in columns)
            table.AddColumn(new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))));
        foreach (var row in _rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        console.Write(table);
    }
}
