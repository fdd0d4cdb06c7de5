using System.Collections.Immutable;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>
/// What DeepSpeed's <c>*_model_states.pt</c> of one rank says beside the 16-bit weights, which are not read: the shapes of
/// the parameters in the order of the optimizer's groups, buffers, and the parameters no optimizer has.
/// </summary>
internal sealed class ModelStates
{
    private readonly PickleDict _root;
    private readonly PyTorchFile _saved;

    private ModelStates(CheckpointFile file, PyTorchFile saved, PickleDict root)
    {
        (File, _saved, _root) = (file, saved, root);
        Step = root.Find("global_steps") as long?;
    }

    public CheckpointFile File { get; }

    /// <summary>How many steps the training had taken.</summary>
    public long? Step { get; }

    /// <summary>The parameters of each group of the optimizer, with their whole shapes.</summary>
    public required IReadOnlyList<IReadOnlyList<(string Name, ImmutableArray<long> Shape)>> Groups { get; init; }

    /// <summary>Shapes of the parameters that are not trained.</summary>
    public required IReadOnlyList<(string Name, ImmutableArray<long> Shape)> Frozen { get; init; }

    /// <summary>Reads one file; null, with the problems noted, where it is not what it should be.</summary>
    public static ModelStates? Read(string path, TrainingContent content)
    {
        if (content.TryRead(path) is not var (file, saved))
            return null;
        if (saved.Root is not PickleDict root || GroupShapes(root) is not { } groups || Shapes(root.Find("frozen_param_shapes")) is not { } frozen)
        {
            content.Report(
                path,
                "it does not say which parameters there are", "param_shapes, as DeepSpeed saves with ZeRO since 0.3.16",
                "Convert the checkpoint with the DeepSpeed that wrote it: zero_to_fp32.py beside it.");
            return null;
        }
        if (root.Find("ds_autoep_layers") is List<object?> { Count: > 0 } || root.Find("autoep_layers") is List<object?> { Count: > 0 })
        {
            content.Report(
                path,
                "its experts are divided over ranks (AutoEP)", "parameters that every data-parallel rank has a part of",
                "Convert it with DeepSpeed's ds_to_universal.py and give the folder that writes.");
            return null;
        }
        return new(file, saved, root) { Groups = groups, Frozen = frozen };
    }

    /// <summary>Adds the buffers: they are whole in every rank's file.</summary>
    public void AddBuffers(TrainingContent content)
    {
        if (_root.Find("module") is not PickleDict module)
            return;
        foreach (var name in (_root.Find("buffer_names") as List<object?> ?? []).OfType<string>())
        {
            if (module.Find(name) is PickleTensor buffer)
                content.Weights.TryAdd(name, _saved.Tensor(name, buffer));
        }
    }

    /// <summary>This rank's part of a parameter that is not trained; null where it has none.</summary>
    public TensorSource? FrozenPart(string name) =>
        (_root.Find("frozen_param_fragments") as PickleDict)?.Find(name) is PickleTensor part ? _saved.Tensor(name, part) : null;

    /// <summary>Gives parameters that share another's values those of the other.</summary>
    public void AddShared(TrainingContent content)
    {
        foreach (var (key, value) in (_root.Find("shared_params") as PickleDict)?.Items ?? [])
        {
            if (key is not string name || value is not string other)
                continue;
            if (content.Weights.TryGetValue(other, out var weight))
                content.Weights.TryAdd(name, Named(weight, name));
            foreach (var field in new[] { "exp_avg", "exp_avg_sq" })
            {
                if (content.State.TryGetValue($"{other}.{field}", out var moment))
                    content.State.TryAdd($"{name}.{field}", Named(moment, $"{name}.{field}"));
            }
        }
    }

    private static TensorSource Named(TensorSource tensor, string name) => tensor with { Name = name };

    // A list of dicts, one a group; a dict alone in early versions.
    private static List<IReadOnlyList<(string, ImmutableArray<long>)>>? GroupShapes(PickleDict root)
    {
        var groups = root.Find("param_shapes") switch
        {
            PickleDict one => [one],
            List<object?> { Count: > 0 } several => several,
            _ => null,
        };
        var shapes = groups?.ConvertAll(g => g is PickleDict dict ? Shapes(dict) : null);
        return shapes?.Contains(null) == false ? shapes.ConvertAll(s => (IReadOnlyList<(string, ImmutableArray<long>)>)s!) : null;
    }

    private static List<(string, ImmutableArray<long>)>? Shapes(object? value)
    {
        if (value is not PickleDict dict)
            return value is null ? [] : null;
        var shapes = new List<(string, ImmutableArray<long>)>();
        foreach (var (key, size) in dict.Items)
        {
            if (key is not string name || TrainingContent.Sizes(size) is not { } shape)
                return null;
            shapes.Add((name, shape));
        }
        return shapes;
    }
}
