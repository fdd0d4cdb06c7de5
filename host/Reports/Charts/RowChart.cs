namespace Merge.Reports.Charts;

/// <summary>A value in a row, with an interval where one is known.</summary>
internal sealed record RowValue(double Value, Glyph Glyph, Tone Tone)
{
    public double Low { get; init; } = double.NaN;

    public double High { get; init; } = double.NaN;
}

/// <summary>A named row; <paramref name="Text"/> stands at its end.</summary>
internal sealed record ChartRow(string Name, string Text, params IReadOnlyList<RowValue> Values);

/// <summary>Named rows with values along one axis: bars, dots, or dots with intervals.</summary>
internal sealed record RowChart(string Title, string Text, string XName, IReadOnlyList<ChartRow> Rows)
{
    private const double Left = 178;
    private const double Right = 82;
    private const double RowHeight = 22;
    private const double Bottom = 46;

    /// <summary>Whether a bar is drawn from zero to the first value of a row.</summary>
    public bool HasBars { get; init; }

    /// <summary>Whether zero is on the axis.</summary>
    public bool HasZero { get; init; }

    /// <summary>Levels to compare with; each is a line from top to bottom.</summary>
    public IReadOnlyList<Level> Levels { get; init; } = [];

    public Markup Draw(string id)
    {
        var bottom = 8 + (RowHeight * Rows.Count);
        var x = Axis.Of(
        [
            .. Rows.SelectMany(r => r.Values).SelectMany(v => new[] { v.Value, v.Low, v.High }),
            .. Levels.Select(l => l.Y),
            .. HasBars || HasZero ? [0.0] : Array.Empty<double>(),
        ], Left, Figure.Width - Right, ticks: 5);
        return Figure.Svg(id, Title, Text, bottom + Bottom,
        [
            .. x.Ticks.Select(t => Figure.Line(x.At(t), 4, x.At(t), bottom, "grid")),
            .. x.Ticks.Select(t => Figure.Text(x.At(t), bottom + 18, NumberText.Tick(t, x.Step), "middle")),
            Figure.Text((Left + Figure.Width - Right) / 2, bottom + Bottom - 8, XName, "middle"),
            .. HasBars || HasZero ? [Figure.Line(x.At(0), 4, x.At(0), bottom, "axis")] : Array.Empty<Markup>(),
            .. Levels.Select((l, i) => Figure.Line(x.At(l.Y), 4, x.At(l.Y), bottom, $"line dash{i % 4} {l.Tone.Class()}")),
            .. Rows.Index().SelectMany(r => Draw(r.Item, 8 + (RowHeight * (r.Index + 0.5)), x)),
        ]);
    }

    public Markup LevelKey(params IEnumerable<(Markup Sample, string Text)> more) => Figure.Key(
        [.. more, .. Levels.Select((l, i) => (Figure.Line(1, 7, 23, 7, $"line dash{i % 4} {l.Tone.Class()}"), l.Name))]);

    private IEnumerable<Markup> Draw(ChartRow row, double y, Axis x)
    {
        yield return Figure.Text(Left - 8, y + 4, Figure.Short(row.Name), "end", row.Name);
        yield return Figure.Text(Figure.Width - Right + 8, y + 4, row.Text);
        foreach (var value in row.Values.Where(v => double.IsFinite(v.Value)))
        {
            if (double.IsFinite(value.Low) && double.IsFinite(value.High))
                yield return Figure.Line(x.At(value.Low), y, x.At(value.High), y, $"line {value.Tone.Class()}");
            if (HasBars)
            {
                var (from, to) = (Math.Min(x.At(0), x.At(value.Value)), Math.Max(x.At(0), x.At(value.Value)));
                yield return Markup.Of(
                    $"<rect class=\"mark {value.Tone.Class()}\" x=\"{from:0.#}\" y=\"{y - 7:0.#}\" width=\"{to - from:0.#}\" height=\"14\"/>");
            }
            else
            {
                yield return value.Glyph.At(x.At(value.Value), y, value.Tone, 4.5, $"{row.Name}: {NumberText.Of(value.Value)}");
            }
        }
    }
}
