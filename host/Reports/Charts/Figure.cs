namespace Merge.Reports.Charts;

/// <summary>A chart with what a reader, on screen, on paper or by ear, needs beside it.</summary>
internal static class Figure
{
    /// <summary>Width of every chart, in its own units: about a pixel each on a desktop.</summary>
    public const double Width = 680;

    // A name that is longer is cut in its middle: what tells names apart is at their ends.
    private const int LongestLabel = 24;

    /// <summary>A figure.</summary>
    /// <param name="id">Unique in the page.</param>
    /// <param name="chart">The drawing.</param>
    /// <param name="key">What its marks mean.</param>
    /// <param name="caption">What is seen.</param>
    /// <param name="table">The same in numbers.</param>
    public static Markup Of(string id, Markup chart, Markup key, Markup caption, Markup table) => Markup.Of($"""
        <figure id="{id}">
        <div class="wide" tabindex="0" role="group" aria-label="chart, scrolls sideways where it is wider than the page">{chart}</div>
        {key}
        <figcaption>{caption}</figcaption>
        <details><summary>The same as a table</summary><div class="wide" tabindex="0">{table}</div></details>
        </figure>
        """);

    /// <summary>The drawing itself.</summary>
    /// <param name="id">Of the figure.</param>
    /// <param name="title">Its name.</param>
    /// <param name="text">What a reader who cannot see it should know.</param>
    /// <param name="height">In its own units.</param>
    public static Markup Svg(string id, string title, string text, double height, IEnumerable<Markup> content) => Markup.Of($"""
        <svg viewBox="0 0 {Width:0} {height:0}" role="img" aria-labelledby="{id}-title {id}-text">
        <title id="{id}-title">{title}</title><desc id="{id}-text">{text}</desc>
        {Markup.Lines(content)}
        </svg>
        """);

    /// <summary>What marks mean.</summary>
    public static Markup Key(IEnumerable<(Markup Sample, string Text)> entries) => Markup.Of($"""
        <ul class="key">{Markup.Lines(entries.Select(e => Markup.Of(
            $"<li><svg viewBox=\"0 0 24 14\" width=\"24\" height=\"14\" aria-hidden=\"true\">{e.Sample}</svg>{e.Text}</li>")))}</ul>
        """);

    public static Markup Table(IEnumerable<string> heads, IEnumerable<IEnumerable<string>> rows) => Markup.Of($"""
        <table><thead><tr>{Markup.Lines(heads.Select(h => Markup.Of($"<th scope=\"col\">{h}</th>")))}</tr></thead>
        <tbody>
        {Markup.Lines(rows.Select(row => Markup.Of(
            $"<tr>{Markup.Lines(row.Select((cell, i) => i == 0 ? Markup.Of($"<th scope=\"row\">{cell}</th>") : Markup.Of($"<td>{cell}</td>")))}</tr>")))}
        </tbody></table>
        """);

    /// <summary>Names and numbers, which a reader can sort by a click on a head.</summary>
    public static Markup SortableTable(
        IEnumerable<string> heads, IEnumerable<(string Name, IReadOnlyList<double?> Values)> rows) => Markup.Of($"""
        <table class="sortable"><thead><tr>{Markup.Lines(heads.Select(h => Markup.Of($"<th scope=\"col\">{h}</th>")))}</tr></thead>
        <tbody>
        {Markup.Lines(rows.Select(row => Markup.Of(
            $"<tr><th scope=\"row\">{row.Name}</th>{Markup.Lines(row.Values.Select(Cell))}</tr>")))}
        </tbody></table>
        """);

    /// <summary>A number in a table that is sorted by its value, not by its text.</summary>
    public static Markup Cell(double? value) => value is { } known && double.IsFinite(known)
        ? Markup.Of($"<td data-value=\"{known:R}\">{NumberText.Of(known)}</td>")
        : Markup.Of($"<td data-value=\"\">{NumberText.Of(value)}</td>");

    /// <summary>A name no longer than a chart has room for.</summary>
    public static string Short(string name, int longest = LongestLabel) => name.Length <= longest
        ? name
        : $"{name[..((longest - 1) / 2)]}…{name[^(longest / 2)..]}";

    /// <summary>Text in a drawing.</summary>
    /// <param name="anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
    public static Markup Text(double x, double y, string text, string anchor = "start", string? title = null) => Markup.Of(
        $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" text-anchor=\"{anchor}\">{text}{(title is null ? Markup.Empty : Markup.Of($"<title>{title}</title>"))}</text>");

    /// <summary>A straight line.</summary>
    public static Markup Line(double x1, double y1, double x2, double y2, string style) => Markup.Of(
        $"<path class=\"{style}\" d=\"M{x1:0.#} {y1:0.#}L{x2:0.#} {y2:0.#}\"/>");
}
