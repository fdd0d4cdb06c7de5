using Merge.Planning;
using Merge.Sdk;

namespace Merge.Curvature;

/// <summary>What a survey of saliencies looks at.</summary>
internal sealed record SaliencyOptions
{
    /// <summary>The side input's name.</summary>
    public string Side { get; init; } = "";

    /// <summary>The share of the model's edits that is to stay.</summary>
    public double Density { get; init; }

    /// <summary>Of each model, whether v is taken from its row and column sums.</summary>
    public IReadOnlyList<bool> IsRank1 { get; init; } = [];

    /// <summary>The models, as the user names them.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];
}

/// <summary>
/// Fast Fisher Grafting's thresholds (arXiv:2509.11167): of each model the score s = v·(Δ·Δ), without a base v, that a
/// share of the whole model reaches. A method that merges nothing.
/// </summary>
internal sealed class SaliencySurvey : MergeStrategy<SaliencyOptions, MaskDensities>
{
    public override StrategyInfo Info => new("threshold", "Thresholds", "arXiv:2509.11167", InputRole.Optional);

    protected override async ValueTask<MaskDensities> Survey(ModelScan<SaliencyOptions> model)
    {
        var options = model.Tensors[0].Options;
        var models = Enumerable.Range(0, model.ModelCount).ToArray();
        CheckSides(model, options);

        var approximated = model.Tensors
            .SelectMany(t => models.Where(i => t.Options.IsRank1[i]).Select(i => (t.Scan, Model: i))).ToArray();
        var sums = await Stat.All(approximated.Select(a => Stat.All(
        [
            a.Scan.RowSums(b => b.Side(options.Side, a.Model)), a.Scan.ColumnSums(b => b.Side(options.Side, a.Model)),
        ])));
        var rank1 = approximated.Zip(sums).ToDictionary(a => (a.First.Scan, a.First.Model), a => Rank1(a.Second));

        var cuts = await Stat.All(models.Select(
            i => model.Largest(t => b => Score(b, t.Scan, i), (long)Math.Round(options.Density * model.ElementCount))));
        float[] thresholds = [.. cuts.Select(c => float.IsFinite(c.Value) ? c.Value : 0)];

        var kept = await Stat.All(model.Tensors.Select(
            t => t.Scan.EachModel(i => t.Scan.Count(b => Score(b, t.Scan, i) >= thresholds[i]))));
        return new(
            options.Models,
            options.Density,
            thresholds,
            [.. model.Tensors.Zip(kept).Select(t => Mask(t.First.Scan.Info, t.Second))]);

        TensorExpr Score(Block b, TensorScan tensor, int i)
        {
            var v = rank1.TryGetValue((tensor, i), out var sums)
                ? b.Rows(sums.Rows) * b.Columns(sums.Columns)
                : b.Side(options.Side, i);
            return tensor.HasBase ? v * (b.Deltas[i] * b.Deltas[i]) : v;
        }
    }

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, SaliencyOptions options, MaskDensities survey) =>
        throw new NotSupportedException("a survey merges nothing");

    // row·(column/Σ): (row·column)/Σ underflows in float32.
    private static (double[] Rows, double[] Columns) Rank1(double[][] sums)
    {
        var total = sums[0].Sum();
        return (sums[0], [.. sums[1].Select(c => total == 0 ? 0 : c / total)]);
    }

    private static TensorMask Mask(TensorInfo tensor, long[] kept) => new(
        tensor.Name,
        TensorNaming.Split(tensor.Name) is { } layer ? $"{layer.Stack}{layer.Layer}" : tensor.Name,
        tensor.Count,
        kept);

    private static void CheckSides(ModelScan<SaliencyOptions> model, SaliencyOptions options)
    {
        var problems = new List<Diagnostic>();
        for (var i = 0; i < model.ModelCount; i++)
        {
            string[] missing = [.. model.Tensors.Where(t => !t.Scan.HasSide(options.Side, i)).Select(t => $"'{t.Scan.Info.Name}'")];
            if (missing.Length == 0)
                continue;
            problems.Add(new Diagnostic(
                $"{missing.Length} tensor{(missing.Length == 1 ? " has" : "s have")} no second moments: "
                + string.Join(", ", missing.Take(3)) + (missing.Length > 3 ? ", …" : ""))
            {
                Expected = "second moments of every tensor, as one threshold is for all of them",
                Where = options.Models[i],
                Fix = "Give the file that belongs to this model.",
            });
        }
        if (problems.Count > 0)
            throw new MergeException(problems);
    }
}
