using System.CommandLine;

namespace Merge.Commands;

/// <summary>What every command understands.</summary>
internal static class GlobalOptions
{
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print the result, or the errors, as one JSON object on standard output.",
        Recursive = true,
    };

    public static Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "Say more; print the stack trace of a fault.",
        Recursive = true,
    };

    public static Option<bool> NoColor { get; } = new("--no-color")
    {
        Description = "Print without colours, as with NO_COLOR set or into a pipe.",
        Recursive = true,
    };

    public static Option<bool> TrustedOnly { get; } = new("--trusted-only")
    {
        Description = "Load no plugins but the host's own and those pinned by 'merge plugins trust': for jobs nobody watches.",
        Recursive = true,
    };
}
