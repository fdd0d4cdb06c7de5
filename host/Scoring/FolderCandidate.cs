using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>A candidate that is a model folder, made for a program to load and removed afterwards.</summary>
internal sealed class FolderCandidate : StoredCandidate, ITensorSink
{
    private readonly SafetensorsLayout _layout;
    private readonly CandidateShape _shape;
    private readonly OutputWriter _writer;

    /// <param name="folder">Does not exist yet.</param>
    /// <param name="companions">Files that go beside the weights.</param>
    /// <exception cref="MergeException">There is no room for it, or it cannot be written.</exception>
    public FolderCandidate(string id, IReadOnlyDictionary<string, double> values, string folder,
        SafetensorsLayout layout, CandidateShape shape, IReadOnlyList<string> companions)
        : base(id, values)
    {
        (Folder, _layout, _shape) = (folder, layout, shape);
        try
        {
            _writer = OutputWriter.Create(folder, layout, lasts: false);
        }
        catch (MergeException fault)
        {
            OwnFolder.Remove(folder);
            throw new CandidateNotWritten(fault);
        }
        try
        {
            foreach (var file in companions)
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
        catch (Exception fault)
        {
            Free();
            if (FileProblem.Is(fault))
                throw new CandidateNotWritten(FileProblem.Writing(folder, layout.Size, fault));
            throw;
        }
    }

    public override IReadOnlyList<TensorInfo> Tensors => _shape.Tensors;

    public override ITensorSink Sink => this;

    public override string Folder { get; }

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes)
    {
        var place = _layout.Placements[tensor];
        try
        {
            _writer.Write(place.File, place.Offset + offset, bytes);
        }
        catch (MergeException fault)
        {
            throw new CandidateNotWritten(fault);
        }
    }

    public void Finish(TensorPlan tensor, uint checksum)
    {
    }

    protected override (DType Type, long Count)? Find(string tensor) => _shape.Find(tensor);

    protected override void ReadBytes(string tensor, long offset, Span<byte> into)
    {
        var place = _layout.Placements[tensor];
        using var file = CheckpointFile.Open(Path.Combine(Folder, _layout.Files[place.File].Name));
        file.Read(place.Offset + offset, into);
    }

    protected override void Free()
    {
        _writer.Dispose();
        OwnFolder.Remove(Folder);
    }
}

/// <summary>The place of the candidates is full or fails: no fault of the point, so it stops the search and fails no trial.</summary>
internal sealed class CandidateNotWritten(MergeException fault) : MergeException(
    [.. fault.Diagnostics.Select(d => d with
    {
        Fix = "Free space there, or name another place by 'evaluate: {candidates: {folder: …}}', then go on with the search.",
    })], fault);
