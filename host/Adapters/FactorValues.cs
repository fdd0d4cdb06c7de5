using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>Small tensors (factors, magnitudes, scales) read whole, as float32.</summary>
internal static class FactorValues
{
    public static float[] Read(TensorSource tensor)
    {
        var values = Array(tensor.Name, tensor.Shape.Aggregate(1L, (p, s) => p * s));
        Read(tensor, values);
        return values;
    }

    /// <summary>Room for a factor.</summary>
    /// <param name="name">Whose, for the message.</param>
    /// <param name="count">Elements.</param>
    /// <exception cref="MergeException">An array does not hold as many.</exception>
    public static float[] Array(string name, long count) => count <= System.Array.MaxLength
        ? GC.AllocateUninitializedArray<float>((int)count)
        : throw new MergeException(new Diagnostic($"a factor of {count} elements is too large to be worked on")
        {
            Where = name,
            Expected = $"at most {System.Array.MaxLength}: an adapter is small beside its model",
            Fix = "Concatenating it exactly (without a rank or an energy) reads it piece by piece, whatever its size.",
        });

    /// <param name="tensor">Of a dtype that is merged.</param>
    /// <param name="into">As many as it has.</param>
    /// <exception cref="MergeException">One of them is not finite.</exception>
    public static void Read(TensorSource tensor, Span<float> into)
    {
        StoredValues.Read(tensor, 0, into);
        Check(tensor, into);
    }

    /// <summary>Refuses values of a tensor that are not finite.</summary>
    /// <param name="tensor">Of an adapter, or of a model.</param>
    /// <param name="values">Some of its values.</param>
    /// <param name="isModels">Whether it is a model's own, which an adapter is to bring whole.</param>
    /// <exception cref="InputFault">One of them is a NaN or an infinity.</exception>
    public static void Check(TensorSource tensor, ReadOnlySpan<float> values, bool isModels = false)
    {
        if (AreFinite(values))
            return;
        throw new InputFault(new Diagnostic($"the {(isModels ? "model" : "adapter")} holds a NaN or an infinity")
        {
            Where = $"{tensor.Files.First().Path}, {tensor.Name}",
            Fix = "Its training diverged, or the file is damaged: take an earlier checkpoint"
                + (isModels ? ", or leave this module out of --save." : "."),
        });
    }

    /// <summary>Whether none is a NaN or an infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool AreFinite(ReadOnlySpan<float> values)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        foreach (var vector in vectors)
        {
            if (!Vector.LessThanOrEqualAll(Vector.Abs(vector), new Vector<float>(float.MaxValue)))
                return false;
        }
        foreach (var value in values[(vectors.Length * Vector<float>.Count)..])
        {
            if (!float.IsFinite(value))
                return false;
        }
        return true;
    }
}
