using System.Collections.Immutable;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>Parameters that are not trained, which DeepSpeed keeps beside the optimizer's: whole, or in a part a rank.</summary>
internal static class FrozenParameters
{
    /// <param name="content">Gets them.</param>
    /// <param name="ranks">The model states: one where they are whole, those of all ranks in order where not.</param>
    public static void Add(TrainingContent content, IReadOnlyList<ModelStates> ranks)
    {
        foreach (var (name, shape) in ranks[0].Frozen)
        {
            FlatVector? parts = null;
            foreach (var rank in ranks)
            {
                if (rank.FrozenPart(name) is not { } part)
                {
                    content.Report(
                        rank.File.Path,
                        $"the part of the frozen parameter '{PickleText.Shown(name)}' is missing");
                    parts = null;
                    break;
                }
                parts ??= new(part.DType);
                parts.Append(part, part.Length / (part.DType.Bits() / 8));
            }
            var count = (long)TrainingContent.Count(shape)!;
            if (parts is null)
                continue;
            // The last parts are padded so that all are of one size.
            if (parts.Count < count || parts.Count - count >= ranks.Count)
            {
                content.Report(
                    ranks[0].File.Path,
                    $"the frozen parameter '{PickleText.Shown(name)}' has {parts.Count} elements on {ranks.Count} ranks",
                    $"{count}, padded to a multiple of {ranks.Count}");
                continue;
            }
            content.Weights[name] = AssembledTensor.Of(
                name, parts.DType, shape, ImmutableArray.Create(count), parts.Slice(0, count, 0), ranks[0].File);
        }
    }
}
