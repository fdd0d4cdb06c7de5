using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads the values of one mapping of a recipe; what is wrong becomes findings, and the default.</summary>
/// <param name="section">The mapping.</param>
/// <param name="name">What it is called in messages.</param>
/// <param name="findings">Where errors go.</param>
internal sealed class SectionReader(YamlMap section, string name, RecipeFindings findings)
{
    /// <summary>Reports every key that is none of these.</summary>
    public void CheckKeys(params IReadOnlyList<string> known)
    {
        foreach (var (key, line, _) in section.Entries.Where(e => !known.Contains(e.Key)))
        {
            findings.Error(line, $"there is no key {RecipeText.Quote(key)} in '{name}'", $"one of {string.Join(", ", known)}",
                NearestMatch.Question(key, known));
        }
    }

    public YamlEntry? Find(string key) => section.Find(key);

    /// <summary>One name; null where it is absent or wrong.</summary>
    public YamlScalar? Word(string key)
    {
        if (Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar scalar && scalar.Text.Trim().Length > 0)
            return scalar;
        findings.Error(entry.Line, $"'{name}.{key}' is {entry.Value.Kind}", "one name");
        return null;
    }

    /// <summary>A text that is not empty; null where it is absent or wrong.</summary>
    public string? Text(string key, string expected)
    {
        if (Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar scalar && scalar.Text.Trim().Length > 0)
            return scalar.Text;
        findings.Error(entry.Line, $"'{name}.{key}' is {entry.Value.Kind}", expected);
        return null;
    }

    /// <summary>A whole number of these bounds.</summary>
    public int? Count(string key, int least, int most = int.MaxValue) =>
        Whole(key, least, most, most == int.MaxValue ? $"a whole number from {least}" : $"a whole number from {least} to {most}")
            is { } value ? (int)value : null;

    /// <summary>A seed.</summary>
    public ulong? Seed(string key) =>
        Whole(key, 0, ulong.MaxValue, $"a whole number from 0 to {ulong.MaxValue}") is { } value ? (ulong)value : null;

    public bool? Flag(string key)
    {
        if (Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar { Quoted: false } scalar
            && ParameterText.TryRead(new(scalar.Text, false, scalar.Line), typeof(bool), null, out var value))
        {
            return (bool)value;
        }
        findings.Error(entry.Line, $"'{name}.{key}' is {entry.Value.Kind}", "true or false");
        return null;
    }

    /// <summary>One of some words.</summary>
    public T? Choice<T>(string key)
        where T : struct, Enum
    {
        if (Find(key) is not { } entry)
            return null;
        var names = ParameterText.EnumNames(typeof(T)).ToArray();
        if (entry.Value is YamlScalar scalar
            && ParameterText.TryRead(new(scalar.Text, scalar.Quoted, scalar.Line), typeof(T), null, out var value))
        {
            return (T)value;
        }
        findings.Error(entry.Line, $"'{name}.{key}' is {entry.Value.Kind}", $"one of {string.Join(", ", names)}",
            entry.Value is YamlScalar { Text: var text } ? NearestMatch.Question(text, names) : null);
        return null;
    }

    /// <summary>A finite number; null where it is absent or wrong.</summary>
    public double? Number(string key) => Find(key) is { } entry ? Real(entry.Value, key) : null;

    /// <summary>A finite number.</summary>
    public double? Real(YamlNode node, string key)
    {
        if (node is YamlScalar { Quoted: false } scalar && RecipeNumber.TryReal(scalar.Text, out var value) && double.IsFinite(value))
            return value;
        findings.Error(node.Line, $"'{name}.{key}' is {node.Kind}", "a number");
        return null;
    }

    /// <summary>A list of words, or one word; null where it is absent or wrong.</summary>
    public IReadOnlyList<YamlScalar>? Words(string key)
    {
        switch (Find(key)?.Value)
        {
            case null:
                return null;
            case YamlScalar { Text: var text } one when text.Trim().Length > 0:
                return [one];
            case YamlList list when list.Items.All(i => i is YamlScalar { IsNull: false } s && s.Text.Trim().Length > 0):
                return [.. list.Items.Cast<YamlScalar>()];
            case var wrong:
                findings.Error(wrong.Line, $"'{name}.{key}' is {(wrong is YamlList ? "a list of something else" : wrong.Kind)}",
                    "a list of words");
                return null;
        }
    }

    private Int128? Whole(string key, Int128 least, Int128 most, string expected)
    {
        if (Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar { Quoted: false } scalar && RecipeNumber.TryWhole(scalar.Text, out var value)
            && value >= least && value <= most)
        {
            return value;
        }
        findings.Error(entry.Line, $"'{name}.{key}' is {entry.Value.Kind}", expected);
        return null;
    }
}
