using System.Collections.Immutable;
using Merge.Sdk;

namespace Merge.Vocabulary;

/// <summary>The output's vocabulary, and how each model's embedding is brought to it.</summary>
/// <param name="Rows">Rows of every embedding, padding included.</param>
/// <param name="Maps">One for each of the request's models.</param>
/// <param name="Edit">What becomes of the source's files.</param>
/// <param name="Warnings">What a user should know.</param>
internal sealed record VocabularyPlan(
    long Rows, IReadOnlyList<RowMap> Maps, TokenizerEdit Edit, IReadOnlyList<Diagnostic> Warnings)
{
    /// <summary>What tells this vocabulary apart from another: the rows, run by run, and the tokens of the output.</summary>
    public IReadOnlyList<string> Distinctions =>
    [
        .. Maps.SelectMany(m => m.Runs.Select(r => $"{m.Model} {r}").Concat(m.Means.Select(r => string.Join(' ', r)))),
        .. Edit.Added.Select(t => t.ToString()), .. Edit.Removed,
    ];

    /// <exception cref="MergeException">Rules that cannot be followed, all of them.</exception>
    public static VocabularyPlan Of(VocabularyRequest request)
    {
        var output = OutputVocabulary.Of(request);
        var problems = new List<Diagnostic>();
        var rules = request.Rules.ToDictionary(r => r.Token, StringComparer.Ordinal);
        var given = request.Rules.Where(r => r.From is not null).ToDictionary(
            r => r.Token, r => GivenRow(r, request.Models, problems), StringComparer.Ordinal);
        if (problems.Count > 0)
            throw new MergeException(problems) { WrongUsage = true };

        var builders = request.Models.Select((_, i) => new RowMapBuilder(i)).ToArray();
        var unknown = new List<string>();
        foreach (var token in output.Tokens)
            Place(token, request, token is null ? null : rules.GetValueOrDefault(token), given, builders, unknown);
        var tokens = output.Tokens.Count;
        var rows = (tokens + request.PadTo - 1) / request.PadTo * request.PadTo;
        foreach (var builder in builders)
            builder.Average(rows - tokens);
        return new(rows, [.. builders.Select(b => b.ToMap())], output.Edit, [.. WarnOf(request, unknown)]);
    }

    private static void Place(
        string? token,
        VocabularyRequest request,
        TokenRule? rule,
        Dictionary<string, ModelRow?> given,
        RowMapBuilder[] builders,
        List<string> unknown)
    {
        if (token is null)
        {
            foreach (var builder in builders)
                builder.Average(1);
            return;
        }
        var models = request.Models;
        ImmutableArray<ModelRow> holders =
        [
            .. models.Index().Where(m => m.Item.RowOf(token) is not null)
                .Select(m => new ModelRow(m.Index, m.Item.RowOf(token)!.Value)),
        ];
        ImmutableArray<ModelRow> rest = rule?.From is not null
            ? given[token] is { } row ? [row] : []
            : holders.Length > 1 && request.Base is { } b && models[b].RowOf(token) is { } baseRow
                ? [new(b, baseRow)]
                : holders;
        if (rule?.From is null && rest.IsEmpty)
            unknown.Add(token);
        foreach (var (model, builder) in builders.Index())
        {
            if (models[model].RowOf(token) is { } own && rule is not { Force: true })
                builder.Copy(new(model, own));
            else if (rest.Length == 1)
                builder.Copy(rest[0]);
            else if (rest.IsEmpty)
                builder.Zero();
            else
                builder.Mean(rest);
        }
    }

    /// <summary>The row a rule names; null: zeros, or a problem.</summary>
    private static ModelRow? GivenRow(TokenRule rule, IReadOnlyList<VocabularyModel> models, List<Diagnostic> problems)
    {
        if (rule.From!.Model is not { } index)
            return null;
        var model = models[index];
        if (rule.From.Id is { } id)
        {
            if (id < model.Rows)
                return new(index, id);
            problems.Add(new Diagnostic($"'{model.Text}' has no row {id}")
            {
                Where = rule.Where,
                Expected = $"a token_id from 0 to {model.Rows - 1}",
            });
            return null;
        }
        var token = rule.From.Token ?? rule.Token;
        if (model.RowOf(token) is { } row)
            return new(index, row);
        problems.Add(new Diagnostic($"'{model.Text}' has no token {TokenText.Quote(token)}")
        {
            Where = rule.Where,
            Expected = "a token of that model that has a row in its embedding",
            Fix = NearestMatch.Question(token, model.Tokenizer.Ids.Keys),
        });
        return null;
    }

    private static IEnumerable<Diagnostic> WarnOf(VocabularyRequest request, List<string> unknown)
    {
        if (unknown.Count > 0)
        {
            yield return new Diagnostic(
                $"no model has a row for {unknown.Count} token{(unknown.Count == 1 ? "" : "s")} of the output, "
                + $"whose rows are zeros: {TokenText.List(unknown)}")
            {
                Severity = Severity.Warning,
                Where = request.Source.Path,
                Fix = "Name where their rows come from: tokenizer: {tokens: {TOKEN: {source: MODEL}}}.",
            };
        }
    }
}
