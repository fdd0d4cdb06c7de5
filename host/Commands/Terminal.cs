using System.Text.Json;
using Merge.Merging;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>
/// Where a command's words go: results to standard output, everything else to standard error. A person at a terminal
/// gets colours, wrapped text and a bar; a pipe gets plain lines; with <c>--json</c> standard output gets one object.
/// </summary>
/// <param name="output">Results.</param>
/// <param name="error">Errors, warnings, progress.</param>
internal sealed class Terminal(TextWriter output, TextWriter error)
{
    private const string StackBelow = "The lines below name the place in the plugin's code.";

    private readonly List<Diagnostic> _warnings = [];

    public TextWriter Out { get; } = output;

    public TextWriter Error { get; } = error;

    public bool IsJson { get; set; }

    public bool IsVerbose { get; set; }

    /// <summary>Whether colours may be used; only where also <see cref="Width"/> is set.</summary>
    public bool IsColored { get; set; }

    /// <summary>Columns of the terminal that standard output is, or null for a pipe or file.</summary>
    public int? Width { get; init; }

    /// <summary>Columns of the terminal that standard error is, or null for a pipe or file.</summary>
    public int? ErrorWidth { get; init; }

    public static Terminal OfProcess()
    {
        var plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }
            || Environment.GetEnvironmentVariable("TERM") is "dumb";
        return new(Console.Out, Console.Error)
        {
            IsColored = !plain,
            Width = Console.IsOutputRedirected ? null : Columns(),
            ErrorWidth = Console.IsErrorRedirected ? null : Columns(),
        };
    }

    /// <summary>A line of the result; nothing with <c>--json</c>.</summary>
    public void Line(string text = "")
    {
        if (!IsJson)
            Out.WriteLine(text);
    }

    /// <summary>Something worth knowing about the work, beside its result; nothing with <c>--json</c>.</summary>
    public void Note(string text)
    {
        if (!IsJson)
            Error.WriteLine(text);
    }

    /// <summary>A warning: printed at once, or with <c>--json</c> part of the object.</summary>
    public void Warn(Diagnostic warning)
    {
        _warnings.Add(warning);
        if (!IsJson)
            Print(warning with { Severity = Severity.Warning });
    }

    /// <summary>The result of <c>--json</c>: <c>{"ok":true, …, "warnings":[…]}</c>. Call once.</summary>
    /// <param name="fields">Writes the properties between.</param>
    /// <param name="errors">What failed of it; then it is not ok.</param>
    public void Json(Action<Utf8JsonWriter> fields, params IReadOnlyList<Diagnostic> errors) => Out.WriteLine(JsonText.Of(json =>
    {
        json.WriteBoolean("ok", errors.Count == 0);
        fields(json);
        if (errors.Count > 0)
            JsonText.Write(json, "errors", errors);
        if (_warnings.Count > 0)
            JsonText.Write(json, "warnings", _warnings);
    }));

    /// <summary>Says why the work could not be done; the stack only where asked for.</summary>
    public void Fail(IReadOnlyList<Diagnostic> errors, Exception? cause)
    {
        // What asks for a stack is answered by it.
        var stack = IsVerbose ? cause?.ToString().Replace(StrategyCall.AskForStack, StackBelow) : null;
        if (IsJson)
        {
            Out.WriteLine(JsonText.Of(json =>
            {
                json.WriteBoolean("ok", false);
                JsonText.Write(json, "errors", [.. errors, .. _warnings]);
                if (stack is not null)
                    json.WriteString("stack", stack);
            }));
            return;
        }
        foreach (var diagnostic in errors)
            Print(stack is not null && diagnostic.Fix == StrategyCall.AskForStack ? diagnostic with { Fix = StackBelow } : diagnostic);
        if (stack is not null)
            Error.WriteLine(stack);
    }

    private void Print(Diagnostic diagnostic) =>
        Error.Write(DiagnosticText.Of(diagnostic, ErrorWidth, IsColored && ErrorWidth is not null));

    private static int Columns()
    {
        // Not every terminal tells (a serial line, some CI): 0 then.
        var columns = Console.WindowWidth;
        return columns >= 20 ? columns : 80;
    }
}
