using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>
/// DeepSpeed's ZeRO shards: every data-parallel rank's <c>zero_pp_rank_*_optim_states.pt</c> with its part of the float32
/// weights and of the moments, and the shapes in <c>*_model_states.pt</c>.
/// </summary>
/// <remarks>S. Rajbhandari et al., ZeRO, SC 2020; the layout is that which <c>zero_to_fp32.py</c> beside a checkpoint reads.</remarks>
internal static class ZeroCheckpoint
{
    private const int MostListed = 10;

    public static void Read(string folder, TrainingContent content)
    {
        ZeroFile[] files = [.. Directory.GetFiles(folder).Select(f => ZeroFile.Of(Path.GetFileName(f))).OfType<ZeroFile>()];
        if (Array.Find(files, f => f.ModelRank > 0) is { } parallel)
        {
            throw new MergeException(new Diagnostic($"'{parallel.Name}' is of tensor or pipeline parallel rank {parallel.ModelRank}")
            {
                Where = folder,
                Expected = "shards of data parallelism alone (mp_rank_00)",
                Fix = "Convert it with DeepSpeed's ds_to_universal.py and give the folder that writes.",
            });
        }
        if (Directory.GetFiles(folder, "*expert_*_mp_rank_*").Order(StringComparer.Ordinal).FirstOrDefault() is { } expert)
        {
            throw new MergeException(new Diagnostic("experts are saved apart from the other parameters, and are not read")
            {
                Where = expert,
                Fix = "Convert it with DeepSpeed's ds_to_universal.py and give the folder that writes.",
            });
        }
        var shards = ReadShards(folder, [.. files.Where(f => f.IsOptimizer)], content);
        if (shards.Length == 0)
            return;
        var models = ReadModels(folder, files, shards, content);
        if (models.Length == 0 || content.Problems.Count > 0)
            return;
        models[0].AddBuffers(content);
        FrozenParameters.Add(content, models);
        new ZeroPartition(shards, s => s.Groups).Place(models[0], content.Weights, "", content);
        foreach (var field in new[] { "exp_avg", "exp_avg_sq" })
            AddMoments(shards, models[0], field, content);
        models[0].AddShared(content);
        content.Notes.Add($"float32 weights of {shards.Length} ZeRO shards of DeepSpeed, stage {shards[0].Stage}"
            + (content.State.Count > 0 ? ", with the optimizer's moments" : "")
            + "; the 16-bit weights beside them are not read");
    }

    private static OptimizerShard[] ReadShards(string folder, ZeroFile[] files, TrainingContent content)
    {
        OptimizerShard[] shards =
        [
            .. files.OrderBy(f => f.DataRank).Select(f => OptimizerShard.Read(Path.Combine(folder, f.Name), f.DataRank!.Value, content))
                .OfType<OptimizerShard>(),
        ];
        if (files.Length == 0)
        {
            content.Report(
                folder,
                "the optimizer's shards are missing", "zero_pp_rank_*_mp_rank_00_optim_states.pt of every rank",
                "They hold the float32 weights: copy them, too.");
        }
        if (shards.Length == 0)
            return [];
        var first = shards[0];
        var prefix = files.MinBy(f => f.DataRank)!.Name;
        int[] missing = [.. Enumerable.Range(0, first.Ranks).Except(files.Select(f => f.DataRank!.Value))];
        foreach (var rank in missing.Take(MostListed))
        {
            content.Report(
                Path.Combine(folder, prefix.Replace($"pp_rank_{first.Rank}_", $"pp_rank_{rank}_", StringComparison.Ordinal)),
                $"the shard of rank {rank} is missing: the checkpoint is of {first.Ranks} ranks",
                null,
                "Copy it, too: each rank saves its own, perhaps on a disk of its own.");
        }
        if (missing.Length > MostListed)
            content.Report(folder, $"the shards of {missing.Length} of {first.Ranks} ranks are missing");
        foreach (var shard in shards)
        {
            var at = shard.File.Path;
            if (shard.Rank >= first.Ranks)
                content.Report(
                    at,
                    $"there is a shard of rank {shard.Rank}: the checkpoint is of {first.Ranks} ranks", null, "Remove it: it is of another save.");
            else if ((shard.Stage > 2) != (first.Stage > 2) || shard.Ranks != first.Ranks)
                content.Report(
                    at,
                    $"rank {shard.Rank} is of ZeRO stage {shard.Stage} on {shard.Ranks} ranks", $"stage {first.Stage} on {first.Ranks}, as rank {first.Rank}");
            else if (shard.Groups.Count != first.Groups.Count)
                content.Report(
                    at,
                    $"rank {shard.Rank} has {shard.Groups.Count} groups of parameters", $"{first.Groups.Count}, as rank {first.Rank}");
            if (shard.Step != first.Step)
                content.Report(
                    at,
                    $"rank {shard.Rank} is of step {shard.Step}", $"step {first.Step}, as rank {first.Rank}");
        }
        if (files.GroupBy(f => f.DataRank).FirstOrDefault(g => g.Count() > 1) is { } twice)
            content.Report(
                folder,
                $"rank {twice.Key} has two shards: {PickleText.Listed(twice.Select(f => f.Name))}", "one");
        return content.Problems.Count == 0 ? shards : [];
    }

    private static ModelStates[] ReadModels(string folder, ZeroFile[] files, OptimizerShard[] shards, TrainingContent content)
    {
        // In stage 3 each rank has its part of what is not trained, too.
        var isDivided = shards[0].Stage == 3;
        var models = new List<ModelStates>();
        foreach (var rank in isDivided ? shards.Select(s => (int?)s.Rank) : [null])
        {
            var name = rank is null ? "mp_rank_00_model_states.pt" : $"zero_pp_rank_{rank}_mp_rank_00_model_states.pt";
            if (!Array.Exists(files, f => f.Name == name))
                content.Report(Path.Combine(folder, name), $"the model states{(rank is null ? "" : $" of rank {rank}")} are missing", null, "Copy that file, too: it holds the shapes.");
            else if (ModelStates.Read(Path.Combine(folder, name), content) is { } model)
                models.Add(model);
        }
        foreach (var model in models.Where(m => m.Step != models[0].Step))
            content.Report(
                model.File.Path,
                $"the model states are of step {model.Step}", $"step {models[0].Step}, as {Path.GetFileName(models[0].File.Path)}");
        return [.. models];
    }

    private static void AddMoments(OptimizerShard[] shards, ModelStates model, string field, TrainingContent content)
    {
        var missing = shards.SelectMany(s => s.Groups.Select((_, g) => (Shard: s, Group: g, Part: s.Moment(g, field)))).Where(m => m.Part is null).ToList();
        if (missing.Count == shards.Sum(s => s.Groups.Count))
            return;
        if (missing.Count > 0)
        {
            content.StateProblem = TrainingContent.Wrong(missing[0].Shard.File.Path,
                $"rank {missing[0].Shard.Rank} has no {field} of group {missing[0].Group}, or of another size than the weights", "one an element, as other groups have",
                null);
            return;
        }
        new ZeroPartition(shards, s => [.. s.Groups.Select((_, g) => s.Moment(g, field)!)])
            .Place(model, content.State, $".{field}", content);
    }
}
