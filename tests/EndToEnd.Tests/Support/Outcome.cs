using System.Text.Json;

namespace EndToEnd.Tests.Support;

/// <summary>How a process ended and what it printed.</summary>
internal sealed record Outcome(int ExitCode, string Out, string Error)
{
    /// <summary>The one object of <c>--json</c>.</summary>
    public JsonElement Json => JsonElement.Parse(Out);

    public override string ToString() =>
        $"exit code {ExitCode}\n--- standard output\n{Out}\n--- standard error\n{Error}";
}
