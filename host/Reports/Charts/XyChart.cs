namespace Merge.Reports.Charts;

/// <summary>How the points of a series are joined.</summary>
internal enum Joined
{
    Not,
    Steps,
    ToZero,
}

/// <summary>Points of one kind; those that are no numbers are left out.</summary>
internal sealed record Series(string Name, Tone Tone, IReadOnlyList<(double X, double Y)> Points)
{
    public Glyph? Glyph { get; init; }

    public Joined Joined { get; init; }

    public double Size { get; init; } = 4;

    /// <summary>Written beside each point, as many as there are points; none: nothing is written.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Shown where the pointer rests on a point; none: its values.</summary>
    public IReadOnlyList<string> Hints { get; init; } = [];
}

/// <summary>A level to compare with: across the chart at a height.</summary>
internal sealed record Level(string Name, double Y, Tone Tone);

/// <summary>Points and lines over two axes.</summary>
internal sealed record XyChart(string Title, string Text, string XName, string YName, IReadOnlyList<Series> Series)
{
    private const double Left = 66;
    private const double Right = 16;
    private const double Top = 12;
    private const double Bottom = 46;

    // More marks than this only lie on each other.
    private const int MostMarks = 1500;

    public double Height { get; init; } = 340;

    public IReadOnlyList<Level> Levels { get; init; } = [];

    /// <summary>Lowest value shown; points below are marked at the edge. Null: that of the data.</summary>
    public double? Floor { get; init; }

    /// <summary>Whether a length means the same along both axes.</summary>
    public bool IsMap { get; init; }

    /// <summary>Whether the line y = x is drawn, as far as both axes reach it.</summary>
    public bool HasDiagonal { get; init; }

    public Markup Draw(string id)
    {
        var (x, y) = Axes();
        return Figure.Svg(id, Title, Text, Height,
        [
            .. y.Ticks.Select(t => Figure.Line(Left, y.At(t), Figure.Width - Right, y.At(t), "grid")),
            .. x.Ticks.Select(t => Figure.Line(x.At(t), Top, x.At(t), Height - Bottom, "grid")),
            .. y.Ticks.Select(t => Figure.Text(Left - 7, y.At(t) + 4, NumberText.Tick(t, y.Step), "end")),
            .. x.Ticks.Select(t => Figure.Text(x.At(t), Height - Bottom + 18, NumberText.Tick(t, x.Step), "middle")),
            Figure.Text((Left + Figure.Width - Right) / 2, Height - 8, XName, "middle"),
            Markup.Of($"<text transform=\"translate(14 {(Top + Height - Bottom) / 2:0.#}) rotate(-90)\" text-anchor=\"middle\">{YName}</text>"),
            .. HasDiagonal ? [Diagonal(x, y)] : Array.Empty<Markup>(),
            .. Levels.Select((l, i) => Figure.Line(Left, y.At(l.Y), Figure.Width - Right, y.At(l.Y), LevelStyle(l, i))),
            .. Series.SelectMany(s => Draw(s, x, y)),
        ]);
    }

    public Markup Key() => Figure.Key(
    [
        .. Series.Select(s => (s.Glyph is { } g
            ? g.At(12, 7, s.Tone, Math.Max(s.Size, 3))
            : Figure.Line(1, 7, 23, 7, $"line {s.Tone.Class()}"), s.Name)),
        .. Levels.Select((l, i) => (Figure.Line(1, 7, 23, 7, LevelStyle(l, i)), l.Name)),
    ]);

    private static string LevelStyle(Level level, int place) => $"line dash{place % 4} {level.Tone.Class()}";

    private (Axis X, Axis Y) Axes()
    {
        var points = Series.SelectMany(s => s.Points);
        double[] xs = [.. points.Select(p => p.X)];
        double[] ys = [.. points.Select(p => p.Y).Where(v => !(v < Floor)),
            .. Levels.Select(l => l.Y),
            .. Series.Any(s => s.Joined == Joined.ToZero) ? [0.0] : Array.Empty<double>()];
        var (width, height) = (Figure.Width - Left - Right, Height - Top - Bottom);
        if (!IsMap)
            return (Axis.Of(xs, Left, Left + width), Axis.Of(ys, Top + height, Top));
        var (midX, midY) = (Middle(xs), Middle(ys));
        // Points that are all one still lie on an axis with numbers that differ.
        var least = Math.Max(1e-3 * Math.Max(Math.Abs(midX), Math.Abs(midY)) / width, 1e-12);
        var unit = 1.2 * Math.Max(Math.Max(Extent(xs) / width, Extent(ys) / height), least);
        return (Axis.Between(midX - (unit * width / 2), midX + (unit * width / 2), Left, Left + width),
            Axis.Between(midY - (unit * height / 2), midY + (unit * height / 2), Top + height, Top));
    }

    private static double Extent(double[] values) => values.Length == 0 ? 1 : values.Max() - values.Min();

    private static double Middle(double[] values) => values.Length == 0 ? 0 : (values.Max() + values.Min()) / 2;

    private Markup Diagonal(Axis x, Axis y)
    {
        var (from, to) = (Math.Max(x.Low, y.Low), Math.Min(x.High, y.High));
        return from >= to
            ? Markup.Empty
            : Figure.Line(x.At(from), y.At(from), x.At(to), y.At(to), "line dash0 grey");
    }

    private IEnumerable<Markup> Draw(Series series, Axis x, Axis y)
    {
        (double X, double Y, int Index)[] places = [.. series.Points.Index()
            .Where(p => double.IsFinite(p.Item.X) && double.IsFinite(p.Item.Y))
            .Select(p => (x.At(p.Item.X), y.At(p.Item.Y), p.Index))];
        if (series.Joined == Joined.Steps && places.Length > 0)
        {
            yield return Markup.Of(
                $"<path class=\"line {series.Tone.Class()}\" d=\"M{places[0].X:0.#} {places[0].Y:0.#}{string.Concat(places.Skip(1).Select(p => FormattableString.Invariant($"H{p.X:0.#}V{p.Y:0.#}")))}\"/>");
        }
        if (series.Joined == Joined.ToZero)
        {
            foreach (var place in places)
                yield return Figure.Line(place.X, y.At(0), place.X, place.Y, $"line {series.Tone.Class()}");
        }
        if (series.Glyph is not { } glyph)
            yield break;
        var labels = new Labels([.. places.Select(p => (p.X, p.Y))], Figure.Width - Right);
        foreach (var place in Thinning.Of(places, MostMarks))
        {
            var point = series.Points[place.Index];
            var shape = y.Covers(point.Y) ? glyph : Glyph.Triangle;
            var hint = place.Index < series.Hints.Count
                ? series.Hints[place.Index]
                : $"{NumberText.Of(point.X)}, {NumberText.Of(point.Y)}";
            yield return shape.At(place.X, place.Y, series.Tone, series.Size, hint);
            if (place.Index < series.Labels.Count)
                yield return labels.Beside(place.X, place.Y, series.Labels[place.Index]);
        }
    }
}
