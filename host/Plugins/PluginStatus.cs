using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>One plugin folder, whether its plugin could be loaded or not.</summary>
/// <param name="Name">That of <see cref="PluginAssembly.NameOf"/>.</param>
/// <param name="Folder">Its full path.</param>
internal sealed record PluginStatus(string Name, string Folder)
{
    private readonly Lazy<string> _digest = new(() => PluginDigest.Of(Folder));

    public required PluginState State { get; init; }

    /// <summary>The main assembly's version, as its author wrote it; null where there is none to read.</summary>
    public string? Version { get; init; }

    /// <summary>Major and minor version of the contract it was built against; null where that is unknown.</summary>
    public Version? Contract { get; init; }

    /// <summary>Ids of the methods that can be used, ordinal order.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>Ids of the searchers that can be used, ordinal order.</summary>
    public IReadOnlyList<string> Searchers { get; init; } = [];

    /// <summary>Ids of the evaluators that can be used, ordinal order.</summary>
    public IReadOnlyList<string> Evaluators { get; init; } = [];

    /// <summary>
    /// Of one whose code was not run: what it offered when it was installed, each as its kind and id. Empty where that is not known.
    /// </summary>
    public IReadOnlyList<string> Recorded { get; init; } = [];

    /// <summary>Why the state is not Loaded; empty where it is.</summary>
    public IReadOnlyList<Diagnostic> Problems { get; init; } = [];

    /// <summary>What its author should change, though it works as it is.</summary>
    public IReadOnlyList<Diagnostic> Notes { get; init; } = [];

    /// <summary>
    /// SHA-256 over all files of the folder, lower-case hex. Computed when first asked for: only a run that writes a
    /// manifest needs it.
    /// </summary>
    public string Digest => _digest.Value;

    public static PluginStatus Failed(string folder, PluginState state, params IReadOnlyList<Diagnostic> problems) =>
        new(PluginAssembly.NameOf(folder), folder) { State = state, Problems = problems };
}
