using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads <c>tokenizer</c>, <c>tokenizer_source</c> and <c>chat_template</c>.</summary>
internal sealed class TokenizerSection(RecipeFindings findings)
{
    public static readonly string[] Keys = ["tokenizer", "tokenizer_source", "chat_template"];

    private static readonly string[] TokenizerKeys = ["source", "tokens", "pad_to_multiple_of"];
    private static readonly string[] TokenKeys = ["source", "force"];
    private static readonly string[] RowKeys = ["kind", "model", "token", "token_id"];
    private static readonly string[] Kinds = ["zero", "model_token"];

    private readonly ModelSection _models = new(findings);

    /// <summary>The vocabulary the recipe asks for, or null.</summary>
    public TokenizerRecipe? Read(YamlMap recipe)
    {
        var legacy = recipe.Find("tokenizer_source");
        if (recipe.Find("tokenizer") is not { } entry)
            return legacy is null ? null : new(Source(legacy), [], 1, legacy.Line);
        if (legacy is not null)
        {
            findings.Error(legacy.Line, "'tokenizer_source' and 'tokenizer' are both given", "one of them",
                "Write the source into 'tokenizer: {source: …}'.");
        }
        if (entry.Value is not YamlMap map)
        {
            findings.Error(entry.Line, $"'tokenizer' is {entry.Value.Kind}", "a mapping with 'source'",
                "Write 'tokenizer_source: …', or 'tokenizer: {source: …}'.");
            return null;
        }
        CheckKeys(map, "tokenizer", TokenizerKeys);
        var source = map.Find("source") is { } given ? Source(given) : new(null, true, entry.Line);
        return new(source, Tokens(map.Find("tokens")), PadTo(map), entry.Line);
    }

    public ChatTemplateRecipe? ReadChatTemplate(YamlMap recipe)
    {
        if (recipe.Find("chat_template") is not { } entry)
            return null;
        if (entry.Value is YamlScalar scalar && scalar.Text.Trim().Length > 0)
            return new(scalar.Text, entry.Line);
        findings.Error(entry.Line, $"'chat_template' is {entry.Value.Kind}", "'auto', a name, or a Jinja template");
        return null;
    }

    private VocabularySource Source(YamlEntry entry) => entry.Value is YamlScalar { Text: "union" or "base" } word
        ? new(null, word.Text == "union", entry.Line)
        : new(_models.Reference(entry.Value, entry.Key), false, entry.Line);

    private TokenRecipe[] Tokens(YamlEntry? entry)
    {
        if (entry is null)
            return [];
        if (entry.Value is YamlMap map)
            return [.. map.Entries.Select(Token)];
        findings.Error(entry.Line, $"'tokens' is {entry.Value.Kind}", "a mapping from tokens to 'source' and 'force'");
        return [];
    }

    private TokenRecipe Token(YamlEntry entry)
    {
        if (entry.Value is not YamlMap map)
        {
            if (entry.Value is not YamlScalar { IsNull: true })
            {
                findings.Error(entry.Line, $"{RecipeText.Quote(entry.Key)} is {entry.Value.Kind}",
                    "a mapping with 'source' and 'force'");
            }
            return new(entry.Key, null, false, entry.Line);
        }
        CheckKeys(map, RecipeText.Quote(entry.Key), TokenKeys);
        var source = map.Find("source") is { } given ? Row(given) : null;
        var force = Flag(map, "force");
        if (force && map.Find("source") is null)
            findings.Error(entry.Line, $"{RecipeText.Quote(entry.Key)} is forced to no row", "'source' beside 'force'");
        return new(entry.Key, source, force, entry.Line);
    }

    private TokenSource? Row(YamlEntry entry)
    {
        if (entry.Value is not YamlMap map)
            return _models.Reference(entry.Value, "source") is { } model ? new(model, null, null) : null;
        if (map.Find("kind")?.Value is not YamlScalar { Text: "zero" or "model_token" } kind)
        {
            var text = (map.Find("kind")?.Value as YamlScalar)?.Text;
            findings.Error(map.Line, text is null ? "a source has no 'kind'" : $"'kind' is {RecipeText.Quote(text)}",
                $"one of {string.Join(", ", Kinds)}", text is null ? null : NearestMatch.Question(text, Kinds));
            return null;
        }
        CheckKeys(map, "kind", kind.Text == "zero" ? RowKeys[..1] : RowKeys);
        return kind.Text == "zero" ? new(null, null, null) : ModelToken(map);
    }

    private TokenSource? ModelToken(YamlMap map)
    {
        var model = map.Find("model") is { } given ? _models.Reference(given.Value, "model") : null;
        if (map.Find("model") is null)
            findings.Error(map.Line, "a source of kind model_token names no 'model'", "'model: ' and one of the models");
        var (token, id) = (map.Find("token"), map.Find("token_id"));
        if (token is null == id is null)
        {
            findings.Error(map.Line, "a source of kind model_token has " + (token is null
                ? "neither 'token' nor 'token_id'" : "both 'token' and 'token_id'"), "one of them");
            return null;
        }
        if (token is { Value: not YamlScalar })
            findings.Error(token.Line, $"'token' is {token.Value.Kind}", "a token's text");
        return model is null ? null : new(model, (token?.Value as YamlScalar)?.Text, id is null ? null : Whole(id, 0));
    }

    private int PadTo(YamlMap map) => map.Find("pad_to_multiple_of") is { } entry ? (int)Whole(entry, 1) : 1;

    private long Whole(YamlEntry entry, int least)
    {
        if (entry.Value is YamlScalar { Quoted: false } scalar && RecipeNumber.TryWhole(scalar.Text, out var value)
            && value >= least && value <= 1 << 24)
        {
            return (long)value;
        }
        findings.Error(entry.Line, $"'{entry.Key}' is {entry.Value.Kind}", $"a whole number from {least}");
        return least;
    }

    private bool Flag(YamlMap map, string key)
    {
        if (map.Find(key) is not { } entry)
            return false;
        if (entry.Value is YamlScalar { Quoted: false } scalar && bool.TryParse(scalar.Text, out var flag))
            return flag;
        findings.Error(entry.Line, $"'{key}' is {entry.Value.Kind}", "true or false");
        return false;
    }

    private void CheckKeys(YamlMap map, string beside, string[] keys)
    {
        foreach (var (key, line, _) in map.Entries.Where(e => !keys.Contains(e.Key)))
        {
            findings.Error(line, $"there is no key {RecipeText.Quote(key)} in {beside}",
                $"one of {string.Join(", ", keys)}", NearestMatch.Question(key, keys));
        }
    }
}
