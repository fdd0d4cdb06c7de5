namespace Merge.Checkpoints.Distributed;

/// <summary>Whether boxes cover a tensor, each element once.</summary>
internal static class ChunkCover
{
    /// <summary>What is wrong, as a predicate of the tensor; null where nothing is.</summary>
    public static string? Problem(DistributedTensor tensor)
    {
        var rank = tensor.Shape.Length;
        Int128 covered = 0;
        foreach (var chunk in tensor.Chunks)
        {
            if (chunk.Offsets.Length != rank || chunk.Sizes.Length != rank)
                return $"has {rank} dimensions, and its chunk at {TrainingContent.Shown(chunk.Offsets)} {chunk.Sizes.Length}";
            for (var i = 0; i < rank; i++)
            {
                if (chunk.Offsets[i] > tensor.Shape[i] || chunk.Sizes[i] > tensor.Shape[i] - chunk.Offsets[i])
                    return $"is {TrainingContent.Shown(tensor.Shape)}, and its chunk {Shown(chunk)} reaches past it";
            }
            covered += (Int128)TrainingContent.Count(chunk.Sizes)!;
        }
        if (Overlap([.. tensor.Chunks.Where(c => !c.Sizes.Contains(0))], rank) is var (one, other))
            return $"has chunks that overlap: {Shown(one)} and {Shown(other)}";
        var whole = (Int128)TrainingContent.Count(tensor.Shape)!;
        // Within the tensor and apart: they cover it if they are as large.
        return covered == whole ? null : $"has {whole} elements, and its {tensor.Chunks.Count} chunks {covered}: one is missing";
    }

    private static (DistributedChunk, DistributedChunk)? Overlap(DistributedChunk[] chunks, int rank)
    {
        if (chunks.Length < 2)
            return null;
        if (rank == 0)
            return (chunks[0], chunks[1]);
        // Sorted by the dimension that tells most of them apart, each is compared with those that may reach into it.
        var along = Enumerable.Range(0, rank).MaxBy(i => chunks.Select(c => c.Offsets[i]).Distinct().Count());
        Array.Sort(chunks, (a, b) => a.Offsets[along].CompareTo(b.Offsets[along]));
        for (var i = 0; i < chunks.Length; i++)
        {
            var end = chunks[i].Offsets[along] + chunks[i].Sizes[along];
            for (var j = i + 1; j < chunks.Length && chunks[j].Offsets[along] < end; j++)
            {
                if (Enumerable.Range(0, rank).All(d => chunks[i].Offsets[d] < chunks[j].Offsets[d] + chunks[j].Sizes[d]
                    && chunks[j].Offsets[d] < chunks[i].Offsets[d] + chunks[i].Sizes[d]))
                {
                    return (chunks[i], chunks[j]);
                }
            }
        }
        return null;
    }

    private static string Shown(DistributedChunk chunk) => $"{TrainingContent.Shown(chunk.Sizes)} at {TrainingContent.Shown(chunk.Offsets)}";
}
