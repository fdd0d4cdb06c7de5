using Merge.Checkpoints;
using Merge.Planning;

namespace Host.Tests.Planning;

/// <summary>Checkpoints on disk of one test; closed and deleted afterwards.</summary>
internal sealed class TestModels : IDisposable
{
    private readonly List<Checkpoint> _open = [];

    public string Root { get; } = Directory.CreateTempSubdirectory("merge-models-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    /// <summary>Writes a folder with one weights file, and config.json where one is given.</summary>
    public string Write(string name, string? config, params TestTensor[] tensors)
    {
        var layout = SafetensorsLayout.Of(
            tensors.Select(t => new OutputTensor(t.Name, t.DType, [.. t.Shape])),
            PlanRequest.DefaultMaxShardBytes,
            new Dictionary<string, string>());
        using var writer = OutputWriter.Create(this[name], layout);
        foreach (var tensor in tensors)
            writer.Write(layout.Placements[tensor.Name].File, layout.Placements[tensor.Name].Offset, tensor.Bytes);
        if (config is not null)
            File.WriteAllText(Path.Combine(this[name], "config.json"), config);
        return this[name];
    }

    public Checkpoint Open(string name)
    {
        _open.Add(Checkpoint.Open(this[name]));
        return _open[^1];
    }

    public PlannedModel Add(string name, params TestTensor[] tensors) => AddWith(name, null, tensors);

    public PlannedModel AddWith(string name, string? config, params TestTensor[] tensors)
    {
        Write(name, config, tensors);
        return new PlannedModel(name, Open(name));
    }

    public void Dispose()
    {
        _open.ForEach(c => c.Dispose());
        Directory.Delete(Root, recursive: true);
    }
}
