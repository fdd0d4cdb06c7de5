namespace Merge.Reports.Charts;

/// <summary>How a point looks: never told by colour alone.</summary>
internal enum Glyph
{
    Circle,
    Diamond,
    Square,
    Triangle,
    Cross,
}

/// <summary>A colour of the palette (Okabe and Ito), which the style sheet knows for light, dark and paper.</summary>
internal enum Tone
{
    Grey,
    Blue,
    Orange,
    Green,
    Purple,
}

internal static class Glyphs
{
    /// <summary>Draws one.</summary>
    /// <param name="size">Half its width.</param>
    /// <param name="title">Shown where the pointer rests.</param>
    public static Markup At(this Glyph glyph, double x, double y, Tone tone, double size = 4, string? title = null)
    {
        var hint = title is null ? Markup.Empty : Markup.Of($"<title>{title}</title>");
        var s = size;
        return glyph switch
        {
            Glyph.Circle => Markup.Of(
                $"<circle class=\"mark {tone.Class()}\" cx=\"{x:0.#}\" cy=\"{y:0.#}\" r=\"{s:0.#}\">{hint}</circle>"),
            Glyph.Diamond => Path($"M{x:0.#} {y - (1.3 * s):0.#}l{1.3 * s:0.#} {1.3 * s:0.#}l{-1.3 * s:0.#} {1.3 * s:0.#}l{-1.3 * s:0.#} {-1.3 * s:0.#}z"),
            Glyph.Square => Path($"M{x - s:0.#} {y - s:0.#}h{2 * s:0.#}v{2 * s:0.#}h{-2 * s:0.#}z"),
            Glyph.Triangle => Path($"M{x - (1.1 * s):0.#} {y - s:0.#}h{2.2 * s:0.#}l{-1.1 * s:0.#} {2 * s:0.#}z"),
            _ => Markup.Of(
                $"<path class=\"line {tone.Class()}\" d=\"M{x - s:0.#} {y - s:0.#}l{2 * s:0.#} {2 * s:0.#}m0 {-2 * s:0.#}l{-2 * s:0.#} {2 * s:0.#}\">{hint}</path>"),
        };

        Markup Path(FormattableString shape) =>
            Markup.Of($"<path class=\"mark {tone.Class()}\" d=\"{FormattableString.Invariant(shape)}\">{hint}</path>");
    }

    public static string Class(this Tone tone) => tone switch
    {
        Tone.Blue => "blue",
        Tone.Orange => "orange",
        Tone.Green => "green",
        Tone.Purple => "purple",
        _ => "grey",
    };
}
