using Merge.Checkpoints;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>Which models' values explain a NaN or an infinity in what a method computed: read again, once it has failed.</summary>
internal static class NonFiniteInput
{
    private const int BlockBytes = 1 << 20;

    /// <summary>What the user can do: leave a model out, or look at the method where no input holds one.</summary>
    public static string Advice(TensorPlan plan)
    {
        var buffer = new byte[BlockBytes];
        string[] found = [.. plan.Inputs.Where(i => IsIn(i, buffer)).Select(Place).Distinct()];
        return found.Length switch
        {
            0 => "No input of this tensor holds a NaN or an infinity: the method's own arithmetic made it. Try other parameters.",
            1 => $"{found[0]} holds a NaN or an infinity: leave that model out, or take a sound copy.",
            _ => $"{string.Join(" and ", found)} hold a NaN or an infinity: leave those models out, or take sound copies.",
        };
    }

    private static string Place(TensorSource input) =>
        input.Files.FirstOrDefault() is { } file ? $"'{input.Name}' of {file.Path}" : $"'{input.Name}'";

    private static bool IsIn(TensorSource input, byte[] buffer)
    {
        for (var start = 0L; start < input.Length; start += buffer.Length)
        {
            var bytes = buffer.AsSpan(0, (int)Math.Min(buffer.Length, input.Length - start));
            input.Read(start, bytes);
            if (NonFinite.Any(input.DType, bytes))
                return true;
        }
        return false;
    }
}
