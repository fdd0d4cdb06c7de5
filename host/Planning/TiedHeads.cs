using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>
/// Whether the output has an output head of its own. It has none, and its config ties it to the embedding, where every
/// model is tied; where one is not, the output has a head, for which a tied model's embedding stands.
/// </summary>
internal sealed class TiedHeads
{
    private readonly HashSet<string> _heads;

    private TiedHeads(HashSet<string> heads) => _heads = heads;

    /// <summary>What the output's config must say, where the donor's says something else.</summary>
    public bool? ConfigFlag { get; private init; }

    /// <param name="models">All that take part.</param>
    /// <param name="donor">The model whose config the output takes.</param>
    /// <param name="problems">Where warnings go.</param>
    public static TiedHeads Of(IReadOnlyList<PlannedModel> models, PlannedModel donor, List<Diagnostic> problems)
    {
        var heads = models.Where(m => !m.TiesHead)
            .SelectMany(m => m.Checkpoint.Tensors.Keys.Where(IsHeadWeight))
            .ToHashSet(StringComparer.Ordinal);
        var ties = models.All(m => m.TiesHead);
        if (ties == donor.TiesHead || (!ties && heads.Count == 0))
            return new(heads);
        problems.Add(new Diagnostic(ties
            ? $"'{donor.Text}', whose config the output takes, has an output head of its own, but all merged models tie "
                + "theirs to the embedding: so does the output"
            : $"'{donor.Text}', whose config the output takes, ties its output head to the embedding, but "
                + $"{string.Join(", ", models.Where(m => !m.TiesHead).Select(m => $"'{m.Text}'"))} has one of its own: the "
                + "output has one, too (a tied model's embedding stands for its head)")
        {
            Severity = Severity.Warning,
            Where = ties ? donor.Checkpoint.Path : string.Join(", ", heads.Order(StringComparer.Ordinal)),
            Fix = $"The output's config.json says \"tie_word_embeddings\": {(ties ? "true" : "false")}.",
        });
        return new(heads) { ConfigFlag = ties };
    }

    /// <summary>The heads the output has behind what these take of their models.</summary>
    public IEnumerable<string> Of(IReadOnlyList<ModelView> views) =>
        views.Any(v => v.Model.TiesHead && v.HasEnd) ? _heads.Order(StringComparer.Ordinal) : [];

    /// <summary>Where a model has a tensor. A head that a tied model stores is a copy that nobody loads.</summary>
    public TensorSource? Find(ModelView view, string name) =>
        view.Model.TiesHead && IsHeadWeight(name) ? Find(view.Model, name) : view.Find(name);

    /// <summary>Where a model has a tensor of its own name.</summary>
    public TensorSource? Find(PlannedModel model, string name)
    {
        if (!model.TiesHead || !IsHeadWeight(name))
            return model.Find(name);
        return _heads.Contains(name) ? TokenEmbedding.Of(model.Checkpoint) : null;
    }

    /// <summary>Whether the output has no tensor of this name, though a model has.</summary>
    public bool LeavesOut(string name) => IsHeadWeight(name) && !_heads.Contains(name);

    /// <summary>Whether a model may have a head that is its embedding: without a config nothing says that it has not.</summary>
    public static bool MayTie(Checkpoint model) =>
        model.Config is null ? !model.Tensors.Keys.Any(IsHeadWeight) : new PlannedModel(model.Path, model).TiesHead;

    public static bool IsHeadWeight(string name) =>
        TokenEmbedding.IsHead(name) && name.EndsWith(".weight", StringComparison.Ordinal);
}
