using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>Small tensors (factors, magnitudes, scales) read whole, as float32.</summary>
internal static class FactorValues
{
    public static float[] Read(TensorSource tensor)
    {
        var values = new float[checked((int)tensor.Shape.Aggregate(1L, (p, s) => p * s))];
        var bytes = new byte[tensor.Length];
        tensor.Read(0, bytes);
        StoredValues.Decode(tensor.DType, bytes, values);
        if (values.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
        {
            throw new MergeException(new Diagnostic("the adapter holds a NaN or an infinity")
            {
                Where = $"{tensor.Files.First().Path}, {tensor.Name}",
                Fix = "Its training diverged, or the file is damaged: take an earlier checkpoint.",
            });
        }
        return values;
    }
}
