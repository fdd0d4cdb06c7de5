using System.Text;

namespace Merge.Reports.Charts;

/// <summary>
/// Values over two lists of names. Strength is how opaque a cell is; a negative cell has another colour and is round, so
/// that paper without colours tells them apart, too.
/// </summary>
internal sealed record HeatMap(
    string Title, string Text, IReadOnlyList<string> Rows, IReadOnlyList<string> Columns, Func<int, int, double> Value)
{
    private const double Left = 178;
    private const double Right = 60;
    private const double LeastToWrite = 33;
    private const int Strengths = 12;

    /// <summary>The magnitude drawn opaque; null: the largest.</summary>
    public double? Full { get; init; }

    private double CellWidth => Math.Min((Figure.Width - Left - Right) / Columns.Count, 64);

    private double CellHeight => Math.Clamp(CellWidth, Math.Min(900.0 / Rows.Count, 22), 30);

    public Markup Draw(string id)
    {
        var (width, height) = (CellWidth, CellHeight);
        var slanted = Columns.Any(c => c.Length * 7 > width);
        var top = slanted ? 118 : 24;
        return Figure.Svg(id, Title, Text, top + (height * Rows.Count) + 10,
        [
            .. Every(Columns.Count, (slanted ? 20 : 13) / width).Select(j => slanted
                ? Markup.Of($"<text transform=\"translate({Left + (width * (j + 0.5)):0.#} {top - 6}) rotate(-55)\">{Figure.Short(Columns[j], 17)}<title>{Columns[j]}</title></text>")
                : Figure.Text(Left + (width * (j + 0.5)), top - 7, Columns[j], "middle")),
            .. Every(Rows.Count, 13 / height).Select(i =>
                Figure.Text(Left - 8, top + (height * (i + 0.5)) + 4, Figure.Short(Rows[i]), "end", Rows[i])),
            .. Cells(top, width, height),
            .. width < LeastToWrite ? Array.Empty<Markup>()
                : [Markup.Of($"<g class=\"numbers\">{Markup.Lines(Numbers(top, width, height))}</g>")],
        ]);
    }

    public Markup Key() => Figure.Key(
    [
        .. Values().Any(v => v < 0)
            ? [
                (Markup.Of($"<path class=\"cell blue\" d=\"M5 0h14v14h-14z\"/>"), "positive (square)"),
                (Markup.Of($"<circle class=\"cell orange\" cx=\"12\" cy=\"7\" r=\"7\"/>"), "negative (round)"),
            ]
            : Array.Empty<(Markup, string)>(),
        (Markup.Of($"<path class=\"cell blue\" opacity=\"0.2\" d=\"M5 0h14v14h-14z\"/>"), $"pale: near 0; full: {NumberText.Of(FullValue())}"),
    ]);

    public Markup Table() => Figure.Table(
        ["", .. Columns],
        Rows.Select((row, i) => Columns.Select((_, j) => NumberText.Of(Value(i, j))).Prepend(row)));

    private static IEnumerable<int> Every(int count, double step)
    {
        var each = Math.Max((int)Math.Ceiling(step), 1);
        return Enumerable.Range(0, count).Where(i => i % each == 0);
    }

    private IEnumerable<double> Values() => Enumerable.Range(0, Rows.Count)
        .SelectMany(i => Enumerable.Range(0, Columns.Count).Select(j => Value(i, j)))
        .Where(double.IsFinite);

    private double FullValue() => Full ?? Values().Select(Math.Abs).DefaultIfEmpty(1).Max();

    // One path for every strength: a map of 200 × 200 stays a file that opens.
    private IEnumerable<Markup> Cells(double top, double width, double height)
    {
        var full = FullValue();
        var paths = new SortedDictionary<int, StringBuilder>();
        // Between tiny cells a gap would only shimmer.
        var gap = width < 8 ? 0 : 1;
        var (w, h) = (width - gap, height - gap);
        for (var i = 0; i < Rows.Count; i++)
        {
            for (var j = 0; j < Columns.Count; j++)
            {
                var value = Value(i, j);
                var strength = double.IsFinite(value) && full > 0
                    ? (int)Math.Round(Strengths * Math.Clamp(value / full, -1, 1))
                    : 0;
                if (strength == 0)
                    continue;
                if (!paths.TryGetValue(strength, out var path))
                    paths[strength] = path = new();
                var (x, y) = (Left + (width * j), top + (height * i));
                path.Append(strength > 0
                    ? FormattableString.Invariant($"M{x:0.#} {y:0.#}h{w:0.#}v{h:0.#}h{-w:0.#}z")
                    : FormattableString.Invariant($"M{x:0.#} {y + (h / 2):0.#}a{w / 2:0.#} {h / 2:0.#} 0 0 1 {w:0.#} 0a{w / 2:0.#} {h / 2:0.#} 0 0 1 {-w:0.#} 0z"));
            }
        }
        return paths.Select(p => Markup.Of(
            $"<path class=\"cell {(p.Key > 0 ? "blue" : "orange")}\" opacity=\"{(double)Math.Abs(p.Key) / Strengths:0.##}\" d=\"{p.Value.ToString()}\"/>"));
    }

    private IEnumerable<Markup> Numbers(double top, double width, double height) =>
        from i in Enumerable.Range(0, Rows.Count)
        from j in Enumerable.Range(0, Columns.Count)
        select Figure.Text(
            Left + (width * j) + ((width - 1) / 2), top + (height * (i + 0.5)) + 3.5, Brief(Value(i, j)), "middle");

    private static string Brief(double value) => !double.IsFinite(value) || Math.Abs(value) >= 100
        ? NumberText.Of(value)
        : NumberText.Tick(value, 0.01);
}
