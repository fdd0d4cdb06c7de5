using System.Text.Json;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Vocabulary;

/// <summary>
/// Token → id, token by token off the bytes: a vocabulary has up to a few hundred thousand entries, and beside it a
/// <c>tokenizer.json</c> holds as many merges, which nobody here needs.
/// </summary>
internal sealed class VocabularyReader(string path)
{
    private const int MostProblems = 20;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddedToken> _added = new(StringComparer.Ordinal);
    private readonly List<Diagnostic> _problems = [];
    private bool _hasVocabulary;

    public IReadOnlyDictionary<string, int> Ids => _ids;

    public IReadOnlyDictionary<string, AddedToken> Added => _added;

    /// <summary>Whether the vocabulary is a list of pieces.</summary>
    public bool IsList { get; private set; }

    /// <exception cref="MergeException">With what is wrong in the file, up to a readable number.</exception>
    public void Read()
    {
        if (path.EndsWith(".txt", StringComparison.Ordinal))
            ReadLines();
        else
            Parse(path, Path.GetFileName(path) == Tokenizer.FileName ? ReadTokenizer : ReadVocabularyFile);
        if (!_hasVocabulary && _problems.Count == 0)
            Report("the tokenizer has no model.vocab", "one of kind BPE, WordPiece, WordLevel or Unigram");
        ThrowIfAny();
    }

    /// <summary>Takes over the added tokens that only the files beside it name.</summary>
    public void AddFrom(string config, string addedTokens)
    {
        var taken = _ids.Values.ToHashSet();
        if (File.Exists(config))
            Parse(config, (ref Utf8JsonReader json) => ReadConfig(ref json, taken));
        if (File.Exists(addedTokens))
        {
            Parse(addedTokens, (ref Utf8JsonReader json) =>
                ReadIds(ref json, (token, id) => AddUnknown(new AddedToken(token, id), taken)));
        }
        ThrowIfAny();
    }

    private delegate void ReadRoot(ref Utf8JsonReader json);

    private void Parse(string file, ReadRoot read)
    {
        var bytes = JsonFile.Read(file);
        var json = new Utf8JsonReader(bytes);
        try
        {
            json.Read();
            Expect(json.TokenType == JsonTokenType.StartObject, "the file is not a JSON object");
            read(ref json);
            // Only a second read tells text behind the object.
            json.Read();
        }
        catch (JsonException e) when (e.Data.Contains(nameof(Expect)))
        {
            Report($"{e.Message}, at byte {json.TokenStartIndex}", where: file);
        }
        catch (JsonException e)
        {
            Report("the file is not JSON, or is cut off", where: $"{file}, line {e.LineNumber + 1}");
        }
        catch (InvalidOperationException)
        {
            Report($"the file holds a text that is not Unicode, at byte {json.TokenStartIndex}", where: file);
        }
    }

    private void ReadTokenizer(ref Utf8JsonReader json)
    {
        // They stand before the model, and many are tokens of it.
        var added = new List<AddedToken>();
        while (NextProperty(ref json, out var name))
        {
            switch (name)
            {
                case "model":
                    Expect(json.TokenType == JsonTokenType.StartObject, "'model' is not an object");
                    ReadModel(ref json);
                    break;
                case "added_tokens" when json.TokenType == JsonTokenType.StartArray:
                    while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                    {
                        Expect(json.TokenType == JsonTokenType.StartObject, "an entry of 'added_tokens' is not an object");
                        if (ReadAdded(ref json, null) is { } token)
                            added.Add(token);
                    }
                    break;
                default:
                    json.Skip();
                    break;
            }
        }
        added.ForEach(Add);
    }

    private void ReadModel(ref Utf8JsonReader json)
    {
        while (NextProperty(ref json, out var name))
        {
            if (name == "vocab" && json.TokenType == JsonTokenType.StartObject)
                ReadVocabularyFile(ref json);
            else if (name == "vocab" && json.TokenType == JsonTokenType.StartArray)
                ReadPieces(ref json);
            else
                json.Skip();
        }
    }

    private void ReadVocabularyFile(ref Utf8JsonReader json)
    {
        _hasVocabulary = true;
        ReadIds(ref json, (token, id) =>
        {
            if (!_ids.TryAdd(token, id))
                Report($"the token {TokenText.Quote(token)} stands in the vocabulary twice ({_ids[token]} and {id})");
        });
    }

    private static void ReadIds(ref Utf8JsonReader json, Action<string, int> add)
    {
        while (NextProperty(ref json, out var token))
            add(token, Id(ref json, token));
    }

    // Unigram: a list of [piece, score]; a piece's id is its place. Of equal ones the library takes the last.
    private void ReadPieces(ref Utf8JsonReader json)
    {
        _hasVocabulary = IsList = true;
        for (var id = 0; json.Read() && json.TokenType != JsonTokenType.EndArray; id++)
        {
            Expect(json.TokenType == JsonTokenType.StartArray, "an entry of 'vocab' is not [piece, score]");
            json.Read();
            Expect(json.TokenType == JsonTokenType.String, "an entry of 'vocab' is not [piece, score]");
            _ids[json.GetString()!] = id;
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                json.Skip();
        }
    }

    private void ReadConfig(ref Utf8JsonReader json, HashSet<int> taken)
    {
        while (NextProperty(ref json, out var name))
        {
            if (name != "added_tokens_decoder" || json.TokenType != JsonTokenType.StartObject)
            {
                json.Skip();
                continue;
            }
            while (NextProperty(ref json, out var key))
            {
                Expect(int.TryParse(key, out var id) && id >= 0, $"'{key}' in 'added_tokens_decoder' is not an id");
                Expect(json.TokenType == JsonTokenType.StartObject, "an entry of 'added_tokens_decoder' is not an object");
                if (ReadAdded(ref json, id) is { } token)
                    AddUnknown(token, taken);
            }
        }
    }

    private AddedToken? ReadAdded(ref Utf8JsonReader json, int? id)
    {
        string? content = null;
        var token = new AddedToken("", 0);
        while (NextProperty(ref json, out var name))
        {
            var flag = json.TokenType == JsonTokenType.True;
            switch (name)
            {
                case "id":
                    id = Id(ref json, "id");
                    continue;
                case "content" when json.TokenType == JsonTokenType.String:
                    content = json.GetString();
                    continue;
                case "single_word":
                    token = token with { SingleWord = flag };
                    break;
                case "lstrip":
                    token = token with { LStrip = flag };
                    break;
                case "rstrip":
                    token = token with { RStrip = flag };
                    break;
                case "normalized":
                    token = token with { Normalized = flag };
                    break;
                case "special":
                    token = token with { Special = flag };
                    break;
            }
            json.Skip();
        }
        if (content is not null && id is { } number)
            return token with { Content = content, Id = number };
        Report("an added token lacks its content or its id");
        return null;
    }

    private void Add(AddedToken token)
    {
        if (!_added.TryAdd(token.Content, token))
            Report($"the token {TokenText.Quote(token.Content)} is added twice");
        else if (!_ids.TryAdd(token.Content, token.Id) && _ids[token.Content] != token.Id)
        {
            Report($"the token {TokenText.Quote(token.Content)} is {_ids[token.Content]} in the vocabulary "
                + $"and {token.Id} among the added tokens");
        }
    }

    // What the tokenizer itself says stands: its companions are often left over from an earlier save.
    private void AddUnknown(AddedToken token, HashSet<int> taken)
    {
        if (_ids.TryGetValue(token.Content, out var id))
            _added.TryAdd(token.Content, token with { Id = id });
        else if (taken.Add(token.Id))
            Add(token);
    }

    private void ReadLines()
    {
        _hasVocabulary = true;
        try
        {
            foreach (var (id, line) in File.ReadLines(path).Index())
                _ids.TryAdd(line, id);
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw FileProblem.Reading(path, e);
        }
    }

    /// <summary>Goes to the next value of the object it is in; false at the object's end.</summary>
    private static bool NextProperty(ref Utf8JsonReader json, out string name)
    {
        name = "";
        if (!json.Read() || json.TokenType == JsonTokenType.EndObject)
            return false;
        name = json.GetString()!;
        return json.Read();
    }

    private static int Id(ref Utf8JsonReader json, string token)
    {
        var id = 0;
        Expect(
            json.TokenType == JsonTokenType.Number && json.TryGetInt32(out id) && id >= 0,
            $"the id of {TokenText.Quote(token)} is not a whole number from 0");
        return id;
    }

    private static void Expect(bool holds, string otherwise)
    {
        if (!holds)
            throw new JsonException(otherwise) { Data = { [nameof(Expect)] = true } };
    }

    private void Report(string found, string? expected = null, string? where = null)
    {
        if (_problems.Count < MostProblems)
        {
            _problems.Add(new Diagnostic(found)
            {
                Where = where ?? path,
                Expected = expected,
                Fix = "Download it again, or save it again with its library.",
            });
        }
    }

    private void ThrowIfAny()
    {
        if (_problems.Count > 0)
            throw new MergeException(_problems);
    }
}
