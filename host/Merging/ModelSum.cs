using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Σ w_i θ_i, or θ_0 + Σ w_i Δ_i: every product and every partial sum rounded, in order.</summary>
/// <param name="Models">What is added, in this order; -1 is the base. At least one.</param>
/// <param name="Weights">One a model.</param>
/// <param name="Deltas">Whether the task vectors are added up, and to the base.</param>
internal sealed record ModelSum(int[] Models, float[] Weights, bool Deltas)
{
    /// <summary>As an expression.</summary>
    public Node Record(TensorScan scan) => scan.Record(x =>
    {
        if (!Deltas && Models is [var only] && Weights[0] == 1)
            return only < 0 ? x.Base : x.Models[only];
        var terms = Deltas ? x.Deltas : x.Models;
        var sum = Models.Select((i, k) => (TensorExpr)Weights[k] * (i < 0 ? x.Base : terms[i])).Aggregate((s, t) => s + t);
        return Deltas ? x.Base + sum : sum;
    });

    /// <summary>Sums with the same terms and, bit for bit, weights.</summary>
    public static IEqualityComparer<ModelSum> Equality { get; } = EqualityComparer<ModelSum>.Create(
        (a, b) => a!.Deltas == b!.Deltas && a.Models.AsSpan().SequenceEqual(b.Models) && Bits(a).SequenceEqual(Bits(b)),
        sum =>
        {
            var hash = new HashCode();
            hash.AddBytes(MemoryMarshal.AsBytes(sum.Weights.AsSpan()));
            return hash.ToHashCode();
        });

    private static ReadOnlySpan<int> Bits(ModelSum sum) => MemoryMarshal.Cast<float, int>(sum.Weights);
}
