using System.Collections.Immutable;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>What is found in a folder that distributed training wrote.</summary>
/// <param name="files">Gets every file that is opened; who gives it closes them.</param>
internal sealed class TrainingContent(List<CheckpointFile> files)
{
    /// <summary>The weights by name, in the model's order where it is known.</summary>
    public OrderedDictionary<string, TensorSource> Weights { get; } = new(StringComparer.Ordinal);

    /// <summary>The optimizer's, as <c>parameter.exp_avg_sq</c> and the like.</summary>
    public OrderedDictionary<string, TensorSource> State { get; } = new(StringComparer.Ordinal);

    /// <summary>What was done to find them, a sentence each.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Everything that is wrong so far.</summary>
    public List<Diagnostic> Problems { get; } = [];

    /// <summary>Why the state is not there although the weights are.</summary>
    public Diagnostic? StateProblem { get; set; }

    public CheckpointFile Open(string path)
    {
        var file = CheckpointFile.OpenAny(path);
        files.Add(file);
        return file;
    }

    /// <summary>Opens a file of <c>torch.save</c>; null, with the problem noted, where it cannot be read.</summary>
    public (CheckpointFile File, PyTorchFile Saved)? TryRead(string path)
    {
        try
        {
            var file = Open(path);
            return (file, PyTorchFile.Read(file));
        }
        catch (MergeException e)
        {
            Problems.AddRange(e.Diagnostics);
            return null;
        }
    }

    public void Report(string where, string found, string? expected = null, string? fix = null) =>
        Problems.Add(Wrong(where, found, expected, fix));

    /// <summary>What is wrong with files that do not belong together.</summary>
    public static Diagnostic Wrong(string where, string found, string? expected, string? fix) => new(found)
    {
        Where = where,
        Expected = expected,
        Fix = fix ?? "The files are of different saves, or one is not copied whole: get the folder again.",
    };

    public static string Shown(IEnumerable<long> sizes) => $"[{string.Join(", ", sizes)}]";

    /// <summary>A tuple or list of sizes; null where it is something else, or more than 64 bits count.</summary>
    public static ImmutableArray<long>? Sizes(object? value)
    {
        if (value is not IReadOnlyList<object?> { Count: <= 64 } list || list.Any(i => i is not (long and >= 0)))
            return null;
        ImmutableArray<long> sizes = [.. list.Select(i => (long)i!)];
        return Count(sizes) is null ? null : sizes;
    }

    /// <summary>The elements of a shape; null where their bytes are more than 64 bits count.</summary>
    public static long? Count(IEnumerable<long> shape)
    {
        Int128 count = 1;
        foreach (var size in shape)
        {
            count *= size;
            if (count > long.MaxValue / 16)
                return null;
        }
        return (long)count;
    }
}
