using System.Numerics;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>
/// What DeepSpeed's <c>zero_pp_rank_*_optim_states.pt</c> of one rank holds: its part of every group of parameters as one
/// flat float32 tensor, and the optimizer's moments of the same.
/// </summary>
internal sealed class OptimizerShard
{
    private readonly PyTorchFile _saved;
    private readonly object? _base;

    private OptimizerShard(int rank, CheckpointFile file, PyTorchFile saved, PickleDict state, int stage)
    {
        (Rank, File, _saved, Stage) = (rank, file, saved, stage);
        var own = state.Find("base_optimizer_state") ?? state.Find("optimizer_state_dict");
        _base = (own as PickleDict)?.Find("state") ?? own;
        Step = FindStep(state, own);
        Paddings = [.. (state.Find("group_paddings") as List<object?> ?? []).Select(p => p as long? ?? 0)];
    }

    public int Rank { get; }

    public CheckpointFile File { get; }

    /// <summary>1 or 2: the groups are divided as they are; 3: every parameter is.</summary>
    public int Stage { get; }

    /// <summary>How many ranks the parts are of.</summary>
    public required int Ranks { get; init; }

    /// <summary>The optimizer's count of steps; null where it keeps none.</summary>
    public long? Step { get; }

    /// <summary>This rank's part of each group.</summary>
    public required IReadOnlyList<TensorSource> Groups { get; init; }

    /// <summary>Elements at the end of each group's part that are no parameter's and may be left out.</summary>
    public IReadOnlyList<long> Paddings { get; }

    /// <summary>Reads one file; null, with the problems noted, where it is not what it should be.</summary>
    public static OptimizerShard? Read(string path, int rank, TrainingContent content)
    {
        if (content.TryRead(path) is not var (file, saved))
            return null;
        var state = (saved.Root as PickleDict)?.Find("optimizer_state_dict") as PickleDict;
        var groups = (state?.Find("single_partition_of_fp32_groups") ?? state?.Find("fp32_flat_groups")) as List<object?>;
        if (state is null || groups is null || groups.Count == 0 || groups.Exists(g => g is not PickleTensor { Shape.Length: 1 }))
        {
            content.Report(path, $"rank {rank} holds no float32 parts of the parameters",
                "single_partition_of_fp32_groups (stages 1 and 2) or fp32_flat_groups (stage 3)",
                "Weights kept on NVMe or in the optimizer alone are not saved there: use the 16-bit weights in *_model_states.pt.");
            return null;
        }
        // The stage of an optimizer for bfloat16 is not saved: its groups are divided as in stage 1.
        var found = state.Find("zero_stage") is { } told ? Number(told) : 1;
        var ranks = state.Find("partition_count") is List<object?> { Count: > 0 } counts
            ? counts.Max(Number)
            : Number(state.Find("partition_count"));
        if (found is not (1 or 2 or 3) || ranks is not (> 0 and <= 1 << 20))
        {
            content.Report(
                path,
                $"rank {rank} is of {(found is 1 or 2 or 3 ? $"{ranks} ranks" : $"ZeRO stage {found}")}",
                "partition_count ranks of ZeRO stage 1, 2 or 3");
            return null;
        }
        return new(rank, file, saved, state, (int)found)
        {
            Ranks = (int)ranks,
            Groups = [.. groups.Select((g, i) => saved.Tensor($"group {i}", (PickleTensor)g!))],
        };
    }

    /// <summary>What the optimizer keeps beside a group's part, as long as it or longer by padding; null where there is none.</summary>
    public TensorSource? Moment(int group, string field)
    {
        // By the group's number; before 0.4 and with elastic checkpoints a list.
        var fields = _base switch
        {
            PickleDict byNumber => byNumber.Find((long)group),
            List<object?> list => list.ElementAtOrDefault(group),
            _ => null,
        };
        if ((fields as PickleDict)?.Find(field) is not PickleTensor { Shape.Length: 1 } moment)
            return null;
        var padding = group < Paddings.Count ? Paddings[group] : 0;
        var count = Groups[group].Shape[0];
        return moment.Shape[0] == count || moment.Shape[0] - padding == count ? _saved.Tensor($"group {group} {field}", moment) : null;
    }

    private long? FindStep(PickleDict state, object? own)
    {
        var first = _base switch
        {
            PickleDict dict => dict.Find(0L),
            List<object?> list => list.FirstOrDefault(),
            _ => null,
        };
        var told = (first as PickleDict)?.Find("step") ?? state.Find("base_optimizer_state_step")
            ?? (((own as PickleDict)?.Find("param_groups") as List<object?>)?.FirstOrDefault() as PickleDict)?.Find("step");
        if (told is not PickleTensor { Count: 1 } tensor)
            return told as long?;
        var source = _saved.Tensor("step", tensor);
        var bytes = new byte[source.Length];
        source.Read(0, bytes);
        return source.DType switch
        {
            DType.F32 => (long)BitConverter.ToSingle(bytes),
            DType.I64 => BitConverter.ToInt64(bytes),
            _ => null,
        };
    }

    // An enumeration's member is made from its number, or from its name by Python 3.11.
    private static long Number(object? value) => value switch
    {
        long number => number,
        BigInteger => -1,
        PickleObject { Arguments: [long number] } => number,
        PickleObject { Arguments: ["optimizer_states"] } => 1,
        PickleObject { Arguments: ["gradients"] } => 2,
        PickleObject { Arguments: ["weights"] } => 3,
        _ => -1,
    };
}
