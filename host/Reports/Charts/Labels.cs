namespace Merge.Reports.Charts;

/// <summary>Names beside points, each where it covers no point and no other name; left out where there is no room.</summary>
/// <param name="points">All points.</param>
/// <param name="right">Where the chart ends.</param>
internal sealed class Labels(IReadOnlyList<(double X, double Y)> points, double right)
{
    // Of the font the style sheet sets, a little more than the average letter takes.
    private const double LetterWidth = 7.2;
    private const double Height = 13;
    private const double Gap = 6;

    private readonly List<(double X, double Y, double Width)> _taken = [.. points.Select(p => (p.X - 4, p.Y - 6, 8.0))];

    public Markup Beside(double x, double y, string name)
    {
        var width = LetterWidth * name.Length;
        foreach (var (left, top) in new[]
        {
            (x + Gap, y - (Height / 2)), (x + Gap, y - Height - 2), (x + Gap, y + 2), (x - Gap - width, y - (Height / 2)),
            (x - Gap - width, y - Height - 2), (x - Gap - width, y + 2), (x - (width / 2), y - Height - Gap), (x - (width / 2), y + Gap),
        })
        {
            if (left < 0 || left + width > right || _taken.Any(t => Overlaps(t, left, top, width)))
                continue;
            _taken.Add((left, top, width));
            return Figure.Text(left, top + Height - 3, name);
        }
        return Markup.Empty;
    }

    private static bool Overlaps((double X, double Y, double Width) taken, double left, double top, double width) =>
        left < taken.X + taken.Width && taken.X < left + width && top < taken.Y + Height && taken.Y < top + Height;
}
