using System.Collections.Immutable;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>
/// How ZeRO divides parameters over ranks. Stages 1, 2: a vector for each group, the ranks' parts one after another, in
/// which its parameters follow each other. Stage 3: a vector for each rank, its parts of all groups, in which it has an
/// equal part of each parameter.
/// </summary>
internal sealed class ZeroPartition
{
    private readonly OptimizerShard[] _shards;
    private readonly FlatVector[] _vectors;

    /// <param name="shards">Those of all ranks, in order.</param>
    /// <param name="parts">What is divided: of each rank a tensor a group, of which as much is taken as the weights have.</param>
    public ZeroPartition(OptimizerShard[] shards, Func<OptimizerShard, IReadOnlyList<TensorSource>> parts)
    {
        _shards = shards;
        var type = parts(shards[0])[0].DType;
        var vectors = IsDivided ? shards.Length : shards[0].Groups.Count;
        _vectors = [.. Enumerable.Range(0, vectors).Select(_ => new FlatVector(type))];
        for (var rank = 0; rank < shards.Length; rank++)
        {
            var own = parts(shards[rank]);
            for (var group = 0; group < own.Count; group++)
                _vectors[IsDivided ? rank : group].Append(own[group], shards[rank].Groups[group].Shape[0]);
        }
    }

    private bool IsDivided => _shards[0].Stage == 3;

    /// <summary>Puts the parameters together.</summary>
    /// <param name="model">Says which there are.</param>
    /// <param name="into">Gets them.</param>
    /// <param name="suffix">Of their names.</param>
    /// <param name="content">Gets what is wrong.</param>
    public void Place(
        ModelStates model, OrderedDictionary<string, TensorSource> into, string suffix, TrainingContent content)
    {
        if (IsDivided)
            PlaceDivided(model, into, suffix, content);
        else
            PlaceWhole(model, into, suffix, content);
    }

    /// <summary>Stages 1, 2: padded at the end of a group.</summary>
    private void PlaceWhole(
        ModelStates model, OrderedDictionary<string, TensorSource> into, string suffix, TrainingContent content)
    {
        var (at, says) = (_shards[0].File.Path, $"as {Path.GetFileName(model.File.Path)} says");
        if (_vectors.Length != model.Groups.Count)
        {
            content.Report(
                at,
                $"the shards have {_vectors.Length} groups of parameters", $"{model.Groups.Count}, {says}");
            return;
        }
        // DeepSpeed pads by two rules at once: up to the next multiple of twice the ranks is what it may be.
        var multiple = 2L * _shards.Length;
        foreach (var (group, vector, parameters) in _vectors.Select((v, g) => (g, v, model.Groups[g])))
        {
            var needed = Sum(parameters.Select(p => Count(p.Shape)));
            if (vector.Count < needed || vector.Count > (needed + multiple - 1) / multiple * multiple)
            {
                content.Report(
                    at,
                    $"group {group} has {vector.Count} elements on {_shards.Length} ranks",
                    $"{needed}, padded to a multiple of {multiple} at most, {says}: {PickleText.Listed(parameters.Select(p => p.Name), 3)}");
                continue;
            }
            var start = 0L;
            foreach (var (name, shape) in parameters)
            {
                Add(into, name + suffix, shape, vector.Slice(start, Count(shape), 0), model);
                start += Count(shape);
            }
        }
    }

    /// <summary>Stage 3: the last rank's part of each parameter is padded.</summary>
    private void PlaceDivided(
        ModelStates model, OrderedDictionary<string, TensorSource> into, string suffix, TrainingContent content)
    {
        var parameters = model.Groups.SelectMany(g => g).ToList();
        var needed = Sum(parameters.Select(p => Part(p.Shape)));
        foreach (var (vector, shard) in _vectors.Zip(_shards).Where(v => v.First.Count != needed))
        {
            content.Report(
                shard.File.Path,
                $"rank {shard.Rank} has {vector.Count} elements",
                $"{needed}: its part of the parameters of {Path.GetFileName(model.File.Path)}, "
                    + PickleText.Listed(parameters.Select(p => p.Name), 3));
        }
        if (content.Problems.Count > 0)
            return;
        var start = 0L;
        foreach (var (name, shape) in parameters)
        {
            var (at, part) = (start, Part(shape));
            var runs = _vectors.SelectMany(
                (v, rank) => v.Slice(at, Math.Clamp(Count(shape) - (rank * part), 0, part), rank * part));
            Add(into, name + suffix, shape, runs, model);
            start += part;
        }
    }

    private void Add(
        OrderedDictionary<string, TensorSource> into, string name, ImmutableArray<long> shape, IEnumerable<Chunk> runs, ModelStates model) =>
        into[name] = AssembledTensor.Of(name, _vectors[0].DType, shape, ImmutableArray.Create(Count(shape)), runs, model.File);

    private long Part(ImmutableArray<long> shape) => (Count(shape) + _shards.Length - 1) / _shards.Length;

    private static long Count(ImmutableArray<long> shape) => (long)TrainingContent.Count(shape)!;

    private static Int128 Sum(IEnumerable<long> counts) => counts.Aggregate((Int128)0, (sum, n) => sum + n);
}
