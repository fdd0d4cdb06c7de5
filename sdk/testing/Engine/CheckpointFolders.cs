using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Testing.Engine;

/// <summary>Checkpoints on disk for one merge, float32; all closed and deleted afterwards.</summary>
internal sealed class CheckpointFolders : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("merge-testing-");
    private readonly List<Checkpoint> _open = [];

    /// <summary>Writes the tensors as a checkpoint of one file and opens it.</summary>
    public PlannedModel Add(string name, IReadOnlyDictionary<string, TestTensor> tensors)
    {
        var folder = Path.Combine(_root.FullName, name);
        var layout = SafetensorsLayout.Of(
            tensors.Select(t => new OutputTensor(t.Key, DType.F32, [.. t.Value.Shape])),
            PlanRequest.DefaultMaxShardBytes,
            new Dictionary<string, string>());
        using (var writer = OutputWriter.Create(folder, layout))
        {
            foreach (var (tensor, place) in layout.Placements)
                writer.Write(place.File, place.Offset, MemoryMarshal.AsBytes<float>(tensors[tensor].Values));
        }
        _open.Add(Checkpoint.Open(folder));
        return new PlannedModel(name, _open[^1]);
    }

    public void Dispose()
    {
        _open.ForEach(c => c.Dispose());
        _root.Delete(recursive: true);
    }
}
