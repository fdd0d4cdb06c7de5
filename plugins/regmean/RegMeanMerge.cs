using Merge.Sdk;

namespace Merge.Plugin.RegMean;

/// <summary>
/// RegMean (Jin et al. 2023, "Dataless Knowledge Fusion by Merging Weights of Language Models", arXiv:2212.09849): of a linear
/// layer the weights whose outputs are nearest, in least squares, to those of each model on its own inputs. The paper's W is
/// [inputs, outputs]: W = (Σ G_i)⁻¹ Σ G_i W_i. A checkpoint's is its transpose, as G_i is symmetric W = (Σ W_i G_i) (Σ G_i)⁻¹.
/// Tensors that no file has a Gram matrix of are averaged.
/// </summary>
public sealed class RegMeanMerge : MergeStrategy<RegMeanOptions>
{
    // Gram matrices are read as float32: what is left of an input beyond the others at this share of it is rounding.
    private const double Rounding = 1e-6;

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "regmean", "RegMean", "arXiv:2212.09849",
        Formula: "(sum_i W_i G_i) (sum_i G_i)^-1, G_i = X_i^T X_i with its off-diagonal times alpha; mean of what has no G");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, RegMeanOptions options)
    {
        int[] lacking = [.. Enumerable.Range(0, tensor.ModelCount).Where(i => !tensor.HasSide(RegMeanOptions.Grams, i))];
        if (lacking.Length == tensor.ModelCount || tensor.ModelCount == 1)
            return TensorMerge.Combine([.. Enumerable.Repeat(1.0 / tensor.ModelCount, tensor.ModelCount)]);
        if (lacking.Length > 0)
            throw Lacking(tensor, lacking[0], options);

        var grams = await tensor.EachModel(i => tensor.SideMatrix(RegMeanOptions.Grams, i));
        Regularise(grams, options.Alpha);
        var products = await tensor.EachModel(i => tensor.Product(b => b.Models[i], grams[i]));
        var solved = tensor.LinearAlgebra.SolvePositive(Sum(grams), Sum(products).Transpose(), Rounding)
            ?? throw Singular(tensor, options);
        var merged = solved.Transpose();
        return TensorMerge.From(b => b.View(merged));
    }

    /// <summary>
    /// α off the diagonal. An input that was 0 in every sample of all models says nothing: it gets a 1, which averages
    /// its weights.
    /// </summary>
    private static void Regularise(Matrix[] grams, double alpha)
    {
        for (var j = 0; j < grams[0].Rows; j++)
        {
            var isDead = grams.All(g => g[j, j] == 0);
            foreach (var gram in grams)
            {
                var row = gram.Row(j);
                var own = isDead ? 1 : row[j];
                foreach (ref var element in row)
                    element *= alpha;
                row[j] = own;
            }
        }
    }

    private static Matrix Sum(Matrix[] parts)
    {
        var sum = new Matrix(parts[0].Rows, parts[0].Columns);
        for (var i = 0; i < sum.Rows; i++)
        {
            var row = sum.Row(i);
            foreach (var part in parts)
            {
                var other = part.Row(i);
                for (var j = 0; j < row.Length; j++)
                    row[j] += other[j];
            }
        }
        return sum;
    }

    private static MergeException Lacking(TensorScan tensor, int model, RegMeanOptions options) => new(new Diagnostic(
        $"model {model + 1} has no Gram matrix of this tensor in '{options.GramPath[model]}', and others have one")
    {
        Expected = "one of every model, or of none: then the tensor is averaged",
        Where = tensor.Info.Name,
        Fix = "Take the Gram matrices of the same layers of all models.",
    })
    {
        WrongUsage = true,
    };

    private static MergeException Singular(TensorScan tensor, RegMeanOptions options) => new(new Diagnostic(
        $"the sum of the Gram matrices, with alpha {options.Alpha}, has no inverse")
    {
        Expected = "positive definite",
        Where = tensor.Info.Name,
        Fix = options.Alpha == 1
            ? "Take alpha below 1, such as 0.9, or more samples than the layer has inputs."
            : "With alpha below 1 those of any inputs have one: give files of Gram matrices X^T X.",
    })
    {
        WrongUsage = true,
    };
}
