using Merge.Sdk;

namespace Merge.Plugin.Spherical;

/// <summary>Lengths and angles of whole tensors: all that these methods ask of the data, in one sweep.</summary>
internal static class FiniteGram
{
    /// <summary>The Gram matrix of the models, of their task vectors where there is a base.</summary>
    /// <exception cref="MergeException">A model holds NaN or infinity: it has no direction.</exception>
    public static async ValueTask<Matrix> OfModels(TensorScan tensor) =>
        Checked(await tensor.Gram(b => tensor.HasBase ? b.Deltas : b.Models), tensor.Info);

    /// <summary>A Gram matrix as it is.</summary>
    /// <exception cref="MergeException">A vector holds NaN or infinity: it has no direction.</exception>
    public static Matrix Checked(Matrix gram, TensorInfo tensor)
    {
        Diagnostic[] endless =
        [
            .. Enumerable.Range(0, gram.Rows).Where(i => !double.IsFinite(gram[i, i])).Select(i =>
                new Diagnostic($"input {i + 1} of {gram.Rows} has no direction: its length is not finite")
                {
                    Where = tensor.Name,
                    Expected = "a tensor without NaN and infinity, in every model and in the base",
                }),
        ];
        return endless.Length == 0 ? gram : throw new MergeException(endless);
    }

    /// <summary>‖a_i‖.</summary>
    public static double Norm(this Matrix gram, int i) => Math.Sqrt(gram[i, i]);

    /// <summary>‖Σ c_i a_i‖.</summary>
    public static double Length(this Matrix gram, IReadOnlyList<double> coefficients)
    {
        var squared = 0.0;
        for (var i = 0; i < gram.Rows; i++)
        {
            for (var j = 0; j < gram.Rows; j++)
                squared += coefficients[i] * coefficients[j] * gram[i, j];
        }
        return Math.Sqrt(Math.Max(squared, 0));
    }
}
