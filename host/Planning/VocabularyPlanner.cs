using System.Text.Json.Nodes;
using Merge.Recipes;
using Merge.Sdk;
using Merge.Vocabulary;

namespace Merge.Planning;

/// <summary>What a recipe says of tokenizers, with the models found and their tokenizers read.</summary>
/// <param name="recipe">The recipe.</param>
/// <param name="models">All that take part and where each is, the base last where it is no other's equal.</param>
/// <param name="baseModel">The base the recipe names.</param>
/// <param name="places">Where a tokenizer of another model is looked for.</param>
internal sealed class VocabularyPlanner(
    Recipe recipe,
    IReadOnlyList<(PlannedModel Model, string Path)> models,
    PlannedModel? baseModel,
    ModelPlaces places)
{
    private readonly List<Diagnostic> _problems = [];
    private readonly List<Diagnostic> _warnings = [];

    public IReadOnlyList<Diagnostic> Warnings => _warnings;

    /// <summary>Null where the recipe does not ask for a vocabulary.</summary>
    /// <exception cref="MergeException">It asks for one that cannot be.</exception>
    public VocabularyMapping? Plan()
    {
        if (recipe.Tokenizer is not { } wanted)
            return null;
        var tokenizers = ReadAll();
        var first = baseModel is null ? 0 : IndexOf(baseModel);
        var (source, owner) = Source(wanted.Source, tokenizers, first);
        var participants = source is null || _problems.Count > 0
            ? []
            : Participants(tokenizers, tokenizers[first] ?? source);
        var rules = wanted.Tokens.Select(Rule).ToArray();
        if (_problems.Count > 0)
        {
            var isRecipe = _problems.All(p => p.Where?.StartsWith(recipe.Path, StringComparison.Ordinal) == true);
            throw new MergeException(_problems) { WrongUsage = isRecipe };
        }
        var plan = VocabularyPlan.Of(new VocabularyRequest
        {
            Models = participants,
            Base = baseModel is null ? null : first,
            Source = source!,
            SourceRows = owner is { } index ? participants[index].Rows : null,
            IsUnion = wanted.Source.IsUnion,
            Rules = rules,
            PadTo = wanted.PadToMultipleOf,
        });
        _warnings.AddRange(plan.Warnings);
        if (owner != first)
            WarnOfSpecialTokens(models[first].Model, tokenizers[first], source!);
        return new(plan, [.. models.Select(m => m.Model)]);
    }

    private Tokenizer?[] ReadAll()
    {
        var read = new Tokenizer?[models.Count];
        foreach (var (i, (model, _)) in models.Index())
            Collect(() => read[i] = model.Checkpoint.Folder is { } folder ? Tokenizer.Open(folder) : null);
        return read;
    }

    /// <summary>The tokenizer the output's begins with, and the model it is of, where that takes part.</summary>
    private (Tokenizer? Tokenizer, int? Owner) Source(VocabularySource source, Tokenizer?[] tokenizers, int first)
    {
        var owner = first;
        if (source.Model is { } reference)
        {
            if (Find(reference) is not { } index)
                return (Outside(reference), null);
            owner = index;
        }
        if (tokenizers[owner] is null && _problems.Count == 0)
        {
            _problems.Add(new Diagnostic($"'{models[owner].Model.Text}' has no tokenizer")
            {
                Where = $"{recipe.Path}, line {source.Line}",
                Expected = $"tokenizer.json, vocab.json or vocab.txt in {models[owner].Path}",
                Fix = "Leave 'tokenizer' and 'tokenizer_source' out: then no tokenizer is needed.",
            });
        }
        return (tokenizers[owner], owner);
    }

    private Tokenizer? Outside(ModelReference reference)
    {
        Tokenizer? found = null;
        Collect(() =>
        {
            var path = ModelResolver.Resolve(reference, places, recipe.Path);
            found = Tokenizer.Open(Directory.Exists(path) ? path : Path.GetDirectoryName(path)!)
                ?? throw new MergeException(new Diagnostic($"'{reference.Text}' has no tokenizer")
                {
                    Where = $"{recipe.Path}, line {reference.Line}",
                });
        });
        return found;
    }

    private List<VocabularyModel> Participants(Tokenizer?[] tokenizers, Tokenizer assumed)
    {
        var rows = models.Select(m => TokenEmbedding.Of(m.Model.Checkpoint)?.Shape[0]).ToArray();
        var participants = new List<VocabularyModel>();
        var first = rows[baseModel is null ? 0 : IndexOf(baseModel)];
        foreach (var (i, (model, _)) in models.Index())
        {
            if (rows[i] is null)
            {
                _problems.Add(new Diagnostic($"'{model.Text}' has no token embedding")
                {
                    Where = model.Checkpoint.Path,
                    Expected = "a tensor named as embed_tokens.weight or wte.weight, one row a token",
                    Fix = "Leave 'tokenizer' and 'tokenizer_source' out of the recipe.",
                });
            }
            if (tokenizers[i] is null)
                WarnOfMissing(model, rows[i] == first);
            participants.Add(new(model.Text, tokenizers[i] ?? assumed, rows[i] ?? 0));
        }
        return participants;
    }

    private void WarnOfMissing(PlannedModel model, bool alike)
    {
        var diagnostic = new Diagnostic($"'{model.Text}' has no tokenizer" + (alike
            ? ": it is taken to have the base's (without a base, the first model's)"
            : ", and its embedding has another number of rows than the base's (without a base, the first model's)"))
        {
            Where = model.Checkpoint.Path,
            Fix = "Put its tokenizer.json beside its weights.",
        };
        if (alike)
            _warnings.Add(diagnostic with { Severity = Severity.Warning });
        else
            _problems.Add(diagnostic);
    }

    private TokenRule Rule(TokenRecipe token)
    {
        var where = $"{recipe.Path}, line {token.Line}";
        if (token.Source is not { } source)
            return new(token.Token, null, token.Force, where);
        if (source.Model is not { } reference)
            return new(token.Token, new(null), token.Force, where);
        if (Find(reference) is { } index)
            return new(token.Token, new(index, source.Token, source.TokenId), token.Force, where);
        var names = models.Select(m => m.Model.Text).ToArray();
        _problems.Add(new Diagnostic($"'{reference.Text}' is no model of this merge")
        {
            Where = $"{recipe.Path}, line {reference.Line}",
            Expected = $"one of {string.Join(", ", names)}",
            Fix = NearestMatch.Question(reference.Text, names),
        });
        return new(token.Token, null, token.Force, where);
    }

    /// <summary>The model a recipe means: by the same text, else by the same place.</summary>
    private int? Find(ModelReference reference)
    {
        if (models.Index().FirstOrDefault(m => m.Item.Model.Text == reference.Text) is { Item.Model: not null } same)
            return same.Index;
        var candidates = places.Candidates(reference.Text);
        return models.Index().FirstOrDefault(m => candidates.Contains(m.Item.Path)) is { Item.Model: not null } found
            ? found.Index
            : null;
    }

    private int IndexOf(PlannedModel model) => models.Index().First(m => m.Item.Model.Checkpoint == model.Checkpoint).Index;

    /// <summary>The config stays the donor's: ids it names may be other tokens in another tokenizer.</summary>
    private void WarnOfSpecialTokens(PlannedModel donor, Tokenizer? own, Tokenizer output)
    {
        if (donor.Checkpoint.Config is not { } config || own is null)
            return;
        var before = own.Ids.ToLookup(t => t.Value, t => t.Key);
        var after = output.Ids.ToLookup(t => t.Value, t => t.Key);
        string[] changed =
        [
            .. from entry in config
               where entry.Key.EndsWith("_token_id", StringComparison.Ordinal)
               from id in entry.Value is JsonArray list ? list.ToArray() : [entry.Value]
               where id is JsonValue value && value.TryGetValue<int>(out var number)
                   && !before[number].Intersect(after[number]).Any()
               select $"{entry.Key} {id}",
        ];
        if (changed.Length == 0)
            return;
        _warnings.Add(new Diagnostic(
            $"config.json comes from '{donor.Text}', and these of its ids are other tokens in the output's tokenizer: "
            + string.Join(", ", changed))
        {
            Severity = Severity.Warning,
            Where = $"{recipe.Path}, line {recipe.Tokenizer!.Source.Line}",
            Fix = "Correct them in the output's config.json and generation_config.json.",
        });
    }

    private void Collect(Action read)
    {
        try
        {
            read();
        }
        catch (MergeException fault)
        {
            _problems.AddRange(fault.Diagnostics);
        }
    }
}
