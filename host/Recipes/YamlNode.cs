namespace Merge.Recipes;

/// <summary>A value of a YAML file and where it stands.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Size">Nodes it holds, itself included, an alias counting as what it stands for.</param>
internal abstract record YamlNode(int Line, long Size)
{
    /// <summary>What it is, in words.</summary>
    public abstract string Kind { get; }
}

/// <param name="Quoted">In quotes, a block, or tagged as text: never a number, a bool or null.</param>
internal sealed record YamlScalar(string Text, bool Quoted, int Line) : YamlNode(Line, 1)
{
    public override string Kind => IsNull ? "empty" : RecipeText.Quote(Text);

    /// <summary>Nothing, <c>~</c> or <c>null</c>.</summary>
    public bool IsNull => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";
}

internal sealed record YamlList(IReadOnlyList<YamlNode> Items, int Line) : YamlNode(Line, 1 + Items.Sum(i => i.Size))
{
    public override string Kind => "a list";
}

internal sealed record YamlMap(IReadOnlyList<YamlEntry> Entries, int Line)
    : YamlNode(Line, 1 + Entries.Sum(e => 1 + e.Value.Size))
{
    public override string Kind => "a mapping";

    /// <summary>The value of a key, or null; null too where the file leaves it empty.</summary>
    public YamlEntry? Find(string key)
    {
        var entry = Entries.FirstOrDefault(e => e.Key == key);
        return entry is { Value: YamlScalar { IsNull: true } } ? null : entry;
    }
}

/// <param name="Line">The key's line.</param>
internal sealed record YamlEntry(string Key, int Line, YamlNode Value);

/// <summary>What stands between two <c>---</c>.</summary>
/// <param name="Text">Its part of the file.</param>
internal sealed record YamlDocument(YamlNode Root, string Text);
