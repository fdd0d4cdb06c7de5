namespace Merge.Sdk;

/// <summary>Who must act on a <see cref="Diagnostic"/>.</summary>
public enum Actor
{
    /// <summary>The person who wrote the recipe, or who owns the files.</summary>
    User,
    /// <summary>The author of the plugin that is named.</summary>
    PluginAuthor,
    /// <summary>The developers of Merge.</summary>
    Developers,
}

/// <summary>How bad it is.</summary>
public enum Severity
{
    /// <summary>Worth knowing; the work goes on.</summary>
    Warning,
    /// <summary>The work cannot be done.</summary>
    Error,
}

/// <summary>One thing that is wrong, in words a person can act on.</summary>
/// <param name="Found">What was found, a sentence without a full stop, naming the thing.</param>
public sealed record Diagnostic(string Found)
{
    /// <summary>Error unless said otherwise.</summary>
    public Severity Severity { get; init; } = Severity.Error;

    /// <summary>Who must act; the user unless said otherwise.</summary>
    public Actor Actor { get; init; } = Actor.User;

    /// <summary>The plugin whose author must act, with its version and what of it, where the host knows.</summary>
    internal string? Plugin { get; init; }

    /// <summary>What would have been right, if that is not plain from <see cref="Found"/>.</summary>
    public string? Expected { get; init; }

    /// <summary>Where: recipe and line, file, tensor, byte offset.</summary>
    public string? Where { get; init; }

    /// <summary>What to do about it.</summary>
    public string? Fix { get; init; }

    /// <summary>One line: where, found, expected, fix.</summary>
    public override string ToString()
    {
        var text = Where is null ? Found : $"{Where}: {Found}";
        if (Expected is not null)
            text += $"; expected {Expected}";
        return Fix is null ? text : $"{text}. {Fix}";
    }
}
