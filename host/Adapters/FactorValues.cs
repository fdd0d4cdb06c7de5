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
        return values;
    }
}
