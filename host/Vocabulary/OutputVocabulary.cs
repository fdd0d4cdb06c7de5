using Merge.Sdk;

namespace Merge.Vocabulary;

/// <summary>
/// The tokens of the output by their ids: those of the source at their own ids, then what the other models have and it
/// has not, plain tokens before added ones, models in order and by id; then those the recipe names.
/// </summary>
/// <param name="Tokens">By id; null where no token has that id.</param>
internal sealed record OutputVocabulary(IReadOnlyList<string?> Tokens, TokenizerEdit Edit)
{
    /// <exception cref="MergeException">The tokenizer must be changed, and cannot be.</exception>
    public static OutputVocabulary Of(VocabularyRequest request)
    {
        var source = request.Source;
        var limit = request.SourceRows ?? long.MaxValue;
        var known = source.Ids.Where(t => t.Value < limit).Select(t => t.Key).ToHashSet(StringComparer.Ordinal);
        string[] removed = [.. source.Ids.Where(t => t.Value >= limit).OrderBy(t => t.Value).Select(t => t.Key)];
        var last = known.Count == 0 ? -1 : known.Max(t => source.Ids[t]);
        CheckDense(source, known, last);
        var tokens = new List<string?>(Enumerable.Repeat<string?>(null, last + 1));
        // Where two tokens share an id, the added one names the row.
        foreach (var token in known.OrderBy(source.Added.ContainsKey))
            tokens[source.Ids[token]] = token;

        var added = new List<AddedToken>();
        if (request.IsUnion)
        {
            // One model's plain token may be another's added one: then it is an added one.
            var special = request.Models
                .SelectMany(m => m.Tokenizer.Added.Keys.Where(t => m.RowOf(t) is not null))
                .ToHashSet(StringComparer.Ordinal);
            foreach (var model in request.Models)
                New(model, t => !special.Contains(t)).ForEach(t => Append(new AddedToken(t, 0)));
            foreach (var model in request.Models)
                New(model, model.Tokenizer.Added.ContainsKey).ForEach(t => Append(model.Tokenizer.Added[t]));
        }
        foreach (var rule in request.Rules.Where(r => !known.Contains(r.Token)))
        {
            var holder = (rule.From?.Model is { } named ? request.Models.Skip(named).Take(1) : []).Concat(request.Models)
                .FirstOrDefault(m => m.Tokenizer.Added.ContainsKey(rule.Token));
            Append(holder?.Tokenizer.Added[rule.Token] ?? new AddedToken(rule.Token, 0));
        }
        return new(tokens, TokenizerEdit.Of(source, removed, added));

        void Append(AddedToken token)
        {
            if (!known.Add(token.Content))
                return;
            added.Add(token with { Id = tokens.Count });
            tokens.Add(token.Content);
        }

        List<string> New(VocabularyModel model, Func<string, bool> wanted) =>
        [
            .. model.Tokenizer.Ids.Where(t => t.Value < model.Rows && !known.Contains(t.Key) && wanted(t.Key))
                .OrderBy(t => t.Value).Select(t => t.Key),
        ];
    }

    // Ids size a list: one that lies absurdly far out is a broken file, not a vocabulary.
    private static void CheckDense(Tokenizer source, HashSet<string> known, int last)
    {
        if (last < 1_000_000 + (16L * known.Count))
            return;
        throw new MergeException(new Diagnostic($"a vocabulary of {known.Count} tokens has a token of id {last}")
        {
            Where = source.Path,
            Expected = "ids without large gaps",
        });
    }
}
