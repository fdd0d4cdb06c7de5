using System.Collections.Immutable;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>
/// DeepSpeed's universal checkpoint: a folder <c>zero/&lt;parameter&gt;</c> for each parameter with <c>fp32.pt</c>,
/// <c>exp_avg.pt</c> and <c>exp_avg_sq.pt</c>, each a dict whose <c>param</c> is the whole tensor, or the tensor alone, which
/// is flat where ZeRO stage 3 was converted; its shape is then in the <c>*_model_states.pt</c> beside them.
/// </summary>
/// <remarks>Written by <c>deepspeed/checkpoint/ds_to_universal.py</c>.</remarks>
internal static class UniversalCheckpoint
{
    /// <summary>The folder of the parameters' folders.</summary>
    public const string Parameters = "zero";

    private static readonly string[] Moments = ["exp_avg", "exp_avg_sq"];

    public static void Read(string folder, TrainingContent content)
    {
        var zero = Path.Combine(folder, Parameters);
        string[] names = [.. Directory.GetDirectories(zero).Select(d => Path.GetFileName(d)).Order(StringComparer.Ordinal)];
        if (names.Length == 0)
            content.Report(zero, "the folder holds no parameters", "a folder for each, with fp32.pt");
        var ranks = ReadModelStates(folder, content);
        var model = ranks.FirstOrDefault();
        var shapes = model?.Groups.SelectMany(g => g).GroupBy(p => p.Name).ToDictionary(p => p.Key, p => p.First().Shape);
        var missing = new List<string>();
        if (shapes is not null)
        {
            foreach (var name in shapes.Keys.Except(names))
            {
                content.Report(Path.Combine(zero, name), $"parameter '{PickleText.Shown(name)}' is missing, but {Path.GetFileName(model!.File.Path)} has it",
                    "fp32.pt");
            }
        }
        foreach (var name in shapes?.Keys.Intersect(names).Concat(names.Except(shapes.Keys)) ?? names)
        {
            ImmutableArray<long>? shape = shapes is not null && shapes.TryGetValue(name, out var known) ? known : null;
            if (Read(Path.Combine(zero, name, "fp32.pt"), name, shape, content) is not { } weight)
                continue;
            content.Weights[name] = weight;
            foreach (var moment in Moments)
            {
                var path = Path.Combine(zero, name, $"{moment}.pt");
                if (!File.Exists(path))
                    missing.Add(path);
                else if (Read(path, $"{name}.{moment}", weight.Shape, content) is { } state)
                    content.State[state.Name] = state;
            }
        }
        if (missing.Count > 0 && content.State.Count > 0)
        {
            content.StateProblem = TrainingContent.Wrong(missing[0],
                $"the file is missing{(missing.Count > 1 ? $", as are {missing.Count - 1} others" : "")}, and other parameters have theirs",
                "exp_avg.pt and exp_avg_sq.pt for every parameter", null);
            content.State.Clear();
        }
        if (model is not null)
            AddOthers(content, ranks);
        content.Notes.Add("float32 weights of a universal checkpoint of DeepSpeed"
            + (content.State.Count > 0 ? ", with the optimizer's moments" : ""));
    }

    private static TensorSource? Read(string path, string name, ImmutableArray<long>? shape, TrainingContent content)
    {
        if (!File.Exists(path))
        {
            content.Report(path, $"the file of parameter '{PickleText.Shown(name)}' is missing");
            return null;
        }
        if (content.TryRead(path) is not var (_, saved))
            return null;
        if ((saved.Root as PickleTensor ?? (saved.Root as PickleDict)?.Find("param") as PickleTensor) is not { } found)
        {
            content.Report(
                path,
                $"the file of parameter '{PickleText.Shown(name)}' holds no tensor", "a tensor, alone or as 'param'",
                "Convert the checkpoint again with ds_to_universal.py.");
            return null;
        }
        var tensor = saved.Tensor(name, found);
        if (shape is not { } whole || tensor.Shape.SequenceEqual(whole))
            return tensor;
        var count = TrainingContent.Count(tensor.Shape);
        if (tensor.Shape.Length == 1 && count == TrainingContent.Count(whole))
            return AssembledTensor.Of(name, tensor.DType, whole, tensor.Shape, [new(tensor, 0, [0], tensor.Shape)], tensor.Files.First());
        content.Report(
            path,
            $"'{PickleText.Shown(name)}' is {TrainingContent.Shown(tensor.Shape)}", $"{TrainingContent.Shown(whole)}, as the parameter is");
        return null;
    }

    private static ModelStates[] ReadModelStates(string folder, TrainingContent content)
    {
        ZeroFile[] files =
        [
            .. Directory.GetFiles(folder).Select(f => ZeroFile.Of(Path.GetFileName(f))).OfType<ZeroFile>()
                .Where(f => f is { IsOptimizer: false, ModelRank: 0 }).OrderBy(f => f.DataRank),
        ];
        return [.. files.Select(f => ModelStates.Read(Path.Combine(folder, f.Name), content)).OfType<ModelStates>()];
    }

    private static void AddOthers(TrainingContent content, ModelStates[] ranks)
    {
        ranks[0].AddBuffers(content);
        FrozenParameters.Add(content, ranks);
        ranks[0].AddShared(content);
    }
}
