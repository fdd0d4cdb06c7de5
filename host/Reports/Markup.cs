using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Merge.Reports;

/// <summary>
/// A piece of HTML or SVG. It is only made by interpolation, which escapes whatever is put in unless that is markup
/// itself: a name with a tag in it cannot become one.
/// </summary>
internal readonly record struct Markup
{
    private readonly string? _text;

    private Markup(string text) => _text = text;

    public static Markup Empty { get; } = new("");

    public static Markup Of(Interpolation text) => new(text.Text);

    /// <summary>One after another, each on a line of its own.</summary>
    public static Markup Lines(IEnumerable<Markup> parts) => new(string.Join('\n', parts));

    public static Markup Lines(params ReadOnlySpan<Markup> parts) => Lines((IEnumerable<Markup>)parts.ToArray());

    public override string ToString() => _text ?? "";

    [InterpolatedStringHandler]
    public readonly ref struct Interpolation
    {
        private readonly StringBuilder _text;

        public Interpolation(int literalLength, int holes) => _text = new(literalLength + (16 * holes));

        public string Text => _text.ToString();

        public void AppendLiteral(string literal) => _text.Append(literal);

        public void AppendFormatted(Markup markup) => _text.Append(markup.ToString());

        public void AppendFormatted(string? text) => _text.Append(WebUtility.HtmlEncode(text));

        public void AppendFormatted(int number) => _text.Append(number);

        public void AppendFormatted(double number, string format) => AppendFormatted(number.ToString(format));
    }
}
