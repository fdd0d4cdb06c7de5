using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Where the Hugging Face tools keep what they downloaded: read, never written.</summary>
internal static class HubCache
{
    private const int ShortestCommit = 4;

    /// <summary>The cache's folder: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub.</summary>
    /// <param name="environment">Gives a variable's value, or null.</param>
    /// <param name="home">The user's folder.</param>
    public static string Folder(Func<string, string?> environment, string home)
    {
        if (environment("HF_HUB_CACHE") is { Length: > 0 } cache)
            return cache;
        if (environment("HF_HOME") is { Length: > 0 } hfHome)
            return Path.Combine(hfHome, "hub");
        var caches = environment("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(home, ".cache");
        return Path.Combine(caches, "huggingface", "hub");
    }

    /// <summary>The folder of a snapshot; null with the reason where the cache has none.</summary>
    /// <param name="looked">What was looked for, and why it is not there.</param>
    public static string? Find(string cache, HubName name, out string looked)
    {
        var model = Path.Combine(cache, name.Folder);
        looked = model;
        if (!Directory.Exists(model))
            return null;
        var snapshots = Path.Combine(model, "snapshots");
        var revision = name.Revision ?? "main";
        var reference = Path.Combine(model, "refs", revision);
        var commit = File.Exists(reference) ? File.ReadAllText(reference).Trim() : revision;
        if (HubName.IsPlain(commit) && Directory.Exists(Path.Combine(snapshots, commit)))
            return Path.Combine(snapshots, commit);
        var present = Directory.Exists(snapshots)
            ? Directory.GetDirectories(snapshots).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal).ToList()
            : [];
        var matching = revision.Length >= ShortestCommit ? present.FindAll(s => s.StartsWith(revision)) : [];
        if (matching.Count == 1)
            return Path.Combine(snapshots, matching[0]);
        looked += matching.Count > 1
            ? $" (revision '{revision}' may be {string.Join(" or ", matching)})"
            : $" (no revision '{revision}'; it has {(present.Count == 0 ? "none" : string.Join(", ", present))})";
        return null;
    }

    /// <summary>The models the cache has, as a recipe names them.</summary>
    public static IEnumerable<string> Models(string cache) => Directory.Exists(cache)
        ? Directory.EnumerateDirectories(cache, "models--*")
            .Select(d => Path.GetFileName(d)["models--".Length..].Replace("--", "/"))
        : [];
}

/// <summary>A model's name at the Hugging Face hub.</summary>
/// <param name="Id"><c>org/name</c>, or <c>name</c> alone.</param>
/// <param name="Revision">A branch, tag or commit; null: main.</param>
internal sealed record HubName(string Id, string? Revision)
{
    /// <summary>The cache's folder for it.</summary>
    public string Folder => "models--" + Id.Replace("/", "--");

    /// <summary>What would fetch it.</summary>
    public string Command => $"hf download {Id}{(Revision is null ? "" : $" --revision {Revision}")}";

    /// <summary>Reads <c>org/name[@revision]</c>; null where the text cannot be one.</summary>
    public static HubName? Parse(string text)
    {
        var (id, revision) = text.Split('@', 2) is [var before, var after] ? (before, after) : (text, null);
        var parts = id.Split('/');
        var isName = parts.Length <= 2 && parts.All(IsPlain) && (revision is null || revision.Split('/').All(IsPlain));
        return isName ? new(id, revision) : null;
    }

    /// <summary>One part of a path that stays in its folder.</summary>
    public static bool IsPlain(string part) => part.Length > 0 && part[0] is not ('.' or '-')
        && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
