namespace Merge.Sdk;

/// <summary>Work that cannot be done, with every reason found. The host prints the diagnostics, never the stack.</summary>
public class MergeException : Exception
{
    /// <summary>Stops with one reason.</summary>
    public MergeException(Diagnostic diagnostic, Exception? inner = null)
        : this([diagnostic], inner)
    {
    }

    /// <summary>Stops with all the reasons found.</summary>
    public MergeException(IReadOnlyList<Diagnostic> diagnostics, Exception? inner = null)
        : base(string.Join(Environment.NewLine, diagnostics), inner) => Diagnostics = diagnostics;

    /// <summary>Every reason, at least one.</summary>
    public IReadOnlyList<Diagnostic> Diagnostics { get; }

    /// <summary>True where the command line or the recipe is wrong (exit code 2) rather than the work (exit code 1).</summary>
    public bool WrongUsage { get; init; }

    /// <summary>Whether a plugin's author must act, and it does not say which.</summary>
    internal bool IsOfUnnamedPlugin => Diagnostics.Any(d => d is { Actor: Actor.PluginAuthor, Plugin: null });

    /// <summary>The same, naming the plugin in what its author must act on.</summary>
    internal MergeException OfPlugin(string plugin) =>
        new([.. Diagnostics.Select(d => d is { Actor: Actor.PluginAuthor, Plugin: null } ? d with { Plugin = plugin } : d)], this)
        {
            WrongUsage = WrongUsage,
        };

    /// <summary>A fault of the plugin's code.</summary>
    internal static MergeException Plugin(string found, string? expected = null, string? where = null, string? fix = null) =>
        new(new Diagnostic(found) { Actor = Actor.PluginAuthor, Expected = expected, Where = where, Fix = fix });
}
