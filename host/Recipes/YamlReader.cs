using Merge.Sdk;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Merge.Recipes;

/// <summary>
/// Text → <see cref="YamlNode"/>s with their lines, by YamlDotNet's event parser: its deserialiser would cost the
/// start-up time that a small merge has, and forgets lines. Anchors, aliases and merge keys (<c>&lt;&lt;</c>) work.
/// </summary>
internal sealed class YamlReader
{
    private const int Deepest = 64;
    private const int MostNodes = 100_000;

    private readonly string _path;
    private readonly string _text;
    private readonly RecipeFindings _findings;
    private readonly Scanner _scanner;
    private readonly Parser _parser;
    private readonly Dictionary<string, YamlNode?> _anchors = [];
    private long _nodes;

    private YamlReader(string path, string text, RecipeFindings findings)
    {
        (_path, _text, _findings) = (path, text, findings);
        _scanner = new Scanner(new StringReader(text));
        _parser = new Parser(_scanner);
    }

    /// <summary>The documents that hold something. Duplicate keys become findings.</summary>
    /// <exception cref="MergeException">The text is no YAML.</exception>
    public static IReadOnlyList<YamlDocument> Read(string path, string text, RecipeFindings findings)
    {
        var reader = new YamlReader(path, text, findings);
        try
        {
            return [.. reader.ReadDocuments().Where(d => d.Root is not YamlScalar { IsNull: true })];
        }
        catch (Exception exception) when (exception is YamlException or InvalidOperationException)
        {
            // InvalidOperationException: YamlDotNet's, where an unclosed '[' is followed by 'key: value'.
            throw reader.SyntaxError(exception);
        }
    }

    private List<YamlDocument> ReadDocuments()
    {
        var documents = new List<YamlDocument>();
        _parser.Consume<StreamStart>();
        while (!_parser.TryConsume<StreamEnd>(out _))
        {
            var start = _parser.Consume<DocumentStart>();
            // What stands before an implicit start are comments.
            var from = start.IsImplicit ? 0 : (int)start.End.Index;
            _anchors.Clear();
            var root = ReadNode(0);
            _parser.Consume<DocumentEnd>();
            var to = _parser.Current is DocumentStart next ? (int)next.Start.Index : _text.Length;
            documents.Add(new(root, _text[from..to]));
        }
        return documents;
    }

    private YamlNode ReadNode(int depth)
    {
        if (depth > Deepest)
            throw Stop(_parser.Current!, $"values are nested more than {Deepest} levels deep", null);
        if (_parser.TryConsume<AnchorAlias>(out var alias))
            return Resolve(alias);
        var start = _parser.Consume<NodeEvent>();
        Count(start, 1);
        var line = (int)start.Start.Line;
        if (!start.Anchor.IsEmpty)
            _anchors[start.Anchor.Value] = null;
        CheckTag(start);
        YamlNode node = start switch
        {
            Scalar scalar => new YamlScalar(scalar.Value, IsText(scalar), line),
            SequenceStart => new YamlList(ReadItems(depth), line),
            _ => new YamlMap(ReadEntries(depth), line),
        };
        if (!start.Anchor.IsEmpty)
            _anchors[start.Anchor.Value] = node;
        return node;
    }

    private List<YamlNode> ReadItems(int depth)
    {
        var items = new List<YamlNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
            items.Add(ReadNode(depth + 1));
        return items;
    }

    private List<YamlEntry> ReadEntries(int depth)
    {
        var entries = new Dictionary<string, YamlEntry>();
        var merged = new List<YamlEntry>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var at = _parser.Current!;
            if (ReadNode(depth + 1) is not YamlScalar key)
                throw Stop(at, "a list or a mapping where a key was expected", "a name");
            var line = (int)at.Start.Line;
            var value = ReadNode(depth + 1);
            if (key is { Text: "<<", Quoted: false })
                merged.AddRange(MergedEntries(value, at));
            else if (!entries.TryAdd(key.Text, new(key.Text, line, value)))
                _findings.Error(line, $"{RecipeText.Quote(key.Text)} is given twice", null,
                    $"It stands in line {entries[key.Text].Line} already: keep one.");
        }
        foreach (var entry in merged)
            entries.TryAdd(entry.Key, entry);
        return [.. entries.Values];
    }

    private IEnumerable<YamlEntry> MergedEntries(YamlNode value, ParsingEvent at) => value switch
    {
        YamlMap map => map.Entries,
        YamlList list when list.Items.All(i => i is YamlMap) => list.Items.SelectMany(i => ((YamlMap)i).Entries),
        _ => throw Stop(at, $"'<<' is followed by {value.Kind}", "a mapping, or a list of mappings, to merge in"),
    };

    private YamlNode Resolve(AnchorAlias alias)
    {
        var name = RecipeText.Quote("*" + alias.Value.Value);
        if (!_anchors.TryGetValue(alias.Value.Value, out var node))
        {
            throw Stop(alias, $"{name} stands for nothing", $"an anchor '&{alias.Value.Value}' before it",
                NearestMatch.Question(alias.Value.Value, _anchors.Keys));
        }
        if (node is null)
            throw Stop(alias, $"{name} stands for a value that contains it", null);
        Count(alias, node.Size);
        return node;
    }

    private void Count(ParsingEvent at, long nodes)
    {
        _nodes += nodes;
        if (_nodes > MostNodes)
            throw Stop(at, $"the recipe holds more than {MostNodes} values once its aliases are followed", null);
    }

    private void CheckTag(NodeEvent node)
    {
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific && !node.Tag.Value.StartsWith("tag:yaml.org,2002:"))
            throw Stop(node, $"the tag {RecipeText.Quote(node.Tag.Value)} is not known", "plain values");
    }

    private static bool IsText(Scalar scalar) =>
        scalar.Style is not ScalarStyle.Plain
        || (!scalar.Tag.IsEmpty && scalar.Tag.Value is "!" or "tag:yaml.org,2002:str");

    private MergeException SyntaxError(Exception exception)
    {
        // The scanner reports a tab at the start of what it began with, not at the tab.
        var lines = exception.Message.Contains(" tab ") ? _text.Split('\n') : [];
        var tab = Array.FindIndex(lines, line => line.TakeWhile(char.IsWhiteSpace).Contains('\t'));
        if (tab >= 0)
        {
            return RecipeFindings.Fatal(_path, $"line {tab + 1}, column {lines[tab].IndexOf('\t') + 1}",
                "a tab in the indentation", "spaces", "YAML indents with spaces only.");
        }
        var (mark, reason) = exception is YamlException { Message: var message } known
            ? (known.Start, message.TrimEnd('.'))
            : (_scanner.CurrentPosition, "a key stands where a list or mapping goes on");
        return RecipeFindings.Fatal(_path, $"line {mark.Line}, column {mark.Column}",
            $"not valid YAML: {char.ToLowerInvariant(reason[0])}{reason[1..]}", null,
            "Compare its indentation, quotes, brackets and ': ' with the lines around it.");
    }

    private MergeException Stop(ParsingEvent at, string found, string? expected, string? fix = null) =>
        RecipeFindings.Fatal(_path, $"line {at.Start.Line}, column {at.Start.Column}", found, expected, fix);
}
