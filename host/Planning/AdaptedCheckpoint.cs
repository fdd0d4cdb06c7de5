using System.Text.Json.Nodes;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>A model with adapters in it, and what becomes of a head that it ties to its embedding.</summary>
internal static class AdaptedCheckpoint
{
    private const string WithPrefix = "load this one with its class and save it again (save_pretrained), and its names have it.";

    /// <param name="model">How the recipe names it.</param>
    /// <param name="checkpoint">The model alone.</param>
    /// <param name="adapters">What is put into it.</param>
    /// <param name="warnings">Gets what becomes of a tied head.</param>
    /// <exception cref="MergeException">Why the adapters do not fit it.</exception>
    public static Checkpoint Of(
        ResolvedModel model, Checkpoint checkpoint, IReadOnlyList<WeightedAdapter> adapters, List<Diagnostic> warnings)
    {
        var tied = Tied(model, checkpoint);
        var tensors = AdaptedModel.Tensors(checkpoint, adapters, tied, out var change);
        var config = checkpoint.Config;
        if (tied is not null && tensors.ContainsKey(tied.Name))
        {
            if (CausalHeads.IsBare(checkpoint))
                throw Bare(model, tied);
            config = Untied(config!);
        }
        // Beside the base PEFT changes what the embedding gives, and the head goes on with the base's weights.
        if (change == TiedChange.Embedding)
        {
            warnings.Add(new Diagnostic(tied!.CanStandAlone
                ? "the adapter changes the embedding and not the output head, which is tied to it: the result has a head of its own"
                : "the adapter changes the embedding, and with it whatever the model ties to it: the output head, where it has one")
            {
                Severity = Severity.Warning,
                Where = model.Model.Model.Text,
                Fix = tied.CanStandAlone
                    ? "This is what the adapter does in PEFT beside its base; its config.json says \"tie_word_embeddings\": false."
                    : "In PEFT, beside its base, the adapter changes the embedding only. Models are untied here whose class is known to "
                        + "read a head under a name of its own, and whose tensors have that class's prefix"
                        + (CausalHeads.IsBare(checkpoint) ? $": {WithPrefix}" : "."),
            });
        }
        else if (config is null && !checkpoint.Tensors.Keys.Any(TiedHeads.IsHeadWeight)
            && TokenEmbedding.Of(checkpoint) is { } embedding && tensors.ContainsKey(embedding.Name))
        {
            warnings.Add(new Diagnostic(
                "the adapter changes the embedding, and without a config.json nothing says whether the model ties an output head to it")
            {
                Severity = Severity.Warning,
                Where = model.Model.Model.Text,
                Expected = "the model's config.json beside its tensors",
                Fix = "Put it there: a head that is tied moves with the embedding here, and does not in PEFT beside the base.",
            });
        }
        return checkpoint.With(tensors, adapters.SelectMany(a => a.Adapter.Checkpoint.Files), config, model.Key);
    }

    /// <summary>The head that a model stores nothing of; an adapter that changes one says by that what it is called.</summary>
    private static TiedHead? Tied(ResolvedModel model, Checkpoint checkpoint)
    {
        if (!new PlannedModel(model.Model.Model.Text, checkpoint).TiesHead || TokenEmbedding.Of(checkpoint) is not { } embedding)
            return null;
        var known = CausalHeads.NameIn(checkpoint);
        return new(known ?? AdaptedModel.HeadName, embedding, known is not null);
    }

    private static MergeException Bare(ResolvedModel model, TiedHead tied) => new(new Diagnostic(
        $"the adapter changes the output head, which is tied, and '{tied.Embedding.Name}' has no prefix: transformers loads no "
        + $"'{tied.Name}' beside such names")
    {
        Where = model.Path,
        Expected = "a model whose tensors are named as those of a class with a head",
        Fix = char.ToUpperInvariant(WithPrefix[0]) + WithPrefix[1..],
    });

    // The adapter gives the head weights of its own.
    private static JsonObject Untied(JsonObject config)
    {
        var changed = config.DeepClone().AsObject();
        changed["tie_word_embeddings"] = false;
        if (changed["text_config"] is JsonObject text && text.ContainsKey("tie_word_embeddings"))
            text["tie_word_embeddings"] = false;
        return changed;
    }
}
